"use client";

import { useSearchParams } from "next/navigation";
import { oauthConfirm } from "#app/_queries/connections.ts";
import { Button } from "#app/_ui/button.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";

/** What a sign-in at Zendesk that made no connection says; other reasons share the last words. */
const reasons: Record<string, string> = {
  denied: "The sign-in was cancelled in Zendesk: nothing was connected.",
  refused: "Zendesk refused the sign-in: nothing was connected.",
  not_admin: "That person is no administrator in Zendesk: nothing was connected. Sign in there as an administrator.",
  conflict: "This Zendesk account is connected already: open its connection to change the login.",
};

/** How the way over Zendesk's own sign-in ended, after the browser comes back from there. */
export function AuthorizationOutcome() {
  const search = useSearchParams();
  const connected = search.get("connected");
  const reason = search.get("connect");
  if (connected !== null) {
    return (
      <Notice
        kind="info"
        announce
        title="Connected"
        actions={<Link href={`/connections/${encodeURIComponent(connected)}`}>Open the connection</Link>}
      >
        The first sync has started; its progress shows there.
      </Notice>
    );
  }
  if (reason === null) return null;
  const connectionId = search.get("connectionId");
  if (reason === "confirm_login" && connectionId !== null) return <AnotherPerson connectionId={connectionId} />;
  const words = Object.hasOwn(reasons, reason) ? reasons[reason] : undefined;
  return (
    <Notice
      kind="failure"
      announce
      title={words ?? "The sign-in at Zendesk did not succeed: nothing was connected."}
      actions={<Link href="/connections/new">Try again</Link>}
    >
      What was connected before goes on as it was.
    </Notice>
  );
}

/** The sign-in was somebody else's of the same account: an administrator says that this is meant by signing in again. */
function AnotherPerson({ connectionId }: { connectionId: string }) {
  const { user } = useSession();
  return (
    <Notice
      kind="warning"
      announce
      title="Another person of the same Zendesk account signed in: nothing was changed yet."
      actions={
        user.role === "admin" && (
          <Button
            size="sm"
            // A navigation, not a fetch: Zendesk’s own page follows.
            onClick={() => window.location.assign(oauthConfirm(connectionId))}
          >
            Sign in again and use that login
          </Button>
        )
      }
    >
      Reading would go on with what that person may see. If it was a mistake, leave it: the login of before stays.
    </Notice>
  );
}
