import { type Db, inWorkspace } from "#db/client.ts";
import { resumeExpiredPauses } from "#lib/connections/pause.ts";
import type { CronAnswer, RunState, SyncMode } from "#lib/connections/shapes.ts";
import type { Context } from "#lib/context.ts";
import { deliverDue } from "#lib/jobs/deliveries.ts";
import { covers, requestRun } from "#lib/jobs/request.ts";
import { findDue, findLive, listWorkspaces } from "#lib/jobs/store/due.ts";
import { lockLease } from "#lib/jobs/store/leases.ts";
import { liveStates, type RunTrigger, readRuns } from "#lib/jobs/store/runs.ts";
import type { Worker } from "#lib/jobs/worker.ts";
import { markTick } from "#lib/monitoring/registry.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

export type ScheduledWork = "sync" | "reconcile";
const modeOf: Record<ScheduledWork, SyncMode> = { sync: "incremental", reconcile: "reconcile" };
const pollMs = 250;

type JobContext = Pick<Context, "config" | "db" | "log">;

interface Due {
  what: ScheduledWork;
  force: boolean;
  trigger: RunTrigger;
}

interface DueRun extends Scope {
  runId: string;
  mode: SyncMode;
}

/** Queues a run for every connection that is due, over all workspaces, and gives them with every other live run. */
export async function queueDue(db: Db, which: Due, now: Date): Promise<DueRun[]> {
  const mode = modeOf[which.what];
  const queued: DueRun[] = [];
  for (const { id: workspaceId } of await listWorkspaces(db)) {
    await inWorkspace(db, workspaceId, (trx) => resumeExpiredPauses(trx, workspaceId, now));
    const due = await inWorkspace(db, workspaceId, (trx) => findDue(trx, workspaceId, which, now));
    const live = await inWorkspace(db, workspaceId, (trx) => findLive(trx, workspaceId));
    const enough = live.filter((run) => !due.includes(run.connectionId) || covers(run.mode, mode));
    queued.push(...enough.map((run) => ({ ...run, workspaceId })));
    for (const connectionId of due.filter((id) => !enough.some((run) => run.connectionId === id))) {
      const run = await ask(db, { workspaceId, connectionId }, which, now);
      if (run) queued.push(run);
    }
  }
  return queued;
}

/**
 * Asks for a run of a connection if that is due still: under its lease, so that in between nobody disconnects it and no run
 * ends that did the work. A transaction each: whoever holds one connection's run holds no other's.
 */
function ask(db: Db, scope: Scope, which: Due, now: Date): Promise<DueRun | null> {
  const { workspaceId, connectionId } = scope;
  const mode = modeOf[which.what];
  return inWorkspace(db, workspaceId, async (trx) => {
    await lockLease(trx, scope);
    const due = await findDue(trx, workspaceId, { ...which, only: connectionId }, now);
    if (due.length === 0) return null;
    const { runId } = await requestRun(trx, scope, { mode, trigger: which.trigger }, now);
    return { workspaceId, connectionId, runId, mode };
  });
}

/**
 * One call of a cron route: does what is due in all workspaces within the budget, together with runs that were left
 * unfinished and, in a sync, what waits to be delivered; says for each connection how far its run is. Two calls at once work on the same runs.
 */
export async function runDue(
  ctx: JobContext,
  worker: Worker,
  call: { what: ScheduledWork; force: boolean; budgetSeconds: number },
  clock: () => Date,
): Promise<CronAnswer> {
  const deadline = new Date(clock().getTime() + call.budgetSeconds * 1000);
  const which: Due = { what: call.what, force: call.force, trigger: "cron" };
  const delivering = call.what === "sync" ? deliver(ctx, deadline) : Promise.resolve();
  const due = await together(worker, which, async () => {
    await worker.reap();
    return queueDue(ctx.db, which, clock());
  });
  const connections = await Promise.all(due.map((run) => advance(ctx, worker, run, which, deadline, clock)));
  await delivering;
  markTick(call.what, clock());
  return { connections };
}

/** Events and deliveries that are due; whatever is wrong with them keeps no run from its work. */
function deliver(ctx: JobContext, deadline: Date): Promise<void> {
  return deliverDue(ctx, deadline).catch((error: unknown) =>
    ctx.log.error({ err: error }, "what is due could not be delivered"),
  );
}

const queueing = new WeakMap<Worker, Map<string, Promise<DueRun[]>>>();

/** Equal calls at once look once for what is due: a crowd of them would take every connection of the database. */
function together(worker: Worker, which: Due, look: () => Promise<DueRun[]>): Promise<DueRun[]> {
  const looks = queueing.get(worker) ?? new Map<string, Promise<DueRun[]>>();
  queueing.set(worker, looks);
  const key = JSON.stringify(which);
  const found = looks.get(key) ?? look().finally(() => looks.delete(key));
  looks.set(key, found);
  return found;
}

async function advance(ctx: JobContext, worker: Worker, due: DueRun, which: Due, deadline: Date, clock: () => Date) {
  let { runId } = due;
  for (;;) {
    const run = await settle(ctx, worker, due, runId, deadline, clock);
    const isLess = run.done && !covers(run.mode, due.mode) && clock() < deadline;
    // What was live was less than what is due: ask once more, now that it is done.
    const next = isLess ? await ask(ctx.db, due, which, clock()) : null;
    if (!next) return { id: String(due.connectionId), runId, state: run.state, done: run.done };
    runId = next.runId;
  }
}

/** Executes a run here, or looks on while another process does, until it is done or the time is over. */
async function settle(ctx: JobContext, worker: Worker, scope: Scope, runId: string, deadline: Date, clock: () => Date) {
  for (;;) {
    // What goes wrong with one account is its run's own matter and does not keep the others from theirs.
    const here = await worker.work(scope, deadline).catch((error: unknown) => {
      ctx.log.error({ err: error, runId }, "a run broke off without a word");
      return "failed" as const;
    });
    const run = await readRun(ctx.db, scope, runId);
    if (run.done || here !== null || clock() >= deadline || run.state === "waiting") return run;
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

async function readRun(
  db: Db,
  scope: Scope,
  runId: string,
): Promise<{ state: RunState; mode: SyncMode; done: boolean }> {
  const [found] = await inWorkspace(db, scope.workspaceId, (trx) => readRuns(trx, scope, { limit: 1, id: runId }));
  const state = (found?.run.state ?? "interrupted") as RunState;
  return { state, mode: (found?.run.mode ?? "full") as SyncMode, done: !liveStates.includes(state) };
}
