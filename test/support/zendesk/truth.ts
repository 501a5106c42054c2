import { isoSeconds, seconds } from "./world/clock.ts";
import type { FieldOwner } from "./world/definitions.ts";
import type { Id } from "./world/ids.ts";
import type { Audit, CustomStatus, FieldDefinition, Membership, Organization, Ticket, User } from "./world/rows.ts";
import type { World } from "./world/world.ts";

/** What a reader of the account has to arrive at. Times are ISO-8601, to the second where the API gives seconds. */
export interface Truth {
  tickets: TrueTicket[];
  /** Living ones; `gone` names those that were deleted or merged away. */
  organizations: TrueOrganization[];
  goneOrganizations: { id: Id; mergedInto: Id | null }[];
  users: TrueUser[];
  memberships: TrueMembership[];
  groups: { id: Id; name: string; deleted: boolean }[];
  /** Those of today: Zendesk shows a deleted field nowhere. */
  fields: TrueField[];
  customStatuses: TrueCustomStatus[];
  /** One a ticket: the latest answer of both systems, whatever its score. Tickets that were only asked have none. */
  answers: TrueAnswer[];
  /** What each system shows of every ticket, whatever its score, and whether somebody answered. */
  ratings: TrueRating[];
  /** From the audits that the export shows by now: each change of a field that the timeline reads. */
  events: TrueEvent[];
  /** From the audits: each (ticket, kind, second) once, in order. */
  transitions: Transition[];
}

export interface TrueTicket {
  id: Id;
  externalId: string | null;
  subject: string;
  status: string;
  priority: string | null;
  type: string | null;
  createdAt: string;
  updatedAt: string;
  generatedTimestamp: number;
  organizationId: Id | null;
  requesterId: Id;
  assigneeId: Id | null;
  groupId: Id | null;
  customStatusId: Id | null;
  tags: string[];
  solvedAt: string | null;
  reopens: number;
  deleted: boolean;
  scrubbed: boolean;
  merged: boolean;
  archived: boolean;
}

export interface TrueOrganization {
  id: Id;
  name: string;
  externalId: string | null;
  domainNames: string[];
  tags: string[];
  fields: Record<string, unknown>;
  updatedAt: string;
}

export interface TrueUser {
  id: Id;
  name: string;
  email: string | null;
  externalId: string | null;
  role: string;
  organizationId: Id | null;
  active: boolean;
  suspended: boolean;
  /** Merged into another user: inactive in the export, gone by id. */
  mergedInto: Id | null;
  updatedAt: string;
}

export interface TrueMembership {
  id: Id;
  userId: Id;
  organizationId: Id;
  isDefault: boolean;
  updatedAt: string;
}

export interface TrueField {
  id: Id;
  subject: FieldOwner;
  /** Null for ticket fields, which have none. */
  key: string | null;
  title: string;
  type: string;
  active: boolean;
  updatedAt: string;
}

export interface TrueCustomStatus {
  id: Id;
  category: string;
  /** What agents read. */
  label: string;
  active: boolean;
  updatedAt: string;
}

export interface TrueAnswer {
  ticketId: Id;
  system: "legacy" | "survey";
  score: string;
  comment: string | null;
  /** Survey answers have milliseconds. */
  at: string;
}

export interface TrueRating {
  /** System and id, which either of them gives. */
  id: string;
  ticketId: Id;
  score: string | null;
  /** Null where the score counts nowhere. */
  category: "good" | "neutral" | "bad" | null;
  /** Gone with its ticket's content. */
  comment: string | null;
  ratedAt: string | null;
  updatedAt: string | null;
}

export interface TrueEvent {
  /** Audit, field, and the how manieth change of it within the audit. */
  id: string;
  ticketId: Id;
  at: string;
  kind: "create" | "change";
  value: string | null;
  /** Null where the account does not tell. */
  previous: string | null;
  updaterId: Id;
}

export interface Transition {
  ticketId: Id;
  kind: "ticket_created" | "ticket_escalated" | "ticket_solved" | "ticket_reopened";
  at: string;
  /** Right after the audit. */
  priority: string | null;
  /** The priority right after the audit is one of the top ones. */
  top: boolean;
}

const unsolved = new Set(["new", "open", "pending", "hold"]);

