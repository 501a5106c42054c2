"use client";

import { useQuery } from "@tanstack/react-query";
import { connectionQueries } from "#app/_queries/connections.ts";
import { Link } from "#app/_ui/link.tsx";
import { Notice } from "#app/_ui/notice.tsx";
import { Num } from "#app/_ui/num.tsx";
import type { StreamStatus } from "#lib/connections/shapes.ts";
import { firstReads } from "./freshness.ts";

/** While a connection is read for the first time: the numbers are not whole yet, and how far it is. */
export function FirstReadBar() {
  const { data: connections } = useQuery(connectionQueries.list());
  const reading = firstReads(connections?.items ?? []).filter(({ failure }) => failure === null);
  return reading.map(({ id, name, state, streams }) => (
    <Notice
      key={id}
      kind="info"
      className="rounded-none px-4"
      title={`${name} ${state === "paused" ? "was paused while it was" : "is being"} read for the first time: until it is through, the numbers are too small.`}
      actions={<Link href={`/connections/${id}`}>See how far it is</Link>}
    >
      <Num value={rowsOf(streams, "tickets")} /> tickets and <Num value={rowsOf(streams, "ticket_events")} /> events so
      far.
    </Notice>
  ));
}

const rowsOf = (streams: readonly StreamStatus[], wanted: StreamStatus["name"]) =>
  streams.find(({ name }) => name === wanted)?.rows ?? 0;
