import type { Id } from "./ids.ts";
import type { Change, Priority, Status, Ticket } from "./rows.ts";
import type { World } from "./world.ts";

export interface TicketChanges {
  subject?: string;
  priority?: Priority | (string & {});
  status?: Status;
  customStatusId?: Id;
  type?: string | null;
  requesterId?: Id;
  assigneeId?: Id | null;
  organizationId?: Id | null;
  groupId?: Id | null;
  externalId?: string | null;
  tags?: string[];
  /** By field id; other fields stay. */
  customFields?: Record<Id, unknown>;
}

const wireNames = {
  subject: "subject",
  priority: "priority",
  status: "status",
  customStatusId: "custom_status_id",
  type: "type",
  requesterId: "requester_id",
  assigneeId: "assignee_id",
  organizationId: "organization_id",
  groupId: "group_id",
  externalId: "external_id",
  tags: "tags",
} as const satisfies Partial<Record<keyof Ticket, string>>;

type Column = keyof typeof wireNames;
const columns = Object.keys(wireNames) as Column[];

/** The `Create` children of a new ticket: one for each field that was set. */
export function creationChanges(ticket: Ticket): Change[] {
  const changes: Change[] = [];
  for (const column of columns) {
    const value = asText(ticket[column]);
    if (value === null || value.length === 0) continue;
    changes.push({ kind: "Create", field: wireNames[column], value, previous: null });
  }
  for (const [id, value] of ticket.customFields) {
    changes.push({ kind: "Create", field: id, value: asText(value), previous: null });
  }
  return changes;
}

/** Applies changes to a ticket, status and custom status together, and names those that changed something. */
export function changesOf(world: World, ticket: Ticket, requested: TicketChanges): Change[] {
  const wanted = withStatus(world, ticket, requested);
  const changes: Change[] = [];
  for (const column of columns) {
    const value = wanted[column];
    if (value === undefined) continue;
    const before = asText(ticket[column]);
    const after = asText(value);
    if (same(before, after)) continue;
    Object.assign(ticket, { [column]: value });
    changes.push({ kind: "Change", field: wireNames[column], value: after, previous: before });
  }
  for (const [id, value] of Object.entries(wanted.customFields ?? {})) {
    const before = asText(ticket.customFields.get(id) ?? null);
    const after = asText(value);
    if (same(before, after)) continue;
    ticket.customFields.set(id, value);
    changes.push({ kind: "Change", field: id, value: after, previous: before });
  }
  return changes;
}

/** A custom status brings its category, a status its default custom status, and the first assignment opens a ticket. */
function withStatus(world: World, ticket: Ticket, requested: TicketChanges): TicketChanges {
  const custom = world.definitions.customStatuses.get(requested.customStatusId ?? "");
  if (custom !== undefined) return { ...requested, status: requested.status ?? custom.category };
  const opened = requested.assigneeId != null && ticket.status === "new" ? "open" : undefined;
  const status = requested.status ?? opened;
  if (status === undefined || status === ticket.status) return requested;
  const customStatusId = world.definitions.defaultStatusId(status);
  return { ...requested, status, ...(customStatusId !== null && { customStatusId }) };
}

function asText(value: unknown): string | string[] | null {
  if (value === null || value === undefined) return null;
  if (Array.isArray(value)) return value.map(String);
  return String(value);
}

function same(left: string | string[] | null, right: string | string[] | null): boolean {
  if (Array.isArray(left) && Array.isArray(right)) return left.join("\n") === right.join("\n");
  return left === right;
}
