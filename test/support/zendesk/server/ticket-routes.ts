import { auditRow, commentText } from "../wire/ticket-events.ts";
import { compareIds } from "../world/ids.ts";
import type { Ticket } from "../world/rows.ts";
import { type Answer, ok, recordNotFound } from "./answer.ts";
import { type Given, listIn, objectIn, tagsOf } from "./given.ts";
import { onceByKey } from "./idempotency.ts";
import { inBulk } from "./job-routes.ts";
import { listAnswer } from "./lists.ts";
import type { Call, Route } from "./routes.ts";
import { createTicket, listedTickets, livingTicket, row, updateTicket } from "./ticket-writes.ts";

const route = (method: Route["method"], path: string, answer: Route["answer"]): Route => ({
  method,
  path,
  demands: { scope: "tickets", write: method !== "GET" },
  answer,
});

/** Writing tickets, and the lists by which a writer finds them again (zendesk-api sections 4.1 and 8.4). */
export const ticketRoutes: Route[] = [
  route("POST", "/tickets", (call) =>
    onceByKey(call, () => {
      const ticket = createTicket(call, objectIn(call, "ticket"));
      const [audit] = ticket.audits;
      const location = `${call.request.base}/api/v2/tickets/${ticket.id}.json`;
      const json = { ticket: row(call, ticket), ...(audit && { audit: auditRow(audit) }) };
      return { status: 201, json, headers: { location } };
    }),
  ),
  route("POST", "/tickets/create_many", (call) =>
    inBulk(call, "Bulk Create Ticket", listIn(call, "tickets"), (given) => ({
      id: Number(createTicket(call, given).id),
      status: "Created",
    })),
  ),
  route("PUT", "/tickets/update_many", (call) =>
    inBulk(call, "Bulk Update Ticket", rowsToUpdate(call), (given) => {
      const ticket = existing(call, String(given.id));
      updateTicket(call, ticket, { ...given, ...withTags(ticket, given) });
      return { id: Number(ticket.id), action: "update", status: "Updated", success: true };
    }),
  ),
  route("PUT", "/tickets/{id}", (call) => {
    const ticket = existing(call, call.params.id);
    const audit = updateTicket(call, ticket, objectIn(call, "ticket"));
    return ok({ ticket: row(call, ticket), audit: audit === undefined ? null : auditRow(audit) });
  }),
  route("GET", "/tickets/{id}/comments", listComments),
  route("GET", "/users/{id}/tickets/requested", (call) =>
    listTickets(call, (one) => one.requesterId === call.params.id),
  ),
  route("GET", "/users/{id}/tickets/assigned", (call) => listTickets(call, (one) => one.assigneeId === call.params.id)),
  route("GET", "/organizations/{id}/tickets", (call) =>
    listTickets(call, (one) => one.organizationId === call.params.id),
  ),
];

/** `?ids=` with one `ticket`, or a list of `tickets`. */
function rowsToUpdate(call: Call): Given[] {
  const ids = call.request.query.get("ids");
  if (ids === null) return listIn(call, "tickets");
  const given = objectIn(call, "ticket");
  return ids.split(",").map((id) => ({ ...given, id }));
}

/** `additional_tags` and `remove_tags`, which only this endpoint knows. */
function withTags(ticket: Ticket, { tags, additional_tags, remove_tags }: Given): Given {
  const removed = tagsOf(remove_tags) ?? [];
  const all = [...(tagsOf(tags) ?? ticket.tags), ...(tagsOf(additional_tags) ?? [])];
  return { tags: all.filter((tag) => !removed.includes(tag)) };
}

function listTickets(call: Call, wanted: (ticket: Ticket) => boolean): Answer {
  return listAnswer(call.request, {
    key: "tickets",
    rows: listedTickets(call.request.world, wanted),
    positionOf: (ticket) => ticket.id,
    compare: compareIds,
    write: (ticket) => row(call, ticket),
  });
}

function listComments(call: Call): Answer {
  const { audits } = existing(call, call.params.id);
  const rows = audits.flatMap(({ id, at, channel, comment }) =>
    comment === null ? [] : [{ id, at, channel, comment }],
  );
  return listAnswer(call.request, {
    key: "comments",
    rows,
    positionOf: ({ id }) => String(id),
    compare: compareIds,
    write: ({ id, at, channel, comment }) => ({
      id: id + 1,
      ...commentText({ id, at }, comment),
      via: { channel, source: { from: {}, to: {}, rel: null } },
      metadata: {},
    }),
  });
}

function existing(call: Call, id: string | undefined): Ticket {
  const ticket = livingTicket(call.request.world, id ?? "");
  if (ticket === undefined) throw recordNotFound();
  return ticket;
}
