import type { DataColumn } from "#app/_ui/data-table/columns.tsx";
import { Hint } from "#app/_ui/hint.tsx";
import { Link } from "#app/_ui/link.tsx";
import { RelativeTime } from "#app/_ui/relative-time.tsx";
import { Unknown } from "#app/_ui/unknown.tsx";
import { Priority } from "#app/(dashboard)/_tickets/priority.tsx";
import type { MetricKey } from "#lib/metrics/shapes.ts";
import type { TicketItem } from "#lib/reports/shapes.ts";

const instant = (at: string | null, reason: string) => (at ? <RelativeTime at={at} /> : <Unknown reason={reason} />);
const word = (text: string | null, reason: string) => text ?? <Unknown reason={reason} />;

/** One ticket a row; the subject opens it in Zendesk. */
export const ticketColumns: DataColumn<TicketItem>[] = [
  {
    id: "subject",
    header: "Ticket",
    width: 284,
    cell: (ticket) => (
      <Link href={ticket.url} external quiet title={ticket.subject ?? undefined}>
        <span className="text-muted tabular-nums">#{ticket.id}</span> {ticket.subject || "(no subject)"}
      </Link>
    ),
  },
  { id: "priority", header: "Priority", width: 84, cell: (ticket) => <Priority value={ticket.priority} /> },
  { id: "status", header: "Status", width: 80, cell: (ticket) => word(ticket.status, "Zendesk gave no status") },
  {
    id: "createdAt",
    header: "Created",
    width: 96,
    cell: (ticket) => instant(ticket.createdAt, "Zendesk gave no date"),
  },
  {
    id: "reporter",
    header: "Reporter",
    width: 112,
    cell: (ticket) => word(ticket.reporter, "The requester is not known"),
  },
  { id: "group", header: "Group", width: 92, cell: (ticket) => word(ticket.group, "Not assigned to a group") },
  { id: "assignee", header: "Assignee", width: 112, cell: (ticket) => word(ticket.assignee, "Not assigned") },
  { id: "solvedAt", header: "Solved", width: 112, cell: (ticket) => instant(ticket.solvedAt, "Not solved") },
  {
    id: "rating",
    header: "Rating",
    width: 96,
    cell: ({ rating }) =>
      rating ? (
        <Hint content={rating.comment ? `“${rating.comment}”` : "No comment"}>
          <span className={rating.score === "bad" ? "text-bad-rating" : undefined}>{rating.score}</span>
        </Hint>
      ) : (
        <Unknown reason="Not rated" />
      ),
  },
  {
    id: "updatedAt",
    header: "Updated",
    width: 112,
    hidden: true,
    cell: (ticket) => instant(ticket.updatedAt, "Zendesk gave no date"),
  },
];

const ratingFirst = ["subject", "rating"];
const ratedTicketColumns = [
  ...ticketColumns.filter(({ id }) => ratingFirst.includes(id)),
  ...ticketColumns.filter(({ id }) => !ratingFirst.includes(id)),
];

/** Of tickets that are counted by their rating it stands beside the ticket, where no screen cuts it off. */
export const columnsFor = (metric: MetricKey | undefined) =>
  metric === "csat" || metric === "topCsat" ? ratedTicketColumns : ticketColumns;
