"use client";

import { useQuery } from "@tanstack/react-query";
import { connectionQueries } from "#app/_queries/connections.ts";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";

/** On every screen while a connection fails: what happened, what still works, what to do (T-55). */
export function FailureBar() {
  const { data: connections } = useQuery(connectionQueries.list());
  const failing = connections?.items.filter(
    ({ state, failure }) => failure !== null && state !== "disconnected" && state !== "archived",
  );
  if (!failing?.length) return null;
  return (
    <div className="flex flex-col gap-px">
      {failing.map(({ id, name, failure }) => (
        <Notice
          key={id}
          kind="failure"
          announce
          className="rounded-none px-4"
          title={`${name} does not sync: ${failure?.message}`}
          actions={<Link href={`/connections/${id}`}>Open the connection</Link>}
        >
          Since {failure && <RelativeTime at={failure.since} />}. What was read before stays and can be used.{" "}
          {failure?.action}
        </Notice>
      ))}
    </div>
  );
}
