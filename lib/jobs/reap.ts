import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import { type Holder, holderName, isFormerSelf } from "#lib/jobs/holder.ts";
import { type LeaseTimes, revokeLease } from "#lib/jobs/lease.ts";
import { abandoned, interruptRun, requestRun } from "#lib/jobs/request.ts";
import { listWorkspaces } from "#lib/jobs/store/due.ts";
import { lockLease } from "#lib/jobs/store/leases.ts";
import { activeStates, findRunning, type RunningRun } from "#lib/jobs/store/runs.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** Whoever looks for dead holders: who it is, and whether it executes a connection's run itself. */
export interface Watcher {
  holder: Holder;
  times: LeaseTimes;
  executes(scope: { workspaceId: number; connectionId: number }): boolean;
}

/**
 * Ends runs whose holder is dead as `interrupted`, for good, and queues the run that goes on from the committed cursors
 * (row 76). A silent holder counts as dead after 75 s (usualTimes), our own dead predecessor at once. Gives how many there were.
 */
export async function reap(db: Db, watcher: Watcher, now: Date): Promise<number> {
  let reaped = 0;
  for (const { id } of await listWorkspaces(db)) reaped += await reapWorkspace(db, id, watcher, now);
  return reaped;
}

/** The same for one workspace: whoever reads runs must not be told that a dead one is running. */
export async function reapWorkspace(db: Db, workspaceId: number, watcher: Watcher, now: Date): Promise<number> {
  const running = await inWorkspace(db, workspaceId, (trx) => findRunning(trx, workspaceId));
  let reaped = 0;
  for (const run of running.filter((run) => isOrphan(workspaceId, run, watcher))) {
    if (await inWorkspace(db, workspaceId, (trx) => replace(trx, workspaceId, run, watcher, now))) reaped += 1;
  }
  return reaped;
}

function isOrphan(workspaceId: number, run: RunningRun, watcher: Watcher): boolean {
  const { holder } = watcher;
  if (!run.ownsLease || run.holder === null || run.silentMs > watcher.times.silence) return true;
  if (run.holder === holderName(holder)) return !watcher.executes({ workspaceId, connectionId: run.connectionId });
  return isFormerSelf(run.holder, holder);
}

async function replace(trx: Trx, workspaceId: number, seen: RunningRun, watcher: Watcher, now: Date): Promise<boolean> {
  const scope = { workspaceId, connectionId: seen.connectionId };
  await lockLease(trx, scope);
  const run = (await findRunning(trx, workspaceId)).find((candidate) => candidate.id === seen.id);
  if (!run || !isOrphan(workspaceId, run, watcher)) return false;
  await succeed(trx, scope, run, now);
  return true;
}

/** Ends every run that says it is running, and queues its successor: after a restore, no holder is one of this time (row 85). */
export async function abandonRunning(trx: Trx, workspaceId: number, now: Date): Promise<void> {
  for (const run of await findRunning(trx, workspaceId)) {
    await succeed(trx, { workspaceId, connectionId: run.connectionId }, run, now);
  }
}

async function succeed(trx: Trx, scope: Scope, run: RunningRun, now: Date): Promise<void> {
  await revokeLease(trx, scope);
  await interruptRun(trx, scope, run.id, now, abandoned);
  // Of a paused connection only what a person asked for was running.
  if (run.connectionState === "paused" || activeStates.includes(run.connectionState)) {
    await requestRun(trx, scope, { mode: run.mode, trigger: run.trigger }, now);
  }
}
