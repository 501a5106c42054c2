import type { Command } from "#lib/destinations/attempt.ts";
import { bodyOf, intentOf, type Wanted } from "#lib/destinations/procedures/changes.ts";
import { personOf, tagsOf, textOf } from "#lib/destinations/procedures/command-fields.ts";
import { findRow, findRows, idIn, isId, wireId } from "#lib/destinations/procedures/rows.ts";
import { leaveOpen, procedure, sentBefore, type Task } from "#lib/destinations/procedures/task.ts";
import { commentOf, ticketFieldsOf, ticketValuesOf } from "#lib/destinations/procedures/ticket-values.ts";
import { findOrCreateUser } from "#lib/destinations/procedures/write-user.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

const creation = "create ticket";
/** Zendesk looks a request up by its Idempotency-Key for two hours; a little less, since clocks differ. Milliseconds. */
const keyLasts = 115 * 60_000;

/**
 * Creates a ticket, once for each external id (C-7, X-12). What it may have been created by before is looked for; where an
 * answer was lost, the same request with the same Idempotency-Key has Zendesk look itself.
 */
export const createTicket = procedure(async (task) => {
  const { command, delivery } = task;
  const externalId = ticketExternalId(command, delivery.messageId ?? delivery.commandKey);
  const [first] = await knownTickets(task, externalId);
  if (first) {
    const id = String(idIn(first));
    task.result = { kind: "ticket", id };
    if (sentBefore(task, creation).length === 0) {
      const closed = first.status === "closed" ? ", which is closed," : "";
      task.notes.push(`Ticket ${id}${closed} has the external id ${externalId} already: no second one was created.`);
    }
    return;
  }
  const ticket = await ticketOf(task, externalId);
  try {
    const answer = await task.zendesk.write(
      creation,
      "POST",
      "/api/v2/tickets",
      { ticket },
      {
        expect: "ticket",
        headers: { "Idempotency-Key": keyOf(task) },
        intent: intentOf("create", `ticket “${String(ticket.subject ?? "")}”`, null, fieldsIn(ticket)),
        supposed: { ticket: { id: 0, ...ticket } },
      },
    );
    task.result = { kind: "ticket", id: String(idIn((answer?.body.ticket ?? {}) as Wire)) };
  } catch (error) {
    if (isOfAnotherBody(error)) createdOtherwise(externalId);
    throw error;
  }
});

/** Also those that were closed long ago, unless the external id is one of ours, which nobody else can have used. */
async function knownTickets(task: Task, externalId: string): Promise<Wire[]> {
  const listed = await ticketsByExternalId(task, externalId);
  if (listed.length > 0 || textOf(task.command, "external_id") === null) return listed;
  const archived = await archivedTickets(task, externalId);
  if (archived === null) {
    task.notes.push(
      `The connection's login may not search: whether a ticket that was closed long ago has the external id ${externalId} is not known.`,
    );
  }
  return archived ?? [];
}

/** The external id that a ticket is created with: one of ours, by what names the command, where the event has none. */
export function ticketExternalId(command: Command, name: string): string {
  return textOf(command, "external_id") ?? `bellwether:${name}`;
}

/** Living tickets with this external id, oldest first: Zendesk lets several have it. */
export async function ticketsByExternalId(task: Task, externalId: string): Promise<Wire[]> {
  const query = { external_id: externalId };
  const rows = await findRows(task, "find ticket by external id", "/api/v2/tickets", "tickets", query);
  return rows.filter((row) => row.external_id === externalId).sort((a, b) => Number(a.id) - Number(b.id));
}

/** The search has more than was asked for: so many of those that it gives are looked at. */
const mostAsked = 10;

/**
 * Those that were closed long ago: no list has them any more, and the search does (zendesk-api 4.1). Zendesk refuses to change
 * them in its own words (row 100). Null where the login may not search.
 */
export async function archivedTickets(task: Task, externalId: string): Promise<Wire[] | null> {
  const query = { query: `type:ticket external_id:"${externalId.replaceAll('"', " ")}"`, per_page: 100 };
  const rows = await findRows(task, "find archived ticket", "/api/v2/search", "results", query).catch((error) => {
    if (error instanceof ZendeskError && error.status === 403) return null;
    throw error;
  });
  if (rows === null) return null;
  const same = rows.filter((row) => row.external_id === externalId).slice(0, mostAsked);
  const found: Wire[] = [];
  for (const row of same) {
    const ticket = await ticketById(task, String(idIn(row)));
    // The search is late.
    if (ticket?.external_id === externalId) found.push(ticket);
  }
  return found;
}

export async function ticketById(task: Task, id: string): Promise<Wire | null> {
  return isId(id) ? findRow(task, "find ticket by id", `/api/v2/tickets/${id}`, "ticket") : null;
}

async function ticketOf(task: Task, externalId: string): Promise<Record<string, unknown>> {
  const { command } = task;
  const values = await ticketValuesOf(task);
  const fields = await ticketFieldsOf(task);
  const tags = tagsOf(command, "tags");
  const organizationId = textOf(command, "organization_id");
  return {
    ...bodyOf(values),
    comment: commentOf(task),
    external_id: externalId,
    requester_id: wireId(await requesterOf(task)),
    ...(organizationId !== null && { organization_id: wireId(organizationId) }),
    ...(tags.length > 0 && { tags }),
    ...(fields.length > 0 && { custom_fields: fields.map(({ id, value }) => ({ id: wireId(id), value })) }),
  };
}

/** The requester is a user, made beforehand where need be: one that came with the ticket would get a mail from Zendesk. */
export async function requesterOf(task: Task): Promise<string> {
  const person = personOf(task.command, "requester.");
  const { result } = task;
  const { id } = await findOrCreateUser(task, person);
  task.result = result;
  return id;
}

/**
 * The same for every try whose outcome is not known, so that Zendesk knows it again. After one whose values it refused, or
 * after the time for which it remembers, the key is a new one: a corrected ticket is another request.
 */
function keyOf(task: Task): string {
  const { earlier, delivery } = task;
  const old = task.clock().getTime() - keyLasts;
  const over = earlier.filter(
    ({ step, outcome, status, sentAt }) =>
      step === creation && ((outcome === "refused" && status === 422) || sentAt.getTime() < old),
  ).length;
  const suffix = over > 0 ? `:${over}` : "";
  return `${delivery.commandKey.slice(0, 255 - suffix.length)}${suffix}`;
}

function isOfAnotherBody(error: unknown): boolean {
  return error instanceof ZendeskError && error.status === 400 && /IdempotentRequest/.test(error.said);
}

function createdOtherwise(externalId: string): never {
  return leaveOpen(
    "created_otherwise",
    `Zendesk has done an earlier try at this command with other values, and shows no ticket with the external id ${externalId}.`,
    "Look in Zendesk for the ticket: it was deleted, or its external id was changed. Then discard this, or replay it after two hours.",
  );
}

function fieldsIn(ticket: Record<string, unknown>): Wanted[] {
  return Object.entries(ticket).map(([field, value]) => ({ field, value }));
}
