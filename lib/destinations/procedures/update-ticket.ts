import {
  bodyOf,
  type Change,
  changesOf,
  intentOf,
  leavingNewer,
  type Wanted,
} from "#lib/destinations/procedures/changes.ts";
import { isNamed, personOf, requiredText, tagsOf, textOf } from "#lib/destinations/procedures/command-fields.ts";
import {
  archivedTickets,
  requesterOf,
  ticketById,
  ticketsByExternalId,
} from "#lib/destinations/procedures/create-ticket.ts";
import { isSameValue } from "#lib/destinations/procedures/field-values.ts";
import { findAll, idIn, wireId } from "#lib/destinations/procedures/rows.ts";
import { addTags, removeTags, tagsIn } from "#lib/destinations/procedures/tags.ts";
import { fail, hold, procedure, sentBefore, type Task } from "#lib/destinations/procedures/task.ts";
import {
  commentOf,
  type TicketField,
  ticketFieldsOf,
  ticketValuesOf,
} from "#lib/destinations/procedures/ticket-values.ts";
import { closedTicket } from "#lib/destinations/refusal-words.ts";
import { isObject } from "#lib/zendesk/answers.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

const update = "update ticket";

/**
 * Changes what differs and adds the comment, unless the ticket was changed since it was read (row 98); then tags are added
 * and removed one by one (C-10, X-12). An earlier try that may have been done is looked for in the ticket's own history.
 */
export const updateTicket = procedure(async (task) => {
  const { command } = task;
  const ticket = await ticketMeant(task);
  const id = String(idIn(ticket));
  task.result = { kind: "ticket", id };
  const comment = commentOf(task);
  const audits = comment ? await auditsOf(task, id) : [];
  if (!isDone(task, audits)) await write(task, ticket, id, { comment, after: newestOf(audits) });
  else if (wasShownOtherwise(task)) await write(task, ticket, id, { comment: null, after: newestOf(audits) });
  if (task.isOvertaken) return leaveTags(task);
  const [added, removed] = [tagsOf(command, "additional_tags"), tagsOf(command, "remove_tags")];
  const had = tagsIn(ticket);
  if (added.some((tag) => !had.includes(tag)) || removed.some((tag) => had.includes(tag))) tellClosed(task, ticket, id);
  const tagged = await addTags(task, "ticket", id, ticket, added);
  await removeTags(task, "ticket", id, tagged, removed);
});

/** Nobody can tell a tag that a later call has removed from one that never was there. */
function leaveTags({ command, notes }: Task): void {
  const tags = [...tagsOf(command, "additional_tags"), ...tagsOf(command, "remove_tags")];
  if (tags.length > 0) notes.push(`A later call was done before: the tags ${tags.join(", ")} were left as they are.`);
}

async function ticketMeant(task: Task): Promise<Wire> {
  const id = textOf(task.command, "id");
  if (id !== null) {
    return (await ticketById(task, id)) ?? notFound(`the id ${id}`);
  }
  const externalId = requiredText(task.command, "external_id");
  const listed = await ticketsByExternalId(task, externalId);
  const [ticket, ...others] =
    listed.length > 0 ? listed : ((await archivedTickets(task, externalId)) ?? notSearched(externalId));
  if (!ticket) return notFound(`the external id ${externalId}`);
  if (others.length > 0) {
    hold(
      "ambiguous_ticket",
      `Several tickets have the external id ${externalId}: ${[ticket, ...others].map((row) => idIn(row)).join(", ")}. Nothing was written.`,
      "Send the ticket's id in properties.ticket_id, or change the external ids in Zendesk; then approve this to look again.",
    );
  }
  return ticket;
}

function notSearched(externalId: string): never {
  return fail(
    "ticket_not_found",
    `Zendesk lists no ticket with the external id ${externalId}. The connection's login may not search for one that was closed long ago.`,
    "Send the id of a ticket that exists, or the external id with which it was created; or give the connection's login the scope “read”. Then replay this.",
  );
}

function notFound(what: string): never {
  return fail(
    "ticket_not_found",
    `Zendesk has no ticket with ${what}.`,
    "Send the id of a ticket that exists, or the external id with which it was created; then replay this.",
  );
}

/** `after`: where the ticket's history ended when it was read. */
async function write(
  task: Task,
  ticket: Wire,
  id: string,
  { comment, after }: { comment: ReturnType<typeof commentOf>; after: string },
): Promise<void> {
  const wanted = [...(await ticketValuesOf(task)), ...(await requesterWanted(task))];
  const differing = [...changesOf(ticket, wanted), ...changedFields(ticket, await ticketFieldsOf(task))];
  const changes = leavingNewer(task, differing);
  if (changes.length === 0 && comment === null) return;
  tellClosed(task, ticket, id);
  noteConflict(task);
  const values = {
    // Kept in the ticket's history, where a later try knows this one again by it; and where that history ended.
    metadata: { bellwether: task.delivery.commandKey, after },
    ...(typeof ticket.updated_at === "string" && { safe_update: true, updated_stamp: ticket.updated_at }),
    ...bodyOf(changes.filter(({ field }) => !field.startsWith("custom_fields."))),
    ...customFields(changes),
    ...(comment && { comment }),
  };
  const said: Wanted[] = comment
    ? [{ field: comment.public ? "public comment" : "private comment", value: comment.body }]
    : [];
  await task.zendesk.write(
    update,
    "PUT",
    `/api/v2/tickets/${id}`,
    { ticket: values },
    {
      endpoint: "ticket_update",
      target: id,
      expect: "ticket",
      intent: intentOf("change", `ticket ${id} “${String(ticket.subject ?? "")}”`, id, [...changes, ...said]),
      supposed: { ticket: { ...ticket, ...bodyOf(changes) } },
    },
  );
}