/** The account's rows now, deleted ones flagged, each list by id. */
export function truth(world: World, topPriorities: readonly string[] = ["urgent", "high"]): Truth {
  const organizations = [...world.organizations.byId.values()];
  const tickets = [...world.tickets.byId.values()];
  const gone = organizations.filter((row) => row.deletedAt !== null);
  return {
    tickets: byId(tickets.map(trueTicket)),
    organizations: byId(organizations.filter((row) => row.deletedAt === null).map(trueOrganization)),
    goneOrganizations: byId(gone.map(({ id, mergedInto }) => ({ id, mergedInto }))),
    users: byId([...world.users.byId.values()].map(trueUser)),
    memberships: byId([...world.users.memberships.values()].map(trueMembership)),
    groups: byId([...world.definitions.groups.values()].map(({ id, name, deleted }) => ({ id, name, deleted }))),
    fields: byId(
      (["ticket", "user", "organization"] as const).flatMap((subject) =>
        Array.from(world.definitions.fields[subject].values(), (field) => trueField(subject, field)),
      ),
    ),
    customStatuses: byId([...world.definitions.customStatuses.values()].map(trueCustomStatus)),
    answers: latestAnswers(world),
    ratings: [...legacyRatings(world), ...surveyRatings(world)].sort((a, b) => (a.id < b.id ? -1 : 1)),
    events: tickets
      .filter(({ aiAgent }) => !aiAgent)
      .flatMap(({ audits }) => audits.filter((audit) => isShown(world, audit)))
      .flatMap((audit) => eventsOf(world, audit))
      .sort((a, b) => (a.id < b.id ? -1 : 1)),
    transitions: tickets.flatMap((ticket) => transitionsOf(ticket, topPriorities)).sort(inTime),
  };
}

/** The moments that the definitions name, read off one ticket's audits. */
export function transitionsOf(ticket: Ticket, topPriorities: readonly string[]): Transition[] {
  const found = new Map<string, Transition>();
  let status: string | null = null;
  let priority: string | null = null;
  const audits = [...ticket.audits].sort((a, b) => seconds(a.at) - seconds(b.at) || a.id - b.id);
  for (const audit of audits) {
    const before = { status, priority };
    status = valueAfter(audit, "status", status);
    priority = valueAfter(audit, "priority", priority);
    const top = topPriorities.includes(priority ?? "");
    const kinds: Transition["kind"][] = [];
    if (audit === audits[0]) kinds.push("ticket_created");
    else if (top && !topPriorities.includes(before.priority ?? "")) kinds.push("ticket_escalated");
    if (status === "solved" && before.status !== "solved") kinds.push("ticket_solved");
    if (before.status === "solved" && unsolved.has(status ?? "")) kinds.push("ticket_reopened");
    for (const kind of kinds) {
      const at = isoSeconds(audit.at);
      const key = `${kind}${at}`;
      if (!found.has(key)) found.set(key, { ticketId: ticket.id, kind, at, priority, top });
    }
  }
  return [...found.values()];
}

/** Deletion is no status of the ticket's own. */
function valueAfter(audit: Audit, field: string, before: string | null): string | null {
  const value = audit.changes.find((change) => change.field === field)?.value;
  return value === undefined || Array.isArray(value) || value === "deleted" ? before : value;
}

function latestAnswers(world: World): TrueAnswer[] {
  const latest = new Map<Id, { at: number; answer: TrueAnswer }>();
  const offer = (at: number, answer: TrueAnswer): void => {
    const known = latest.get(answer.ticketId);
    if (known === undefined || known.at <= at) latest.set(answer.ticketId, { at, answer });
  };
  for (const { ticketId, score, comment, updatedAt } of world.ratings.legacy.all()) {
    if (score === "offered" || score === "unoffered") continue;
    offer(updatedAt, { ticketId, system: "legacy", score, comment, at: isoSeconds(updatedAt) });
  }
  for (const { ticketId, answers } of world.ratings.surveys()) {
    const counted = answers.find((answer) => answer.subType === "customer_satisfaction");
    if (counted === undefined || counted.category === null) continue;
    const comment = answers.find((answer) => answer.kind === "open_ended")?.value ?? null;
    const at = new Date(counted.updatedAt).toISOString();
    offer(counted.updatedAt, { ticketId, system: "survey", score: counted.category, comment, at });
  }
  return [...latest.values()].map(({ answer }) => answer).sort((a, b) => compare(a.ticketId, b.ticketId));
}

function legacyRatings(world: World): TrueRating[] {
  return world.ratings.legacy.all().map(({ id, ticketId, score, comment, updatedAt }) => {
    const category = categoryOf(score);
    const at = isoSeconds(updatedAt);
    return {
      id: `legacy:${id}`,
      ticketId,
      score,
      category,
      comment: isForgotten(world, ticketId) ? null : comment,
      ratedAt: category && at,
      updatedAt: at,
    };
  });
}

function surveyRatings(world: World): TrueRating[] {
  return world.ratings.surveys().map(({ id, ticketId, answers }) => {
    const given = answers.filter(({ skipped }) => !skipped);
    const answer = given.find(({ subType }) => subType === "customer_satisfaction");
    const score = answer?.category ?? null;
    const category = categoryOf(score);
    const comment = given.find(({ kind }) => kind === "open_ended")?.value ?? null;
    const newest = Math.max(...answers.map(({ updatedAt }) => updatedAt));
    return {
      id: `survey:${id}`,
      ticketId,
      score,
      category,
      comment: isForgotten(world, ticketId) ? null : comment,
      ratedAt: answer && category ? iso(answer.updatedAt) : null,
      updatedAt: answers.length > 0 ? iso(newest) : null,
    };
  });
}

