import type { Selectable } from "kysely";
import { inWorkspace, type Trx } from "#db/client.ts";
import type { ConnectionTable } from "#db/schema.ts";
import { loadConnection } from "#lib/connections/load.ts";
import { recordEnd } from "#lib/connections/outcome.ts";
import type { RunState } from "#lib/connections/shapes.ts";
import type { Context } from "#lib/context.ts";
import type { Holder } from "#lib/jobs/holder.ts";
import { begunAnew, brokenOff, cutOff, judge, type RunEnd, type StopReason } from "#lib/jobs/judge.ts";
import {
  fence,
  holdLease,
  type Lease,
  LeaseLost,
  type LeaseTimes,
  ServerRestarted,
  takeLease,
} from "#lib/jobs/lease.ts";
import { abandoned, interruptRun, requestRun } from "#lib/jobs/request.ts";
import { freeLease } from "#lib/jobs/store/leases.ts";
import { findLiveRun, type LiveRun, moveRun } from "#lib/jobs/store/runs.ts";
import { type ClientOptions, defaultClientOptions } from "#lib/zendesk/client-options.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { runStreams } from "#lib/zendesk/sync.ts";

/** What the process gives to a run that it executes. */
export interface Turn {
  holder: Holder;
  /** The usual ones unless given. */
  times?: LeaseTimes;
  clock: () => Date;
  /** Keeps the lease alive by heartbeats from now on. */
  hold: (lease: Lease) => void;
  /** Asked at every page boundary. */
  stop: () => StopReason | null;
  /** Aborted when the run has to stop in the middle of a page. */
  signal: AbortSignal;
  /** True while other runs wait for this one's place. */
  crowded?: () => boolean;
  /** How requests are sent and waited for, where a test moves the clock. */
  client?: Partial<ClientOptions> | undefined;
}

const leaseLost = "a run lost its lease and committed nothing more";

interface Begun {
  lease: Lease;
  connection: Selectable<ConnectionTable>;
  run: LiveRun;
}

/**
 * Executes the live run of a connection under its lease until it is done or told to stop, and says how it stands.
 * Null when there is nothing to execute here: no live run, or another process works on it.
 */
export async function executeRun(
  ctx: Pick<Context, "config" | "db" | "log">,
  scope: Scope,
  turn: Turn,
): Promise<RunState | null> {
  const begun = await inWorkspace(ctx.db, scope.workspaceId, (trx) => begin(trx, scope, turn));
  if (!begun) return null;
  const { lease, run } = begun;
  turn.hold(lease);
  const log = ctx.log.child({ workspaceId: lease.workspaceId, connectionId: lease.connectionId, runId: run.id });
  log.info({ mode: run.mode, epoch: lease.epoch }, "a run goes on");
  let end: RunEnd;
  try {
    end = await readStreams(ctx, begun, turn);
  } catch (error) {
    if (error instanceof LeaseLost || turn.stop() === "lost") {
      log.warn(leaseLost);
      return null;
    }
    if (turn.stop() === "shutdown") end = cutOff;
    else if (error instanceof ServerRestarted) {
      log.warn({ err: error }, "a turn ends: what it committed last may be gone");
      end = begunAnew(turn.clock());
    } else end = brokenOff(log, error);
  }
  try {
    end = await insist(turn, () => inWorkspace(ctx.db, scope.workspaceId, (trx) => finish(trx, begun, end, turn)));
  } catch (error) {
    if (!(error instanceof LeaseLost)) throw error;
    log.warn(leaseLost);
    return null;
  }
  log.info({ state: end.state, failure: end.failure?.code }, "a run stopped");
  return end.state;
}

