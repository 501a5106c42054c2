import { z } from "zod";
import { id, instant, listOf, listQuery } from "#lib/api/shapes.ts";
import { matchCounts } from "#lib/matching/shapes.ts";

export const streamNames = [
  "tickets",
  "ticket_events",
  "users",
  "organizations",
  "groups",
  "satisfaction_ratings",
  "fields",
] as const;
export const streamName = z.enum(streamNames);
export type StreamName = z.infer<typeof streamName>;
/** What people call the streams. */
export const streamTitles: Record<StreamName, string> = {
  tickets: "Tickets",
  ticket_events: "Ticket events",
  users: "Users",
  organizations: "Organizations",
  groups: "Groups",
  satisfaction_ratings: "Satisfaction ratings",
  fields: "Fields and statuses",
};

/** What went wrong, since when, and what a person can do about it. */
export const failure = z.object({ code: z.string(), message: z.string(), since: instant, action: z.string() });
export type Failure = z.infer<typeof failure>;

export const streamState = z.enum(["ok", "running", "waiting", "degraded", "failed", "not_available"]);
export const streamStatus = z.object({
  name: streamName,
  state: streamState,
  freshThrough: instant.nullable(),
  lastRunAt: instant.nullable(),
  failure: failure.nullable(),
  rows: z.number().int(),
  held: z.number().int(),
});
export type StreamStatus = z.infer<typeof streamStatus>;

/** Streams whose rows can be asked for by id when a listing does not show them. */
export const absentStream = z.enum(["tickets", "users", "organizations"]);

export const connectionState = z.enum(["active", "paused", "failing", "disconnected", "archived"]);
export const connection = z.object({
  id,
  kind: z.literal("zendesk"),
  name: z.string(),
  subdomain: z.string(),
  access: z.enum(["read", "read_write"]),
  state: connectionState,
  failure: failure.nullable(),
  streams: z.array(streamStatus),
  matching: matchCounts,
  nextSyncAt: instant.nullable(),
  pausedUntil: instant.nullable(),
  /** Since when it is disconnected or archived: nothing is read any more. */
  disconnectedAt: instant.nullable(),
  connectedBy: z.object({ email: z.string().nullable(), zendeskEmail: z.string().nullable() }),
  auth: z.object({
    type: z.enum(["oauth", "oauth_client_credentials", "api_token"]),
    scopes: z.array(z.string()).nullable(),
    expiresAt: instant.nullable(),
    /** The day after which the way of signing in stops (API tokens), else null. */
    endsOn: z.string().nullable(),
  }),
  historyDays: z.number().int(),
  eventHistoryDays: z.number().int(),
  syncIntervalMinutes: z.number().int(),
  verified: z.object({ at: instant, tickets: z.number().int(), repaired: z.number().int() }).nullable(),
  /** Rows that Zendesk no longer shows, by stream; `held` ones wait for a person's word. */
  absences: z.array(z.object({ stream: absentStream, rows: z.number().int(), held: z.number().int() })),
  /** How changes arrive between runs. */
  webhook: z.object({ state: z.string(), kind: z.string().nullable(), lastDeliveryAt: instant.nullable() }),
  /** Seconds that this machine's clock is behind Zendesk's, where that is more than a minute, else null. */
  clockSkewSeconds: z.number().int().nullable(),
  createdAt: instant,
});
export type Connection = z.infer<typeof connection>;
export const connectionList = listOf(connection);

const days = z.number().int().min(0).max(36_500);
export const connectionAuth = z.discriminatedUnion("type", [
  z.strictObject({
    type: z.literal("oauth_client_credentials"),
    clientId: z.string().min(1).max(500),
    clientSecret: z.string().min(1).max(2000),
  }),
  z.strictObject({
    type: z.literal("api_token"),
    email: z.string().min(1).max(320),
    token: z.string().min(1).max(2000),
  }),
]);
export type ConnectionAuth = z.infer<typeof connectionAuth>;

