"use client";

import { useQuery } from "@tanstack/react-query";
import { connectionQueries } from "#app/_queries/connections.ts";
import { Button } from "#app/_ui/button.tsx";
import { Empty } from "#app/_ui/empty.tsx";
import { Link } from "#app/_ui/link.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";

/** Why the table is empty: the four reasons never look alike. */
export function EmptyPortfolio({ filtered, onClear }: { filtered: boolean; onClear: () => void }) {
  const { user } = useSession();
  const admin = user.role === "admin";
  const connections = useQuery(connectionQueries.list());
  if (filtered) {
    return (
      <Empty kind="no-match" title="No account matches" action={<Button onClick={onClear}>Clear the filters</Button>}>
        The search looks at names and external ids.
      </Empty>
    );
  }
  if (connections.data?.items.length === 0) {
    return (
      <Empty
        kind="never-connected"
        title="Nothing is connected yet"
        action={admin && <Link href="/connections/new">Connect a Zendesk</Link>}
      >
        {admin
          ? "Connect a Zendesk, then bring your accounts in by CSV or through the API."
          : "An administrator connects a Zendesk and brings the accounts in."}
      </Empty>
    );
  }
  return (
    <Empty
      kind="none"
      title="No accounts yet"
      action={admin && <Link href="/settings?tab=accounts">Import accounts</Link>}
    >
      Tickets come from Zendesk; accounts, the companies you look after, come from a CSV file or the API.
    </Empty>
  );
}
