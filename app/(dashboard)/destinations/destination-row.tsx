"use client";

import { StatusDot } from "#app/_ui/badge.tsx";
import { Link } from "#app/_ui/link.tsx";
import type { Destination } from "#lib/destinations/shapes.ts";
import { destinationAddress } from "./addresses.ts";
import { DeliveryCounts } from "./delivery-counts.tsx";
import { profileNames, stateOf } from "./destination-words.ts";

/** One destination: where it writes, how it stands, what waits. */
export function DestinationRow({ destination }: { destination: Destination }) {
  const { id, name, connection, sources, profile } = destination;
  const { status, words } = stateOf(destination);
  return (
    <li className="grid items-center gap-x-6 gap-y-2 py-3 md:grid-cols-[minmax(0,4fr)_minmax(0,3fr)_minmax(0,5fr)]">
      <div className="min-w-0">
        <Link href={destinationAddress(id)} className="block truncate font-medium">
          {name}
        </Link>
        <p className="truncate text-table text-muted">
          {connection.subdomain}.zendesk.com · {profileNames[profile]}
        </p>
      </div>
      <div className="min-w-0 text-table">
        <StatusDot status={status}>{words}</StatusDot>
        <p className="truncate text-muted">
          {sources.length === 0 ? "takes events of no source" : `from ${sources.map((one) => one.name).join(", ")}`}
        </p>
      </div>
      <DeliveryCounts destination={destination} />
    </li>
  );
}