const subdomain = z.string().min(1).max(300);
export const connectionBody = z.object({
  kind: z.literal("zendesk"),
  subdomain,
  name: z.string().trim().min(1).max(200).optional(),
  auth: connectionAuth,
  access: z.enum(["read", "read_write"]).default("read"),
  historyDays: days.default(0),
  eventHistoryDays: days.default(365),
});
export type ConnectionBody = z.infer<typeof connectionBody>;

export const connectionPatch = z
  .strictObject({
    name: z.string().trim().min(1).max(200),
    paused: z.boolean(),
    pausedUntil: instant.nullable(),
    historyDays: days,
    eventHistoryDays: days,
    syncIntervalMinutes: z.number().int().min(5).max(1440),
    auth: connectionAuth,
    /** With `auth`: where the account is now, since it was renamed in Zendesk. */
    subdomain,
    /** With `auth`: yes, this login belongs to the same account, though it is another person's or its e-mail has changed. */
    confirmLogin: z.boolean(),
    /** With `auth`: what the login is tried for and may do from then on; writing is granted apart from reading. */
    access: z.enum(["read", "read_write"]),
  })
  .partial();
export type ConnectionPatch = z.infer<typeof connectionPatch>;

export const reconnectBody = z
  .strictObject({
    auth: connectionAuth,
    /** Where the account is now, since it was renamed in Zendesk. */
    subdomain,
    /** Yes, this login belongs to the same account, though it is another person's or its e-mail has changed. */
    confirmLogin: z.boolean(),
  })
  .partial();
export type ReconnectBody = z.infer<typeof reconnectBody>;

export const syncModes = ["incremental", "reconcile", "full"] as const;
export const syncMode = z.enum(syncModes);
export type SyncMode = z.infer<typeof syncMode>;
export const syncBody = z.object({ mode: syncMode.default("incremental") });
export const syncStarted = z.object({ runId: id });

export const runState = z.enum(["queued", "running", "waiting", "succeeded", "failed", "interrupted"]);
export type RunState = z.infer<typeof runState>;
export const runRows = z.object({
  read: z.number().int(),
  inserted: z.number().int(),
  updated: z.number().int(),
  unchanged: z.number().int(),
  deleted: z.number().int(),
  repaired: z.number().int(),
  held: z.number().int(),
});
export type RunRows = z.infer<typeof runRows>;
export const run = z.object({
  id,
  mode: syncMode,
  trigger: z.string(),
  state: runState,
  waitingUntil: instant.nullable(),
  requestedAt: instant,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  streams: z.array(
    z.object({
      name: streamName,
      state: z.string(),
      pages: z.number().int(),
      rows: runRows,
      /** Texts that had to be cleaned before they could be stored: NUL, halves of characters. */
      cleaned: z.number().int(),
      /** Places that Zendesk refused, so that the reading began again. */
      restarts: z.number().int(),
    }),
  ),
  failure: failure.nullable(),
});
export type Run = z.infer<typeof run>;
export const runList = listOf(run);

export const heldRow = z.object({
  stream: streamName,
  key: z.string(),
  reason: z.string(),
  /** As it came; of a long one in a list only the beginning. */
  payload: z.string(),
  /** Characters of the whole. */
  length: z.number().int(),
  isCut: z.boolean(),
  firstHeldAt: instant,
  lastHeldAt: instant,
  /** Who decided that it is no doubt about its stream, until it comes again with other bytes; null: it is held. */
  setAside: z.object({ by: z.string(), at: instant }).nullable(),
});
export type HeldRow = z.infer<typeof heldRow>;
export const heldRowList = listOf(heldRow);

export const fieldSubjects = ["ticket", "user", "organization"] as const;
export type FieldSubject = (typeof fieldSubjects)[number];
/** `key`: by which match keys, mappings and rules name it; of a ticket's field its id. */
export const customField = z.object({
  key: z.string(),
  title: z.string().nullable(),
  type: z.string().nullable(),
});
export type CustomField = z.infer<typeof customField>;
/** `definedAt`: Zendesk's page for defining them (C-19). */
export const customFieldList = listOf(customField).extend({ definedAt: z.string() });
export type CustomFieldList = z.infer<typeof customFieldList>;
export const customFieldsQuery = listQuery.extend({ subject: z.enum(fieldSubjects) });
const heldRowKey = z.string().min(1).max(1000);
/** `key`: that row, with all of its text. */
export const heldRowsQuery = listQuery
  .extend({ stream: streamName, key: heldRowKey })
  .partial({ stream: true, key: true });
