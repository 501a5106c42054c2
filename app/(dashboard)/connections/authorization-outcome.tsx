"use client";

import { useQuery } from "@tanstack/react-query";
import { useSearchParams } from "next/navigation";
import { connectionQueries, oauthConfirm } from "#app/_queries/connections.ts";
import { Button } from "#app/_ui/button.tsx";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { WriteGrant } from "#app/(dashboard)/destinations/write-grant.tsx";
import type { Connection } from "#lib/connections/shapes.ts";

interface Reason {
  why: string;
  fix?: string;
}

/** Why a sign-in at Zendesk came to nothing, and what to do; other reasons share the last words. */
const reasons: Record<string, Reason> = {
  denied: { why: "The sign-in was cancelled in Zendesk" },
  refused: { why: "Zendesk refused the sign-in" },
  not_administrator: {
    why: "That person is no administrator in Zendesk",
    fix: "Sign in there as an administrator.",
  },
  missing_scope: {
    why: "Zendesk did not grant the access that was asked for",
    fix: "Allow the scopes “read” and “write” for this OAuth client in Zendesk’s Admin Center, then ask again.",
  },
  conflict: {
    why: "This Zendesk account is connected already",
    fix: "Open its connection to change the login.",
  },
};
const other: Reason = { why: "The sign-in at Zendesk did not succeed" };

/** How the way over Zendesk's own sign-in ended, after the browser comes back from there. */
export function AuthorizationOutcome() {
  const search = useSearchParams();
  const connections = useQuery(connectionQueries.list()).data?.items;
  const [connected, reason] = [search.get("connected"), search.get("connect")];
  const connection = connections?.find(({ id }) => id === (connected ?? search.get("connectionId")));
  const forWriting = search.get("for") === "writing";
  if (connected !== null) {
    return forWriting ? <MayBeWritten connection={connection} /> : <Connected id={connected} />;
  }
  if (reason === null) return null;
  const connectionId = search.get("connectionId");
  if (reason === "confirm_login" && connectionId !== null) {
    return <AnotherPerson connectionId={connectionId} access={forWriting ? "read_write" : "read"} />;
  }
  const { why, fix } = (Object.hasOwn(reasons, reason) ? reasons[reason] : undefined) ?? other;
  if (forWriting) {
    const denied = reason === "denied";
    return (
      <NotGranted
        connection={connection}
        why={denied ? "Writing was not allowed in Zendesk" : why}
        fix={fix ?? "To have it, ask again and press Allow there, signed in as an administrator."}
      />
    );
  }
  return (
    <Notice
      kind="failure"
      announce
      title={`${why}: nothing was ${connectionId === null ? "connected" : "changed"}.`}
      actions={
        connectionId === null ? (
          <Link href="/connections/new">Try again</Link>
        ) : (
          <Link href={`/connections/${encodeURIComponent(connectionId)}?tab=settings#login`}>Change the login</Link>
        )
      }
    >
      {fix} What was connected before goes on as it was.
    </Notice>
  );
}

function Connected({ id }: { id: string }) {
  return (
    <Notice
      kind="info"
      announce
      title="Connected"
      actions={<Link href={`/connections/${encodeURIComponent(id)}`}>Open the connection</Link>}
    >
      The first sync has started; its progress shows there.
    </Notice>
  );
}

type OfConnection = {
  /** Undefined while the connections are loading. */
  connection: Connection | undefined;
};

function MayBeWritten({ connection }: OfConnection) {
  return (
    <Notice
      kind="info"
      announce
      title={`${connection?.name ?? "The connection"} may be written to`}
      actions={
        <>
          <Link href="/destinations/new">Add a destination</Link>
          {connection && <Link href={`/connections/${connection.id}`}>Open the connection</Link>}
        </>
      }
    >
      Nothing is written before a destination is switched on. Reading goes on as before.
    </Notice>
  );
}

function NotGranted({ connection, why, fix }: OfConnection & { why: string; fix: string }) {
  const { user } = useSession();
  return (
    <Notice
      kind="failure"
      announce
      title={`${why}: ${connection?.name ?? "the connection"} may still only be read.`}
      actions={user.role === "admin" && connection && <WriteGrant connection={connection} />}
    >
      Reading goes on as before. {fix}
    </Notice>
  );
}

/** The sign-in was somebody else's of the same account: an administrator says that this is meant by signing in again. */
function AnotherPerson({ connectionId, access }: { connectionId: string; access: "read" | "read_write" }) {
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
            onClick={() => window.location.assign(oauthConfirm(connectionId, access))}
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
