import { ticketRow } from "../wire/tickets.ts";
import { isoSeconds } from "../world/clock.ts";
import { compareIds, type Id } from "../world/ids.ts";
import type { Audit, Ticket } from "../world/rows.ts";
import type { TicketChanges } from "../world/ticket-changes.ts";
import type { Circumstances } from "../world/tickets.ts";
import type { World } from "../world/world.ts";
import { refusal } from "./answer.ts";
import { type CustomValues, tagsAfter, valuesById } from "./custom-values.ts";
import { Complaints, difference, type Given, isGiven, pick, recordInvalid, same, tagsOf, textOf } from "./given.ts";
import type { Call } from "./routes.ts";
import { createUser } from "./user-writes.ts";

const choices = {
  status: ["new", "open", "pending", "hold", "solved", "closed"],
  priority: ["urgent", "high", "normal", "low"],
  type: ["problem", "incident", "question", "task"],
} as const;

type CommentGiven = NonNullable<Circumstances["comment"]>;

/** Writes a new ticket; its first comment is required. */
export function createTicket(call: Call, given: Given): Ticket {
  const { world } = call.request;
  const complaints = new Complaints();
  const fields = valuesById(world, given.custom_fields, complaints);
  const changes = readChanges(world, given, complaints);
  const comment = readComment(world, given.comment, complaints);
  if (comment === undefined) complaints.add("base", "Description: cannot be blank", "BlankValue");
  const requester = world.users.byId.get(changes.requesterId ?? "");
  if (requester?.suspended)
    complaints.add("requester", `Requester: ${requester.name} is suspended.`, "RequesterSuspended");
  complaints.raise();
  const requesterId = changes.requesterId ?? requesterNamed(call, given.requester) ?? call.caller.user?.id;
  const ticket = world.tickets.create(
    {
      ...(changes as Partial<Ticket>),
      ...(requesterId !== undefined && { requesterId }),
      tags: tagsAfter(tagsOf(given.tags) ?? [], fields),
      customFields: fields.values,
      subject: changes.subject ?? "",
      channel: "api",
    },
    { by: callerId(call), channel: "api", ...(comment && { comment }) },
  );
  call.note("ticket.created", ticket.id, {
    ...pick(row(call, ticket), ["requester_id", "external_id", ...Object.keys(given)]),
    comment: { body: comment?.body, public: comment?.isPublic },
  });
  return ticket;
}

/** Writes what is given. Closed tickets take nothing; tags are replaced whole. Answers the audit, if there is one. */
export function updateTicket(call: Call, ticket: Ticket, given: Given): Audit | undefined {
  const { world } = call.request;
  guard(ticket, given);
  refuseClosed(ticket);
  const complaints = new Complaints();
  const fields = valuesById(world, given.custom_fields, complaints);
  const changes = readChanges(world, given, complaints);
  const comment = readComment(world, given.comment, complaints);
  if (changes.status === "solved") requireFields(world, ticket, fields, complaints);
  complaints.raise();
  const tags = tagsAfter(tagsOf(given.tags) ?? ticket.tags, fields);
  return write(call, ticket, { ...changes, tags, customFields: fields.values }, comment);
}

/** Another set of tags, in an audit of its own. */
export function setTags(call: Call, ticket: Ticket, given: Given, tags: string[]): void {
  guard(ticket, given);
  refuseClosed(ticket);
  write(call, ticket, { tags }, undefined);
}

function write(
  call: Call,
  ticket: Ticket,
  changes: TicketChanges,
  comment: CommentGiven | undefined,
): Audit | undefined {
  const before = row(call, ticket);
  const audits = ticket.audits.length;
  const circumstances = { by: callerId(call), channel: "api", ...(comment && { comment }) };
  call.request.world.tickets.update(ticket.id, changes, circumstances);
  if (ticket.audits.length === audits) return undefined;
  const said = comment && { comment: { body: comment.body, public: comment.isPublic } };
  call.note("ticket.updated", ticket.id, { ...difference(before, row(call, ticket)), ...said });
  return ticket.audits.at(-1);
}

/** `safe_update` is on with any value, even false: the ticket must be as it was when it was read. */
function guard(ticket: Ticket, given: Given): void {
  if (given.safe_update === undefined) return;
  const stamp = Date.parse(String(given.updated_stamp ?? ""));
  if (!Number.isNaN(stamp) && isoSeconds(stamp) === isoSeconds(ticket.updatedAt)) return;
  throw refusal(409, "UpdateConflict", "Safe Update prevented the update due to outdated ticket data.");
}

