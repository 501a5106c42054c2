import { z } from "zod";
import { id, instant, listOf } from "#lib/api/shapes.ts";
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

export const connectionBody = z.object({
  kind: z.literal("zendesk"),
  subdomain: z.string().min(1).max(300),
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
  })
  .partial();
export type ConnectionPatch = z.infer<typeof connectionPatch>;

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
  streams: z.array(z.object({ name: streamName, state: z.string(), pages: z.number().int(), rows: runRows })),
  failure: failure.nullable(),
});
export type Run = z.infer<typeof run>;
export const runList = listOf(run);

export const heldRow = z.object({
  stream: streamName,
  key: z.string(),
  reason: z.string(),
  payload: z.string(),
  firstHeldAt: instant,
  lastHeldAt: instant,
});
export const heldRowList = listOf(heldRow);

export const cronAnswer = z.object({
  connections: z.array(z.object({ id, runId: id, state: runState, done: z.boolean() })),
});
export type CronAnswer = z.infer<typeof cronAnswer>;
