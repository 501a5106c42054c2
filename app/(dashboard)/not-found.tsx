import { Button } from "../_ui/button.tsx";
import { Gone } from "../_ui/empty.tsx";
import { Link } from "../_ui/link.tsx";
import { Screen } from "./_frame/screen.tsx";

export default function DashboardNotFound() {
  return (
    <Screen title="Not found">
      <Gone
        title="This is not here"
        action={
          <Button asChild>
            <Link href="/" quiet className="hover:no-underline">
              Go to my portfolio
            </Link>
          </Button>
        }
      >
        It may have been removed, or it belongs to another workspace.
      </Gone>
    </Screen>
  );
}
