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
