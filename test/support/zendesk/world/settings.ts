import type { Priority } from "./rows.ts";

/** How one account behaves where real accounts differ, or where nobody knows. Tests switch these; defaults are the likeliest. */
export interface WorldSettings {
  /** The satisfaction system that the account runs now. */
  satisfaction: "legacy" | "survey" | "none";
  /** A changed legacy rating: the same row again, or a row of its own. */
  ratingMode: "mutate" | "new-record";
  /** What the two rating endpoints answer; `auto` follows what the account runs or has run. */
  legacyEndpoint: "auto" | 200 | 403 | 404;
  surveyEndpoint: "auto" | 200 | 403 | 404;
  /** Days in which a survey can be answered or changed. */
  surveyDays: number;
  /** The organization export shows deleted rows and a `deleted_at`. */
  deletedOrganizationsInExport: boolean;
  /** Deleting and restoring write an audit of `status`. */
  deletionAudits: boolean;
  /** Children of the event export carry `previous_value`. */
  previousValues: boolean;
  /** One second that fills a page of a time export comes whole; off: such a page makes no progress. */
  overflowPage: boolean;
  /** `late`: a full last page says false and an empty page with true follows. */
  endOfStream: "exact" | "late";
  /** Rows that an export gives at most on one page, however many were asked for. */
  exportPage: number;
  /** `end_time` of an empty page. */
  emptyEndTime: "echo" | "null";
  /** Working tickets of a user who leaves an organization. */
  leaverTickets: "null" | "default";
  /** Working tickets of a deleted organization. */
  deletedOrganizationTickets: "null" | "keep";
  /** What a login below admin gets from admin endpoints: 403, or the given share of the rows. */
  agentSees: "forbidden" | number;
  /** Milliseconds that the ticket exports are behind. */
  withheld: number;
  /** Count endpoints answer while they are still counting. */
  countsPending: boolean;
  /** Webhooks can subscribe to events of tickets; else only triggers tell of them. */
  ticketEventWebhooks: boolean;
  /** What the webhook endpoints answer to whoever may ask. */
  webhooksEndpoint: 200 | 403 | 404;
  /** Trial accounts have 10. */
  mostWebhooks: number;
  /** Milliseconds until a search for users or organizations finds what was written over the API. Lists by external id are never late. */
  searchLag: number;
  /** Milliseconds until a customer event that was taken with 202 can be read. */
  eventLag: number;
  /** Milliseconds from a job's beginning to its end. */
  jobTime: number;
  /** Customer events and profiles: part of the plan, or what their endpoints answer. */
  sunshine: "on" | 403 | 404;
  /** Users can be in several organizations. */
  multipleOrganizations: boolean;
  /** Creating users in bulk, which Zendesk turns on for an account when asked. */
  bulkUserImport: boolean;
  /** Whether a comment that does not say so is public. */
  publicComments: boolean;
  /** Users and organizations have tags, and addresses to write them at. */
  tagsOfPeople: boolean;
  /** A date in a user or organization field comes back as its midnight, or as it was sent. */
  dateFields: "instant" | "plain";
}

export const defaultSettings: WorldSettings = {
  satisfaction: "legacy",
  ratingMode: "mutate",
  legacyEndpoint: "auto",
  surveyEndpoint: "auto",
  surveyDays: 28,
  deletedOrganizationsInExport: false,
  deletionAudits: false,
  previousValues: true,
  overflowPage: true,
  endOfStream: "exact",
  exportPage: 1000,
  emptyEndTime: "echo",
  leaverTickets: "null",
  deletedOrganizationTickets: "null",
  agentSees: "forbidden",
  withheld: 60_000,
  countsPending: false,
  ticketEventWebhooks: true,
  webhooksEndpoint: 200,
  mostWebhooks: 100,
  searchLag: 0,
  eventLag: 5000,
  jobTime: 2000,
  sunshine: "on",
  multipleOrganizations: true,
  bulkUserImport: false,
  publicComments: true,
  tagsOfPeople: true,
  dateFields: "instant",
};

export const priorities: readonly Priority[] = ["urgent", "high", "normal", "low", null];
