import { StatusDot } from "#app/_ui/badge.tsx";
import type { DataColumn } from "#app/_ui/data-table/columns.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Unknown } from "#app/_ui/unknown.tsx";
import type { Event } from "#lib/sources/shapes.ts";
import { eventTitle, whose } from "./event-words.ts";

/** One event a row: what, whose, whether it was taken, what it caused. */
export const eventColumns: DataColumn<Event>[] = [
  {
    id: "event",
    header: "Event",
    width: 240,
    cell: (event) => <span title={eventTitle(event)}>{eventTitle(event)}</span>,
  },
  {
    id: "state",
    header: "State",
    width: 112,
    cell: ({ rejection }) => (
      <StatusDot status={rejection === null ? "good" : "bad"} className="align-middle">
        {rejection === null ? "accepted" : "rejected"}
      </StatusDot>
    ),
  },
  { id: "received", header: "Received", width: 120, cell: ({ receivedAt }) => <RelativeTime at={receivedAt} /> },
  {
    id: "whose",
    header: "Whose",
    width: 208,
    cell: (event) => whose(event) ?? <Unknown reason="The event names nobody" />,
  },
  { id: "source", header: "Source", width: 144, cell: ({ source }) => source.name },
  {
    id: "outcome",
    header: "Outcome",
    width: 256,
    cell: ({ rejection, deliveries }) =>
      rejection ? (
        <span className="text-bad" title={rejection}>
          {rejection}
        </span>
      ) : (
        <Outcome deliveries={deliveries} />
      ),
  },
  { id: "messageId", header: "Message id", width: 256, hidden: true, cell: ({ messageId }) => messageId },
];

function Outcome({ deliveries }: Pick<Event, "deliveries">) {
  if (deliveries.length === 0) return <span className="text-muted">no delivery</span>;
  const byState = new Map<string, number>();
  for (const { state } of deliveries) byState.set(state, (byState.get(state) ?? 0) + 1);
  return <>{[...byState].map(([state, number]) => `${number} ${state}`).join(", ")}</>;
}
