import { idOf, instantOfSeconds, type RowReader, type Wire } from "#lib/zendesk/row-reader.ts";
import type { TicketEventField, TicketEventRow } from "#lib/zendesk/row-types.ts";

const eventFields: readonly Exclude<TicketEventField, "created">[] = [
  "status",
  "custom_status_id",
  "priority",
  "organization_id",
  "group_id",
  "assignee_id",
  "requester_id",
];

/**
 * One row for each change of a field that the timeline reads, in the order of the child events, and `created` for the
 * audit that created the ticket. A changed field is its own key in its child event (zendesk-api section 3.7).
 */
export function ticketEventRows(read: RowReader, wire: Wire): TicketEventRow[] {
  const occurredAt = instantOfSeconds(wire.timestamp) ?? read.instant(wire, "created_at");
  if (!occurredAt) throw new RangeError("neither timestamp nor created_at is a date");
  const event = {
    id: idOf(wire.id),
    ticketId: idOf(wire.ticket_id),
    occurredAt,
    updaterId: read.id(wire, "updater_id"),
  };
  const children = (Array.isArray(wire.child_events) ? wire.child_events : []) as Wire[];
  const rows: TicketEventRow[] = [];
  if (children.some((child) => child?.event_type === "Create")) {
    rows.push({ ...event, field: "created", kind: "create", value: null, previous: null });
  }
  for (const child of children) {
    if (typeof child !== "object" || child === null) continue;
    const kind = child.event_type === "Create" ? "create" : "change";
    for (const field of eventFields) {
      if (!Object.hasOwn(child, field)) continue;
      const previous = read.anyText("previous_value", child.previous_value);
      rows.push({ ...event, field, kind, value: read.anyText(field, child[field]), previous });
    }
  }
  return rows;
}