/** Legacy ratings know no neutral one. */
const categoryOf = (score: string | null) => (["good", "neutral", "bad"] as const).find((one) => one === score) ?? null;

/** Row 26. */
const isForgotten = (world: World, ticketId: Id) => world.tickets.byId.get(ticketId)?.scrubbed ?? true;

/** To the millisecond, where there are any. */
const iso = (at: number) => new Date(at).toISOString().replace(".000Z", "Z");

/** The fields whose changes the timeline reads; named here once more, since what the product keeps is judged by it. */
const eventFields: ReadonlySet<string> = new Set([
  "status",
  "custom_status_id",
  "priority",
  "organization_id",
  "group_id",
  "assignee_id",
  "requester_id",
]);

/** Whether something of it is stored. */
export const isKept = ({ changes }: Audit) =>
  changes.some(({ kind, field }) => kind === "Create" || eventFields.has(field));

/** The export withholds the newest minute. */
const isShown = (world: World, { at, visibleFrom }: Audit) =>
  seconds(at) <= seconds(world.now() - world.settings.withheld) && visibleFrom <= world.now();

function eventsOf(world: World, { id, ticketId, at, authorId, changes }: Audit): TrueEvent[] {
  const event = { ticketId, at: isoSeconds(at), updaterId: authorId };
  const kept = changes.filter(({ field }) => eventFields.has(field));
  const rows = kept.map(({ kind, field, value, previous }) => ({
    field,
    kind: kind === "Create" ? ("create" as const) : ("change" as const),
    value: value === null ? null : String(value),
    previous: kind === "Change" && world.settings.previousValues && previous !== null ? String(previous) : null,
  }));
  const created = { field: "created", kind: "create" as const, value: null, previous: null };
  const all = changes.some(({ kind }) => kind === "Create") ? [created, ...rows] : rows;
  // The same change told twice is one.
  const distinct = [...new Map(all.map((row) => [JSON.stringify(row), row])).values()];
  return distinct.map(({ field, ...row }, index) => {
    const position = distinct.slice(0, index).filter((other) => other.field === field).length;
    return { id: `${id}:${field}:${position}`, ...event, ...row };
  });
}

function trueTicket(ticket: Ticket): TrueTicket {
  return {
    id: ticket.id,
    externalId: ticket.externalId,
    subject: ticket.subject,
    status: ticket.deleted ? "deleted" : ticket.status,
    priority: ticket.priority,
    type: ticket.type,
    createdAt: isoSeconds(ticket.createdAt),
    updatedAt: isoSeconds(ticket.updatedAt),
    generatedTimestamp: ticket.generatedTimestamp,
    organizationId: ticket.organizationId,
    requesterId: ticket.requesterId,
    assigneeId: ticket.assigneeId,
    groupId: ticket.groupId,
    customStatusId: ticket.customStatusId,
    tags: ticket.tags,
    solvedAt: ticket.metrics.solvedAt === null ? null : isoSeconds(ticket.metrics.solvedAt),
    reopens: ticket.metrics.reopens,
    deleted: ticket.deleted,
    scrubbed: ticket.scrubbed,
    merged: ticket.mergedInto !== null,
    archived: ticket.archived,
  };
}

function trueOrganization(organization: Organization): TrueOrganization {
  const { id, name, externalId, domainNames, tags, fields, updatedAt } = organization;
  return {
    id,
    name,
    externalId,
    domainNames,
    tags,
    fields: Object.fromEntries(fields),
    updatedAt: isoSeconds(updatedAt),
  };
}

function trueUser(user: User): TrueUser {
  const { id, name, email, externalId, role, organizationId, active, suspended, mergedInto } = user;
  const updatedAt = isoSeconds(user.updatedAt);
  return { id, name, email, externalId, role, organizationId, active, suspended, mergedInto, updatedAt };
}

function trueMembership({ id, userId, organizationId, isDefault, updatedAt }: Membership): TrueMembership {
  return { id, userId, organizationId, isDefault, updatedAt: isoSeconds(updatedAt) };
}

function trueField(subject: FieldOwner, { id, key, title, type, active, updatedAt }: FieldDefinition): TrueField {
  return { id, subject, key: subject === "ticket" ? null : key, title, type, active, updatedAt: isoSeconds(updatedAt) };
}

function trueCustomStatus({ id, category, agentLabel, active, updatedAt }: CustomStatus): TrueCustomStatus {
  return { id, category, label: agentLabel, active, updatedAt: isoSeconds(updatedAt) };
}

function byId<Row extends { id: Id }>(rows: Row[]): Row[] {
  return rows.sort((left, right) => compare(left.id, right.id));
}

function compare(left: Id, right: Id): number {
  const a = BigInt(left);
  const b = BigInt(right);
  return a < b ? -1 : a > b ? 1 : 0;
}

function inTime(left: Transition, right: Transition): number {
  return left.at < right.at ? -1 : left.at > right.at ? 1 : compare(left.ticketId, right.ticketId);
}
