"use client";

import { useQuery } from "@tanstack/react-query";
import { Plus } from "lucide-react";
import { connectionQueries } from "#app/_queries/connections.ts";
import { Button } from "#app/_ui/button.tsx";
import { Empty } from "#app/_ui/empty.tsx";
import { Link } from "#app/_ui/link.tsx";
import { QueryStates } from "#app/_ui/query-states.tsx";
import { SkeletonLines } from "#app/_ui/skeleton.tsx";
import { Screen } from "#app/(dashboard)/_frame/screen.tsx";
import { useSession } from "#app/(dashboard)/_frame/session-context.tsx";
import { AuthorizationOutcome } from "./authorization-outcome.tsx";
import { ConnectionRow } from "./connection-row.tsx";

/** Every Zendesk of the workspace and how its reading stands. */
export function Connections() {
  const { user } = useSession();
  const connections = useQuery(connectionQueries.list());
  const connect = user.role === "admin" && (
    <Button asChild variant="primary">
      <Link quiet href="/connections/new" className="hover:no-underline">
        <Plus aria-hidden />
        Connect a Zendesk
      </Link>
    </Button>
  );
  return (
    <Screen title="Connections" actions={connect}>
      <div className="mb-4 max-w-5xl empty:hidden">
        <AuthorizationOutcome />
      </div>
      <QueryStates
        query={connections}
        what="the connections"
        skeleton={<SkeletonLines lines={6} />}
        isEmpty={({ items }) => items.length === 0}
        empty={
          <Empty kind="never-connected" title="Nothing is connected yet" action={connect}>
            {user.role === "admin"
              ? "Connect a Zendesk: reading is all that is asked for."
              : "An administrator can connect a Zendesk."}
          </Empty>
        }
      >
        {({ items }) => (
          <ul className="max-w-5xl divide-y divide-line border-y border-line">
            {items.map((connection) => (
              <ConnectionRow key={connection.id} connection={connection} />
            ))}
          </ul>
        )}
      </QueryStates>
    </Screen>
  );
}
