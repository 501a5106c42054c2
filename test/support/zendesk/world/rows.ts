import type { Id } from "./ids.ts";

/** Everything a stand-in account stores. Times are milliseconds since the epoch unless a name says seconds. */

export type Role = "end-user" | "agent" | "admin";
export type Priority = "urgent" | "high" | "normal" | "low" | null;
/** The documented statuses; any other text may be stored, as real accounts do. */
export type Status = "new" | "open" | "pending" | "hold" | "solved" | "closed" | (string & {});

export interface Organization {
  id: Id;
  name: string;
  externalId: string | null;
  domainNames: string[];
  details: string | null;
  notes: string | null;
  groupId: Id | null;
  tags: string[];
  /** By field key. */
  fields: Map<string, unknown>;
  createdAt: number;
  updatedAt: number;
  deletedAt: number | null;
  mergedInto: Id | null;
}

export interface User {
  id: Id;
  name: string;
  email: string | null;
  role: Role;
  customRoleId: Id | null;
  organizationId: Id | null;
  externalId: string | null;
  phone: string | null;
  tags: string[];
  fields: Map<string, unknown>;
  active: boolean;
  suspended: boolean;
  verified: boolean;
  /** Belongs to another account: this one cannot change it. */
  shared: boolean;
  alias: string | null;
  details: string | null;
  notes: string | null;
  timeZone: string;
  defaultGroupId: Id | null;
  createdAt: number;
  updatedAt: number;
  lastLoginAt: number | null;
  /** Merged away or removed for good: by-id answers change, see `permanentlyDeleted`. */
  mergedInto: Id | null;
  permanentlyDeleted: boolean;
  /** From when on the search knows the row and its external id, when that is later. */
  searchableFrom: number;
}

export interface Membership {
  id: Id;
  userId: Id;
  organizationId: Id;
  isDefault: boolean;
  createdAt: number;
  updatedAt: number;
}

export interface Group {
  id: Id;
  name: string;
  description: string;
  isDefault: boolean;
  deleted: boolean;
  createdAt: number;
  updatedAt: number;
}

export interface FieldDefinition {
  id: Id;
  /** Users and organizations have keys; ticket fields are known by id. */
  key: string;
  type: string;
  title: string;
  description: string;
  active: boolean;
  system: boolean;
  /** Ticket fields: a ticket cannot be solved without it. */
  requiredToSolve?: boolean;
  options: { id: Id; name: string; value: string }[];
  createdAt: number;
  updatedAt: number;
}

export interface CustomStatus {
  id: Id;
  category: Exclude<Status, "closed">;
  agentLabel: string;
  endUserLabel: string;
  isDefault: boolean;
  active: boolean;
  createdAt: number;
  updatedAt: number;
}

/** One field changed by one audit. Values are text, ids included, as both the audits and the event export write them. */
export interface Change {
  kind: "Create" | "Change";
  field: string;
  value: string | string[] | null;
  previous: string | string[] | null;
}

export interface Comment {
  body: string;
  isPublic: boolean;
  authorId: Id;
}

export interface Audit {
  /** The first of a run of consecutive ids; its children have the ids that follow. */
  id: number;
  ticketId: Id;
  at: number;
  authorId: Id;
  channel: string;
  /** How a system audit came about: `automation`, `trigger`, `merge`. */
  rel: string | null;
  changes: Change[];
  comment: Comment | null;
  /** From when on the export shows it, when that is later than its stamp. */
  visibleFrom: number;
}

export interface TicketMetrics {
  id: Id;
  reopens: number;
  replies: number;
  assigneeStations: number;
  groupStations: number;
  initiallyAssignedAt: number | null;
  assignedAt: number | null;
  assigneeUpdatedAt: number | null;
  requesterUpdatedAt: number;
  statusUpdatedAt: number;
  latestCommentAt: number;
  firstReplyAt: number | null;
  firstSolvedAt: number | null;
  solvedAt: number | null;
  onHoldMinutes: number;
}

export type TicketSatisfaction =
  | null
  | { score: "unoffered" | "offered" }
  | { id: Id; score: string; comment: string | null; reason: string; reasonId: Id | null };

export interface Ticket {
  id: Id;
  externalId: string | null;
  channel: string;
  type: string | null;
  subject: string;
  description: string;
  priority: Priority | (string & {});
  status: Status;
  customStatusId: Id | null;
  requesterId: Id;
  submitterId: Id;
  assigneeId: Id | null;
  organizationId: Id | null;
  groupId: Id | null;
  tags: string[];
  /** By field id. */
  customFields: Map<Id, unknown>;
  satisfaction: TicketSatisfaction;
  followupIds: Id[];
  isPublic: boolean;
  aiAgent: boolean;
  createdAt: number;
  updatedAt: number;
  /** Whole seconds: the sort key of the export, moved by system changes as well. */
  generatedTimestamp: number;
  deleted: boolean;
  scrubbed: boolean;
  archived: boolean;
  mergedInto: Id | null;
  metrics: TicketMetrics;
  audits: Audit[];
  hiddenFromExport: boolean;
  /** From when on the export shows its newest version, when that is later than its stamp. */
  visibleFrom: number;
}

export interface Rating {
  id: Id;
  ticketId: Id;
  requesterId: Id;
  assigneeId: Id | null;
  groupId: Id | null;
  score: string;
  comment: string | null;
  reason: string | null;
  createdAt: number;
  updatedAt: number;
}

export interface SurveyAnswer {
  kind: "rating_scale" | "closed_ended" | "open_ended";
  /** `customer_satisfaction` marks the one that counts. */
  subType: string;
  rating: number | null;
  category: string | null;
  value: string | null;
  skipped: boolean;
  createdAt: number;
  updatedAt: number;
}

export interface SurveyResponse {
  /** ULID: its order is the order of creation. */
  id: string;
  ticketId: Id;
  responderId: Id;
  createdAt: number;
  expiresAt: number;
  answers: SurveyAnswer[];
}
