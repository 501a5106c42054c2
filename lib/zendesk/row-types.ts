/**
 * What `rows.ts` makes of the wire and the stores take: plain values, cleaned text, ids as text. `contentHash` is a signed
 * 64-bit integer (as text) over everything the row stores: it decides between equal versions (row 19).
 */

export interface TicketRow {
  id: string;
  createdAt: Date | null;
  updatedAt: Date | null;
  /** Unix seconds; the version of a ticket. A ticket fetched by id has no such stamp: its updated_at stands in. */
  generatedTimestamp: number;
  byId?: boolean;
  /** It came without its metric set, and says nothing of what that tells. */
  lacksMetrics?: boolean;
  /** From the embedded metric set; null when not solved or not known. */
  solvedAt: Date | null;
  /** Set for status `deleted` and for scrubbed rows. */
  deletedAt: Date | null;
  organizationId: string | null;
  requesterId: string | null;
  assigneeId: string | null;
  groupId: string | null;
  customStatusId: string | null;
  reopens: number | null;
  merged: boolean;
  priority: string | null;
  status: string | null;
  type: string | null;
  channel: string | null;
  externalId: string | null;
  subject: string | null;
  tags: string[];
  contentHash: string;
  /** The row as it came, cleaned. */
  payload: string;
}

export interface OrganizationRow {
  id: string;
  name: string | null;
  externalId: string | null;
  domainNames: string[];
  groupId: string | null;
  createdAt: Date | null;
  updatedAt: Date | null;
  deletedAt: Date | null;
  /** Custom field values as text; null values are left out. */
  fields: [key: string, value: string][];
  contentHash: string;
}

export interface UserRow {
  id: string;
  name: string | null;
  email: string | null;
  role: string | null;
  organizationId: string | null;
  externalId: string | null;
  active: boolean | null;
  suspended: boolean | null;
  createdAt: Date | null;
  updatedAt: Date | null;
  deletedAt: Date | null;
  contentHash: string;
}

export interface MembershipRow {
  id: string;
  userId: string;
  organizationId: string;
  isDefault: boolean;
  updatedAt: Date | null;
}

export interface RatingRow {
  system: "legacy" | "survey";
  id: string;
  ticketId: string;
  /** Zendesk's own word, kept whatever it is. */
  score: string | null;
  /** good | neutral | bad where it counts, else null. */
  category: "good" | "neutral" | "bad" | null;
  comment: string | null;
  /** The instant of the answer. */
  ratedAt: Date | null;
  createdAt: Date | null;
  updatedAt: Date | null;
  contentHash: string;
}

export interface TicketEventRow {
  /** Id of the audit event. */
  id: string;
  field: TicketEventField;
  ticketId: string;
  occurredAt: Date;
  /** `create`: the value at creation; `change`: from `previous` to `value`. */
  kind: "create" | "change";
  value: string | null;
  previous: string | null;
  updaterId: string | null;
}
/** `created` marks the creation itself, whether or not any field below was set then. */
export type TicketEventField =
  | "created"
  | "status"
  | "custom_status_id"
  | "priority"
  | "organization_id"
  | "group_id"
  | "assignee_id"
  | "requester_id";

export interface GroupRow {
  id: string;
  name: string | null;
  updatedAt: Date | null;
  deletedAt: Date | null;
  contentHash: string;
}

export interface FieldRow {
  subject: "ticket" | "user" | "organization";
  id: string;
  key: string | null;
  title: string | null;
  type: string | null;
  active: boolean | null;
  updatedAt: Date | null;
  contentHash: string;
}

export interface CustomStatusRow {
  id: string;
  category: string | null;
  label: string | null;
  active: boolean | null;
  updatedAt: Date | null;
  contentHash: string;
}
