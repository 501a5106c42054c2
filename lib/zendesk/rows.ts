import { contentHash, hashOfText, idOf, instantOfSeconds, type RowReader, type Wire } from "#lib/zendesk/row-reader.ts";
import type {
  CustomStatusRow,
  FieldRow,
  GroupRow,
  MembershipRow,
  OrganizationRow,
  TicketRow,
  UserRow,
} from "#lib/zendesk/row-types.ts";
import { cleanText, cutAt } from "#lib/zendesk/text.ts";

/*
 * Wire → rows, pure. The wire schemas have already seen the fields without which a row is nothing; all others are read
 * leniently.
 */

/** `payload` is the row as it came. Throws RangeError when it has no instant that could be its version. */
export function ticketRow(read: RowReader, wire: Wire, payload: string): TicketRow {
  const metricSet = read.object(wire, "metric_set");
  const updatedAt = read.instant(wire, "updated_at");
  const version = instantOfSeconds(wire.generated_timestamp) ?? updatedAt;
  if (!version) throw new RangeError("neither generated_timestamp nor updated_at is a date");
  const status = read.text(wire, "status");
  const tags = read.texts(wire, "tags");
  const subject = read.text(wire, "subject");
  const scrubbed = isScrubbed(subject, wire.description);
  const deleted = status === "deleted" || scrubbed;
  const via = read.object(wire, "via");
  return {
    id: idOf(wire.id),
    createdAt: read.instant(wire, "created_at"),
    updatedAt,
    generatedTimestamp: Math.floor(version.getTime() / 1000),
    byId: typeof wire.generated_timestamp !== "number",
    lacksMetrics: wire.metric_set == null,
    solvedAt: metricSet ? read.instant(metricSet, "solved_at") : null,
    deletedAt: deleted ? version : null,
    organizationId: read.id(wire, "organization_id"),
    requesterId: read.id(wire, "requester_id"),
    assigneeId: read.id(wire, "assignee_id"),
    groupId: read.id(wire, "group_id"),
    customStatusId: read.id(wire, "custom_status_id"),
    reopens: metricSet ? read.integer(metricSet, "reopens") : null,
    merged: status === "closed" && tags.includes("closed_by_merge"),
    priority: read.text(wire, "priority"),
    status,
    type: read.text(wire, "type"),
    channel: via ? read.text(via, "channel") : null,
    externalId: read.text(wire, "external_id"),
    subject,
    tags,
    contentHash: hashOfText(payload.replace(addresses, "")),
    // What is left of it may still hold what its customer said of it.
    payload: scrubbed ? "{}" : cleanText(payload, Number.POSITIVE_INFINITY),
  };
}

/** Where Zendesk shows a row is not what it says: an account that is reached by another host has changed nothing. */
const addresses = /"url"\s*:\s*"(?:[^"\\]|\\.)*"/g;

/** What permanent deletion leaves of a ticket (zendesk-api section 3.5). */
function isScrubbed(subject: string | null, description: unknown): boolean {
  return subject === "SCRUBBED" && (description === "X" || description === "SCRUBBED");
}

export function isErasedTicket({ subject, payload }: TicketRow): boolean {
  return subject === "SCRUBBED" && payload === "{}";
}

/** A key that no screen could show and no index hold is left out, with a note (row 58b). */
const longestFieldKey = 255;

export function organizationRow(read: RowReader, wire: Wire): OrganizationRow {
  const row = {
    id: idOf(wire.id),
    name: read.text(wire, "name"),
    externalId: read.text(wire, "external_id"),
    domainNames: read.texts(wire, "domain_names"),
    groupId: read.id(wire, "group_id"),
    createdAt: read.instant(wire, "created_at"),
    updatedAt: read.instant(wire, "updated_at"),
    deletedAt: read.instant(wire, "deleted_at"),
    fields: fieldValues(read, read.object(wire, "organization_fields")),
  };
  const { name, externalId, groupId, createdAt, updatedAt, deletedAt } = row;
  const lists = JSON.stringify([row.domainNames, row.fields]);
  return { ...row, contentHash: contentHash(name, externalId, groupId, createdAt, updatedAt, deletedAt, lists) };
}

function fieldValues(read: RowReader, values: Wire | null): [key: string, value: string][] {
  const fields = new Map<string, string>();
  for (const [name, value] of Object.entries(values ?? {})) {
    const text = read.anyText(`organization_fields.${name}`, value);
    const key = read.clean(name);
    if (text === null) continue;
    if (key.length > longestFieldKey) read.note("organization_fields", cutAt(key, 40), "read: the key is too long");
    else fields.set(key, text);
  }
  return [...fields].sort(([a], [b]) => (a < b ? -1 : 1));
}

/** A deleted user stays, inactive: tickets still name it (row 29). */
export function userRow(read: RowReader, wire: Wire): UserRow {
  const updatedAt = read.instant(wire, "updated_at");
  const active = read.boolean(wire, "active");
  const row = {
    id: idOf(wire.id),
    name: read.text(wire, "name"),
    email: read.text(wire, "email"),
    role: read.text(wire, "role"),
    organizationId: read.id(wire, "organization_id"),
    externalId: read.text(wire, "external_id"),
    active,
    suspended: read.boolean(wire, "suspended"),
    createdAt: read.instant(wire, "created_at"),
    updatedAt,
    deletedAt: active === false ? updatedAt : null,
  };
  return { ...row, contentHash: contentHash(...Object.values(row)) };
}

/** What permanent deletion leaves of a user (zendesk-api section 6.2). */
export function isErasedUser({ name, active }: UserRow): boolean {
  return name === "Permanently Deleted User" && active === false;
}

/** Zendesk writes null for a membership that is not the default one. */
export function membershipRow(read: RowReader, wire: Wire): MembershipRow {
  return {
    id: idOf(wire.id),
    userId: idOf(wire.user_id),
    organizationId: idOf(wire.organization_id),
    isDefault: read.boolean(wire, "default") === true,
    updatedAt: read.instant(wire, "updated_at"),
  };
}

export function groupRow(read: RowReader, wire: Wire): GroupRow {
  const updatedAt = read.instant(wire, "updated_at");
  const row = {
    id: idOf(wire.id),
    name: read.text(wire, "name"),
    updatedAt,
    deletedAt: wire.deleted === true ? (updatedAt ?? new Date(0)) : null,
  };
  return { ...row, contentHash: contentHash(...Object.values(row)) };
}

export function fieldRow(read: RowReader, wire: Wire, subject: FieldRow["subject"]): FieldRow {
  const row = {
    subject,
    id: idOf(wire.id),
    key: read.text(wire, "key"),
    title: read.text(wire, "title"),
    type: read.text(wire, "type"),
    active: read.boolean(wire, "active"),
    updatedAt: read.instant(wire, "updated_at"),
  };
  return { ...row, contentHash: contentHash(...Object.values(row)) };
}

export function customStatusRow(read: RowReader, wire: Wire): CustomStatusRow {
  const row = {
    id: idOf(wire.id),
    category: read.text(wire, "status_category"),
    label: read.text(wire, "agent_label"),
    active: read.boolean(wire, "active"),
    updatedAt: read.instant(wire, "updated_at"),
  };
  return { ...row, contentHash: contentHash(...Object.values(row)) };
}
