import type { Trx } from "#db/client.ts";
import { revokeLease } from "#lib/jobs/lease.ts";
import { interruptRun } from "#lib/jobs/request.ts";
import { findLiveRun, moveRun, type RunFailure } from "#lib/jobs/store/runs.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** Stops the running run of a connection, in whatever process: its lease is gone, so that it commits nothing more, and it waits. */
export async function suspendRun(trx: Trx, scope: Scope): Promise<void> {
  await revokeLease(trx, scope);
  const live = await findLiveRun(trx, scope);
  if (!live) return;
  // Nobody waits for it any more: only what a person asks for from now on is read during a pause.
  const trigger = "schedule";
  await moveRun(trx, scope, live.id, ["running"], { state: "waiting", waiting_until: null, trigger });
  await moveRun(trx, scope, live.id, ["queued", "waiting"], { trigger });
}

/** Stops and ends the live run of a connection, in whatever process. */
export async function endRun(trx: Trx, scope: Scope, failure: RunFailure, now: Date): Promise<void> {
  await revokeLease(trx, scope);
  const live = await findLiveRun(trx, scope);
  if (live) await interruptRun(trx, scope, live.id, now, failure);
}
