import { type Expression, type SqlBool, sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { RunState, SyncMode } from "#lib/connections/shapes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** Who asked for a run: the connection's first one, the clock, a cron call, a person. */
export type RunTrigger = "first" | "schedule" | "cron" | "person";
/** Those that a person waits for: they start in this process whether or not it keeps the clock, and also while the connection is paused. */
export const promptTriggers: RunTrigger[] = ["first", "person"];
export const liveStates: RunState[] = ["queued", "running", "waiting"];
/** States of a connection that is read by the clock. */
export const activeStates = ["active", "failing"];

export interface RunFailure {
  code: string;
  message: string;
  action: string;
}

export interface LiveRun {
  id: string;
  mode: SyncMode;
  trigger: RunTrigger;
  state: RunState;
  startedAt: Date | null;
  waitingUntil: Date | null;
  epoch: string | null;
}

/** The new run's id, or undefined where a live one stands in the way. */
export async function insertRun(
  trx: Trx,
  scope: Scope,
  run: { mode: SyncMode; trigger: RunTrigger },
  now: Date,
): Promise<string | undefined> {
  const row = await trx
    .insertInto("sync_run")
    .values({
      workspace_id: scope.workspaceId,
      connection_id: scope.connectionId,
      mode: run.mode,
      trigger: run.trigger,
      state: "queued",
      requested_at: now,
    })
    .onConflict((conflict) => conflict.doNothing())
    .returning("id")
    .executeTakeFirst();
  return row?.id;
}

export async function findLiveRun(trx: Trx, scope: Scope): Promise<LiveRun | undefined> {
  const row = await trx
    .selectFrom("sync_run")
    .select(["id", "mode", "trigger", "state", "started_at as startedAt", "waiting_until as waitingUntil", "epoch"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("state", "in", liveStates)
    .executeTakeFirst();
  return row as LiveRun | undefined;
}

/** Changes a run only while it stands in one of the states `from`. False when it does not. */
export async function moveRun(
  trx: Trx,
  scope: Scope,
  runId: string,
  from: RunState[],
  to: Partial<{
    mode: SyncMode;
    trigger: RunTrigger;
    state: RunState;
    started_at: Date;
    finished_at: Date | null;
    waiting_until: Date | null;
    epoch: string;
    failure: RunFailure | null;
  }>,
): Promise<boolean> {
  const { failure, ...columns } = to;
  const result = await trx
    .updateTable("sync_run")
    .set({
      ...columns,
      ...(failure === undefined
        ? {}
        : {
            failure_code: failure?.code ?? null,
            failure_message: failure?.message ?? null,
            failure_action: failure?.action ?? null,
          }),
    })
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("id", "=", runId)
    .where("state", "in", from)
    .executeTakeFirst();
  const moved = result.numUpdatedRows > 0n;
  if (moved && from.includes("running")) await restStreams(trx, scope, runId);
  return moved;
}

/** No stream of a run that stands still is being read, also where the run was cut off before it could say so. */
async function restStreams(trx: Trx, scope: Scope, runId: string): Promise<void> {
  await trx
    .updateTable("sync_run_stream")
    .set({ state: "waiting" })
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("run_id", "=", runId)
    .where("state", "=", "running")
    .execute();
  await trx
    .updateTable("stream_state")
    .set({ state: "waiting" })
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("state", "=", "running")
    .execute();
}

export interface RunningRun {
  connectionId: number;
  id: string;
  mode: SyncMode;
  trigger: RunTrigger;
  connectionState: string;
  holder: string | null;
  silentMs: number;
  /** Whether the lease still is the one that the run began under. */
  ownsLease: boolean;
}

/** Runs that say they are running, with what their lease says. */
export async function findRunning(trx: Trx, workspaceId: number): Promise<RunningRun[]> {
  const rows = await trx
    .selectFrom("sync_run as r")
    .innerJoin("connection as c", (join) =>
      join.onRef("c.workspace_id", "=", "r.workspace_id").onRef("c.id", "=", "r.connection_id"),
    )
    .innerJoin("connection_lease as l", (join) =>
      join.onRef("l.workspace_id", "=", "r.workspace_id").onRef("l.connection_id", "=", "r.connection_id"),
    )
    .select((eb) => [
      "r.connection_id as connectionId",
      "r.id",
      "r.mode",
      "r.trigger",
      "c.state as connectionState",
      "l.holder",
      sql<number>`coalesce(extract(epoch from clock_timestamp() - l.heartbeat_at) * 1000, 1e12)::float8`.as("silentMs"),
      eb("r.epoch", "=", eb.ref("l.epoch")).as("ownsLease"),
    ])
    .where("r.workspace_id", "=", workspaceId)
    .where("c.workspace_id", "=", workspaceId)
    .where("l.workspace_id", "=", workspaceId)
    .where("r.state", "=", "running")
    .execute();
  return rows as RunningRun[];
}

export interface PendingRun {
  connectionId: number;
  id: string;
  since: Date;
}

/** Queued runs, and waiting ones whose time has come, that may start now: not those of a paused connection unless a person asked. */
export async function findPending(
  trx: Trx,
  workspaceId: number,
  now: Date,
  which: { triggers: RunTrigger[] | null },
): Promise<PendingRun[]> {
  let query = trx
    .selectFrom("sync_run as r")
    .innerJoin("connection as c", (join) =>
      join.onRef("c.workspace_id", "=", "r.workspace_id").onRef("c.id", "=", "r.connection_id"),
    )
    .select([
      "r.connection_id as connectionId",
      "r.id",
      sql<Date>`coalesce(r.waiting_until, r.requested_at)`.as("since"),
    ])
    .where("r.workspace_id", "=", workspaceId)
    .where("c.workspace_id", "=", workspaceId)
    .where((eb) =>
      eb.or([
        eb("r.state", "=", "queued"),
        eb.and([
          eb("r.state", "=", "waiting"),
          eb.or([eb("r.waiting_until", "is", null), eb("r.waiting_until", "<=", now)]),
        ]),
      ]),
    )
    .where((eb) =>
      eb.or([
        eb("c.state", "in", activeStates),
        eb.and([eb("c.state", "=", "paused"), eb("r.trigger", "=", "person")]),
      ]),
    );
  if (which.triggers) query = query.where("r.trigger", "in", which.triggers);
  return query.orderBy("since").execute();
}

/** Runs with their streams, newest first. */
export async function readRuns(
  trx: Trx,
  scope: Scope,
  page: { limit: number; beforeId?: string | undefined; id?: string },
) {
  let query = trx
    .selectFrom("sync_run")
    .selectAll()
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId);
  if (page.beforeId) query = query.where("id", "<", page.beforeId);
  if (page.id) query = query.where("id", "=", page.id);
  const runs = await query.orderBy("id", "desc").limit(page.limit).execute();
  if (runs.length === 0) return [];
  const streams = await trx
    .selectFrom("sync_run_stream")
    .selectAll()
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where(
      "run_id",
      "in",
      runs.map((run) => run.id),
    )
    .execute();
  return runs.map((run) => ({ run, streams: streams.filter((stream) => stream.run_id === run.id) }));
}

/**
 * Forgets runs that ended before `before`, but not those whose ledger is still kept. What they inserted is carried under run 0, which no run ever is: the number
 * of stored rows of a stream is the sum over its runs.
 */
export async function foldRuns(trx: Trx, workspaceId: number, before: Date): Promise<void> {
  const over: Expression<SqlBool> = sql<SqlBool>`r.workspace_id = ${workspaceId} and r.finished_at < ${before}
    and not exists (select from drift_day d
      where d.workspace_id = ${workspaceId} and d.connection_id = r.connection_id and d.run_id = r.id)`;
  const old: Expression<SqlBool> = sql<SqlBool>`exists (select from sync_run r
    where r.connection_id = s.connection_id and r.id = s.run_id and ${over})`;
  await sql`
    with gone as (
      delete from sync_run_stream s where s.workspace_id = ${workspaceId} and ${old}
      returning s.connection_id, s.stream, s.inserted
    )
    insert into sync_run_stream (workspace_id, connection_id, run_id, stream, state, inserted)
    select ${workspaceId}::int, connection_id, 0, stream, 'ok', sum(inserted)::bigint from gone group by connection_id, stream
    on conflict (workspace_id, connection_id, run_id, stream)
    do update set inserted = sync_run_stream.inserted + excluded.inserted`.execute(trx);
  await sql`delete from sync_run r where ${over}`.execute(trx);
}
