import { Button } from "./_ui/button.tsx";
import { Gone } from "./_ui/empty.tsx";
import { Link } from "./_ui/link.tsx";

export default function NotFound() {
  return (
    <main>
      <h1 className="sr-only">Not found</h1>
      <Gone
        title="There is no such page"
        action={
          <Button asChild>
            <Link href="/" quiet className="hover:no-underline">
              Go to the start
            </Link>
          </Button>
        }
      >
        The address may be mistyped, or what it named was removed.
      </Gone>
    </main>
  );
}