/** A dry run tells what Zendesk would say (row 100). */
function tellClosed({ isDryRun }: Task, ticket: Wire, id: string): void {
  if (isDryRun && ticket.status === "closed")
    fail("refused", `Zendesk would refuse it: ticket ${id} is closed.`, closedTicket);
}

/** Looked up, and made where the settings allow it, as that of a new ticket; a late call makes and names nobody. */
async function requesterWanted(task: Task): Promise<Wanted[]> {
  if (!isNamed(personOf(task.command, "requester."))) return [];
  if (task.isOvertaken) {
    task.notes.push("A later call was done before: the requester stayed as it is.");
    return [];
  }
  return [{ field: "requester_id", value: wireId(await requesterOf(task)) }];
}

function changedFields(ticket: Wire, fields: readonly TicketField[]): Change[] {
  const current = Array.isArray(ticket.custom_fields) ? ticket.custom_fields.filter(isObject) : [];
  return fields.flatMap(({ id, type, value }) => {
    const from = current.find((field) => idIn(field) === id)?.value ?? null;
    return isSameValue(type, from, value) ? [] : [{ field: `custom_fields.${id}`, type, value, from }];
  });
}

function customFields(changes: readonly Change[]): { custom_fields?: { id: number | string; value: unknown }[] } {
  const custom = changes.filter(({ field }) => field.startsWith("custom_fields."));
  if (custom.length === 0) return {};
  return {
    custom_fields: custom.map(({ field, value }) => ({ id: wireId(field.slice("custom_fields.".length)), value })),
  };
}

/** Row 98: a person is told that somebody else changed the ticket between our look and our write. */
function noteConflict({ earlier, notes }: Task): void {
  const refused = earlier.some(
    ({ step, outcome, status }) => step === update && outcome === "refused" && status === 409,
  );
  if (refused)
    notes.push("Somebody else changed the ticket at the same time: it was read again before it was written.");
}

/** The ticket's history, in which a comment that an earlier try has added stands (row 96). */
async function auditsOf(task: Task, ticketId: string): Promise<Wire[]> {
  return (await findAll(task, "read the ticket's history", `/api/v2/tickets/${ticketId}/audits`, "audits")) ?? [];
}

/**
 * Whether an earlier try has added the comment. Our key in the history tells, also of a try that a database restored from a
 * backup does not know of (row 85). One that Zendesk has answered did; of one whose answer was lost the same comment tells
 * after where the history ended then: nobody else can have written in between, or the guard of that try would have refused
 * it. Fields need no such look: what differs is seen in the ticket.
 */
function isDone(task: Task, audits: readonly Wire[]): boolean {
  const sent = sentBefore(task, update);
  if (sent.some(({ outcome }) => outcome === "done")) return true;
  if (audits.some((audit) => keyIn(audit) === task.delivery.commandKey)) return true;
  return sent.some(({ request }) => {
    const after = endIn(request);
    return audits.some((audit) => isOurs(task, audit, after));
  });
}

/** Zendesk answered an earlier try with values that were not those that were sent: its comment may be there without the rest. */
function wasShownOtherwise({ earlier }: Task): boolean {
  return earlier.some(
    ({ step, isWrite, outcome, status }) =>
      isWrite && step === update && outcome === "unknown" && status !== null && status < 300,
  );
}

/** What the write of a command has left in the history. */
function keyIn({ metadata }: Wire): unknown {
  return isObject(metadata) && isObject(metadata.custom) ? metadata.custom.bellwether : undefined;
}

/** The same comment after where the history ended, by nobody who left a key. */
function isOurs(task: Task, audit: Wire, after: bigint): boolean {
  if (keyIn(audit) !== undefined) return false;
  if (BigInt(idIn(audit) ?? 0) <= after) return false;
  const body = plain(commentOf(task)?.body);
  const events = Array.isArray(audit.events) ? audit.events.filter(isObject) : [];
  return events.some((event) => event.type === "Comment" && plain(event.body) === body);
}

function newestOf(audits: readonly Wire[]): string {
  return String(
    audits.reduce((newest, audit) => (BigInt(idIn(audit) ?? 0) > newest ? BigInt(idIn(audit) ?? 0) : newest), 0n),
  );
}

/** Also of a request that is kept in part only. */
function endIn(request: unknown): bigint {
  const text = typeof request === "string" ? request : JSON.stringify(request ?? null);
  return BigInt(/"after":"(\d+)"/.exec(text)?.[1] ?? 0);
}

const plain = (text: unknown) =>
  String(text ?? "")
    .replace(/\s+/g, " ")
    .trim();