/** `setAside` false takes it back. */
export const heldDecisionBody = z.strictObject({
  stream: streamName,
  key: heldRowKey,
  setAside: z.boolean().default(true),
});
/** Which held rows to try again: all, those of a stream, or one. One that was set aside is tried only by its key. */
export const heldRetryBody = z.strictObject({ stream: streamName, key: heldRowKey }).partial();
export const heldRetried = z.object({ released: z.number().int(), held: z.number().int() });

/** What a check of the past found, in rows. `missing`: not stored here; `extra`: stored and absent in Zendesk; `older`: stored in an older version; `different`: the same version with other content. */
export const drift = z.object({
  compared: z.number().int(),
  missing: z.number().int(),
  extra: z.number().int(),
  older: z.number().int(),
  different: z.number().int(),
  repaired: z.number().int(),
});
export type Drift = z.infer<typeof drift>;
export const driftRun = z.object({
  runId: id,
  state: runState,
  startedAt: instant.nullable(),
  finishedAt: instant.nullable(),
  streams: z.array(
    drift.extend({
      stream: streamName,
      /** So many of the compared rows differed that a person should find out why. */
      unusual: z.boolean(),
      /** In which columns the rows that are named differed, the most frequent first. */
      columns: z.array(z.object({ name: z.string(), rows: z.number().int() })),
    }),
  ),
});
export type DriftRun = z.infer<typeof driftRun>;
export const driftRunList = listOf(driftRun);
export const driftDay = drift.extend({ stream: streamName, day: z.string() });
export type DriftDay = z.infer<typeof driftDay>;
export const driftDayList = listOf(driftDay);
export const driftRow = z.object({
  stream: streamName,
  key: z.string(),
  day: z.string(),
  difference: z.enum(["missing", "extra", "older", "different"]),
  /** In which the stored row differed; none of one that is missing or extra. `content_hash`: in what has no column. */
  columns: z.array(z.string()),
  repaired: z.boolean(),
  foundAt: instant,
  /** In Zendesk, where the row has a page there. */
  url: z.string().nullable(),
});
export type DriftRow = z.infer<typeof driftRow>;
export const driftRowList = listOf(driftRow);

export const absence = z.object({
  stream: absentStream,
  id: z.string(),
  /** A ticket's subject, an organization's name. */
  name: z.string().nullable(),
  firstMissedAt: instant,
  /** Zendesk did not find it by its id either, since then. */
  notFoundAt: instant.nullable(),
  held: z.boolean(),
  url: z.string(),
});
export type Absence = z.infer<typeof absence>;
export const absenceList = listOf(absence);
export const absenceApprovalBody = z.strictObject({
  stream: absentStream,
  ceiling: z.number().int().min(1).max(10_000_000),
});

export const doctorState = z.enum(["ok", "warning", "failure", "unknown"]);
export const doctorCheck = z.object({
  key: z.string(),
  title: z.string(),
  state: doctorState,
  /** What was found, in words and numbers. */
  found: z.string(),
  /** What to do about it; null where nothing is to be done. */
  action: z.string().nullable(),
  checkedAt: instant,
});
export type DoctorCheck = z.infer<typeof doctorCheck>;
/** `checkedAt` null: the doctor was never asked. */
export const doctorReport = z.object({ checkedAt: instant.nullable(), checks: z.array(doctorCheck) });
export type DoctorReport = z.infer<typeof doctorReport>;

export const cronAnswer = z.object({
  connections: z.array(z.object({ id, runId: id, state: runState, done: z.boolean() })),
});
export type CronAnswer = z.infer<typeof cronAnswer>;
