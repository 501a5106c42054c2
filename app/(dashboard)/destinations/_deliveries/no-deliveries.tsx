"use client";

import type { DeliveryFilters } from "#app/_queries/deliveries.ts";
import { Empty } from "#app/_ui/empty.tsx";
import { Link } from "#app/_ui/link.tsx";

type NoDeliveriesProps = { filters: DeliveryFilters; filtered: boolean; connected: boolean };

/** Why there is nothing to see, and where to go from here. */
export function NoDeliveries({ filters, filtered, connected }: NoDeliveriesProps) {
  const { state, exceptCode: _, ...others } = filters;
  const onlyState = state !== null && Object.values(others).every((value) => !value);
  if (!connected) {
    return (
      <Empty
        kind="never-connected"
        title="Nothing is written to Zendesk yet"
        action={<Link href="/destinations/new">Add a destination</Link>}
      />
    );
  }
  if (onlyState && state === "failed") {
    return (
      <Empty kind="none" title="No dead letters">
        Everything that was sent arrived, or waits for its turn.
      </Empty>
    );
  }
  if (onlyState && state === "held") {
    return (
      <Empty kind="none" title="Nothing waits for approval">
        Removals from organizations and unknown traits would be listed here.
      </Empty>
    );
  }
  if (onlyState && state === "unknown") {
    return (
      <Empty kind="none" title="Of every write it is known what became of it">
        Writes whose answer was lost would be listed here until they are looked up.
      </Empty>
    );
  }
  if (filtered) return <Empty kind="no-match" title="No delivery matches the filters" />;
  return (
    <Empty
      kind="none"
      title="Nothing was written yet"
      action={<Link href="/destinations/events">Look at the events</Link>}
    >
      Deliveries appear as soon as an event triggers an action of a destination that is on.
    </Empty>
  );
}
