import type { Trx } from "#db/client.ts";
import type { SyncMode } from "#lib/connections/shapes.ts";
import {
  findLiveRun,
  insertRun,
  type LiveRun,
  liveStates,
  moveRun,
  promptTriggers,
  type RunFailure,
  type RunTrigger,
} from "#lib/jobs/store/runs.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

const weight: Record<SyncMode, number> = { incremental: 0, reconcile: 1, full: 2 };

/**
 * Asks for a run. A connection has one live run at most (a unique index): while there is one, its id is the answer. A
 * queued run takes the greater of both modes (full > reconcile > incremental); one that has begun keeps its mode.
 */
export async function requestRun(
  trx: Trx,
  scope: Scope,
  request: { mode: SyncMode; trigger: RunTrigger },
  now: Date,
): Promise<{ runId: string; mode: SyncMode; created: boolean }> {
  for (;;) {
    const runId = await insertRun(trx, scope, request, now);
    if (runId) return { runId, mode: request.mode, created: true };
    const live = await findLiveRun(trx, scope);
    // The live run ended between both statements: ask again.
    if (live) return { ...(await join(trx, scope, live, request)), created: false };
  }
}

async function join(trx: Trx, scope: Scope, live: LiveRun, request: { mode: SyncMode; trigger: RunTrigger }) {
  const prompt = promptTriggers.includes(request.trigger) ? { trigger: request.trigger } : {};
  if (live.state === "queued" && weight[request.mode] > weight[live.mode]) {
    await moveRun(trx, scope, live.id, ["queued"], { ...prompt, mode: request.mode });
    return { runId: live.id, mode: request.mode };
  }
  if (prompt.trigger) await moveRun(trx, scope, live.id, ["queued", "waiting"], prompt);
  return { runId: live.id, mode: live.mode };
}

/** Whether a run of mode `done` did what `wanted` asks for. */
export const covers = (done: SyncMode, wanted: SyncMode): boolean => weight[done] >= weight[wanted];

export const abandoned: RunFailure = {
  code: "interrupted",
  message: "The process that executed this run ended before the run did.",
  action: "Nothing is lost: the next run goes on from what was committed.",
};

/** Ends a running run whose holder is gone. False when it had ended meanwhile. */
export function interruptRun(trx: Trx, scope: Scope, runId: string, now: Date, failure: RunFailure): Promise<boolean> {
  return moveRun(trx, scope, runId, liveStates, {
    state: "interrupted",
    finished_at: now,
    waiting_until: null,
    failure,
  });
}
