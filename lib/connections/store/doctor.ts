import { type Selectable, sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { DoctorCheckTable, StreamStateTable, WebhookTable } from "#db/schema.ts";
import { type LiveRun, liveRuns } from "#lib/connections/overdue.ts";
import { readRhythm, shownPurpose } from "#lib/connections/store/connections.ts";
import { type Announced, newestAnnounced } from "#lib/webhooks/lost.ts";
import type { FieldPart } from "#lib/zendesk/definition-readers.ts";
import type { RatingsPast } from "#lib/zendesk/ratings-reader.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { fieldPartsHeld, readRatingsPast } from "#lib/zendesk/streams.ts";

/** What the doctor reads in the database before Zendesk is asked. */
export interface DoctorFacts {
  /** The rhythm of the workspace, for a connection without one of its own. */
  syncIntervalMinutes: number;
  streams: Map<string, Selectable<StreamStateTable>>;
  held: Map<string, number>;
  lastRun: { state: string; at: Date } | null;
  liveRun: LiveRun | null;
  /** When the last run was asked for by a cron route. */
  lastCronRunAt: Date | null;
  webhook: Selectable<WebhookTable> | null;
  hints: { waiting: number; oldest: Date | null };
  /** Of the newest changes, how many a delivery had told; null without a working webhook. */
  announced: Announced | null;
  database: { version: string; number: number; now: Date };
  /** What was read before of the streams of several lists: the doctor judges a refusal as a run does. */
  ratings: RatingsPast;
  fieldParts: Set<FieldPart>;
}

export async function readDoctorFacts(db: Db, scope: Scope): Promise<DoctorFacts> {
  const [lastRun] = await runsOf(db, scope).where("state", "not in", ["queued", "running", "waiting"]).execute();
  const [lastCron] = await runsOf(db, scope).where("trigger", "=", "cron").execute();
  const lastAt = lastRun?.finished_at ?? lastRun?.requested_at;
  return {
    syncIntervalMinutes: (await readRhythm(db, scope.workspaceId)).syncIntervalMinutes,
    streams: new Map((await streamStates(db, scope)).map((row) => [row.stream, row])),
    held: new Map((await heldCounts(db, scope)).map((row) => [row.stream, Number(row.count)])),
    lastRun: lastRun && lastAt ? { state: lastRun.state, at: lastAt } : null,
    liveRun: (await liveRuns(db, scope.workspaceId)).get(scope.connectionId) ?? null,
    lastCronRunAt: lastCron?.requested_at ?? null,
    webhook: (await webhookOf(db, scope)) ?? null,
    hints: await hintsOf(db, scope),
    announced: (await newestAnnounced(db, scope.workspaceId)).get(scope.connectionId) ?? null,
    database: await aboutDatabase(db),
    ratings: await readRatingsPast(db, scope),
    fieldParts: await fieldPartsHeld(db, scope),
  };
}

const runsOf = (db: Db, scope: Scope) =>
  db
    .selectFrom("sync_run")
    .select(["state", "requested_at", "finished_at"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .orderBy("id", "desc")
    .limit(1);

const streamStates = (db: Db, scope: Scope) =>
  db
    .selectFrom("stream_state")
    .selectAll()
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("purpose", "=", shownPurpose)
    .execute();

const heldCounts = (db: Db, scope: Scope) =>
  db
    .selectFrom("held_row")
    .select((eb) => ["stream", eb.fn.countAll<string>().as("count")])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("set_aside_at", "is", null)
    .groupBy("stream")
    .execute();

const webhookOf = (db: Db, scope: Scope) =>
  db
    .selectFrom("webhook")
    .selectAll()
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .executeTakeFirst();

async function hintsOf(db: Db, scope: Scope): Promise<DoctorFacts["hints"]> {
  const { count, oldest } = await db
    .selectFrom("webhook_hint")
    .select((eb) => [eb.fn.countAll<string>().as("count"), eb.fn.min("first_at").as("oldest")])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .executeTakeFirstOrThrow();
  return { waiting: Number(count), oldest };
}

async function aboutDatabase(db: Db): Promise<DoctorFacts["database"]> {
  const { rows } = await sql<{ version: string; number: number; now: Date }>`
    select current_setting('server_version') as version, current_setting('server_version_num')::int as number,
      clock_timestamp() as now`.execute(db);
  const [row] = rows;
  if (!row) throw new Error("The database did not say which one it is.");
  return row;
}

/** The last report, check by check. */
export async function readChecks(db: Db, scope: Scope): Promise<Selectable<DoctorCheckTable>[]> {
  return db
    .selectFrom("doctor_check")
    .selectAll()
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .execute();
}

/** Puts a report in the place of the last one. */
export async function saveChecks(
  trx: Trx,
  scope: Scope,
  checks: Pick<Selectable<DoctorCheckTable>, "key" | "state" | "found" | "action">[],
  now: Date,
): Promise<void> {
  const key = { workspace_id: scope.workspaceId, connection_id: scope.connectionId };
  await trx
    .insertInto("doctor_check")
    .values(checks.map((check) => ({ ...key, ...check, checked_at: now })))
    .onConflict((conflict) =>
      conflict.columns(["workspace_id", "connection_id", "key"]).doUpdateSet((eb) => ({
        state: eb.ref("excluded.state"),
        found: eb.ref("excluded.found"),
        action: eb.ref("excluded.action"),
        checked_at: eb.ref("excluded.checked_at"),
      })),
    )
    .execute();
}