function refuseClosed(ticket: Ticket): void {
  if (ticket.status === "closed")
    throw recordInvalid({ status: [{ description: "Status: closed prevents ticket update" }] });
}

function readChanges(world: World, given: Given, complaints: Complaints): TicketChanges {
  const read: TicketChanges = {};
  for (const [name, values] of Object.entries(choices)) {
    const text = textOf(given[name]);
    if (text === undefined || (text === null && name === "status")) continue;
    if (text === null || (values as readonly string[]).includes(text)) Object.assign(read, { [name]: text });
    else complaints.add(name, `${name}: ${text} is not valid`, "InvalidValue");
  }
  const subject = textOf(given.subject);
  if (subject !== undefined) read.subject = subject ?? "";
  const externalId = textOf(given.external_id);
  if (externalId !== undefined) read.externalId = externalId;
  const customStatusId = textOf(given.custom_status_id);
  if (customStatusId != null) {
    if (world.definitions.customStatuses.has(customStatusId)) read.customStatusId = customStatusId;
    else complaints.add("custom_status_id", "Custom status: is invalid", "InvalidValue");
  }
  readLinks(world, given, read, complaints);
  return read;
}

/** Ids of other rows: each has to exist, and an assignee has to be an agent. */
function readLinks(world: World, given: Given, read: TicketChanges, complaints: Complaints): void {
  const isAgent = (id: Id) => (world.users.byId.get(id)?.role ?? "end-user") !== "end-user";
  const links = [
    ["requester_id", "requesterId", "requester", (id: Id) => world.users.byId.get(id)?.active ?? false],
    ["assignee_id", "assigneeId", "assignee", isAgent],
    ["group_id", "groupId", "group", (id: Id) => world.definitions.groups.get(id)?.deleted === false],
    [
      "organization_id",
      "organizationId",
      "organization",
      (id: Id) => world.organizations.byId.get(id)?.deletedAt === null,
    ],
  ] as const;
  for (const [name, column, complained, exists] of links) {
    const id = textOf(given[name]);
    if (id === undefined || (id === null && column === "requesterId")) continue;
    if (id === null || exists(id)) Object.assign(read, { [column]: id });
    else complaints.add(complained, `${complained}: ${id} is not valid`, "InvalidValue");
  }
}

function readComment(world: World, given: unknown, complaints: Complaints): CommentGiven | undefined {
  if (given === undefined || given === null) return undefined;
  const { body, html_body, public: isPublic, author_id }: Given = isGiven(given) ? given : { body: given };
  const text = textOf(body) ?? textOf(html_body);
  if (text == null) return undefined;
  const authorId = textOf(author_id);
  if (authorId != null && !world.users.byId.get(authorId)?.active) {
    complaints.add("author_id", "Author: is not valid", "InvalidValue");
  }
  return {
    body: text,
    isPublic: isPublic === undefined ? world.settings.publicComments : isPublic !== false && isPublic !== "false",
    ...(authorId != null && { authorId }),
  };
}

/** `requester: {name, email}`: the user of that address, or a new one. */
function requesterNamed(call: Call, given: unknown): Id | undefined {
  if (!isGiven(given)) return undefined;
  const email = textOf(given.email);
  const known = email == null ? undefined : call.request.world.identities.ownerOf(email);
  return (known ?? createUser(call, { ...given, verified: false })).id;
}

function requireFields(world: World, ticket: Ticket, { values }: CustomValues, complaints: Complaints): void {
  for (const field of world.definitions.fields.ticket.values()) {
    if (!field.requiredToSolve) continue;
    const value = field.id in values ? values[field.id] : ticket.customFields.get(field.id);
    if (value == null || same(value, false)) {
      complaints.add("base", `${field.title}: is required when solving a ticket`, "BlankValue");
    }
  }
}

export function livingTicket(world: World, id: string): Ticket | undefined {
  const ticket = world.tickets.byId.get(id);
  return ticket === undefined || ticket.deleted ? undefined : ticket;
}

/** Living tickets that lists show, by id. */
export function listedTickets(world: World, wanted: (ticket: Ticket) => boolean): Ticket[] {
  return [...world.tickets.byId.values()]
    .filter((ticket) => !ticket.deleted && !ticket.archived && wanted(ticket))
    .sort((left, right) => compareIds(left.id, right.id));
}

function callerId(call: Call): Id {
  return call.caller.user?.id ?? call.request.world.adminId;
}

export function row({ request }: Call, ticket: Ticket): Given {
  return ticketRow(request.world, request.base, ticket, "plain");
}