/** Takes the lease and marks the run as running, in one transaction. A run that a dead holder left behind is replaced by a new one. */
async function begin(trx: Trx, scope: Scope, turn: Turn): Promise<Begun | null> {
  const lease = await takeLease(trx, scope, turn.holder, turn.times);
  if (!lease) return null;
  const now = turn.clock();
  const connection = await loadConnection(trx, scope);
  let run = await findLiveRun(trx, scope);
  if (run?.state === "running") {
    await interruptRun(trx, scope, run.id, now, abandoned);
    const next = await requestRun(trx, scope, { mode: run.mode, trigger: run.trigger }, now);
    run = { ...run, id: next.runId, state: "queued", startedAt: null };
  }
  if (!connection || !run || !mayGoOn(connection, run, now)) {
    await freeLease(trx, lease);
    return null;
  }
  await moveRun(trx, scope, run.id, ["queued", "waiting"], {
    state: "running",
    started_at: run.startedAt ?? now,
    waiting_until: null,
    epoch: lease.epoch,
  });
  return { lease, connection, run: { ...run, startedAt: run.startedAt ?? now } };
}

/** Zendesk's word to wait holds for everybody, whoever asks; a pause for all but a person's own run. */
function mayGoOn(connection: Begun["connection"], run: LiveRun, now: Date): boolean {
  if (run.state === "waiting" && run.waitingUntil !== null && run.waitingUntil > now) return false;
  if (connection.state === "paused") return run.trigger === "person";
  return connection.state === "active" || connection.state === "failing";
}

async function readStreams(
  ctx: Pick<Context, "config" | "db" | "log">,
  { lease, connection, run }: Begun,
  turn: Turn,
): Promise<RunEnd> {
  let stopped: StopReason | null = null;
  const outcome = await runStreams(ctx, {
    scope: { workspaceId: lease.workspaceId, connectionId: lease.connectionId },
    connection,
    mode: run.mode,
    runId: run.id,
    fence: (trx) => fence(trx, lease, turn.times),
    deadline: () => {
      stopped ??= turn.stop();
      return stopped !== null;
    },
    clock: turn.clock,
    signal: turn.signal,
    ...(turn.crowded ? { crowded: turn.crowded } : {}),
    ...(turn.client ? { options: turn.client } : {}),
  });
  if (stopped === "lost") throw new LeaseLost(lease);
  return judge(outcome, run, stopped, turn.clock());
}

/** Writes the end of a run, what it means for its connection, and gives the lease back: all or nothing, and only while the lease holds. */
async function finish(trx: Trx, { lease, run }: Begun, reached: RunEnd, { clock, times }: Turn): Promise<RunEnd> {
  const now = clock();
  const isSameServer = (await holdLease(trx, lease, times)) === lease.serverStart;
  // What it came to rests on what was committed before; that it broke off does not.
  const end = isSameServer || !reached.outcome ? reached : begunAnew(now);
  await moveRun(trx, lease, run.id, ["running"], {
    state: end.state,
    finished_at: end.state === "waiting" ? null : now,
    waiting_until: end.waitingUntil,
    failure: end.failure,
  });
  if (end.state !== "waiting") {
    const { outcome, failure } = end;
    // Whoever Zendesk is was heard: so was its clock.
    const clockSkewSeconds = outcome?.identity ? (outcome.clockSkewSeconds ?? null) : undefined;
    await recordEnd(
      trx,
      lease,
      { mode: run.mode, failure, verified: outcome?.verified ?? null, clockSkewSeconds },
      now,
    );
  }
  await freeLease(trx, lease);
  return end;
}

const patienceMs = [500, 1000, 2000, 4000, 8000, 15_000, 30_000];

/** The database may be away for a moment (row 78); a run that cannot even say how it ended is found by the reaper. */
async function insist<T>(turn: Turn, write: () => Promise<T>): Promise<T> {
  const { sleep } = { ...defaultClientOptions, ...turn.client };
  for (const pause of patienceMs) {
    try {
      return await write();
    } catch (error) {
      if (error instanceof LeaseLost || turn.stop() === "shutdown") throw error;
      await sleep(pause * (0.5 + Math.random() / 2));
    }
  }
  return write();
}
