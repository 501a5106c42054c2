import type { Trx } from "#db/client.ts";
import type { SyncMode } from "#lib/connections/shapes.ts";
import { lockConnection, readRhythm, updateConnection } from "#lib/connections/store/connections.ts";
import { nextReconcile, nextSync } from "#lib/connections/times.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** What the end of a run says about its connection. */
export interface EndedRun {
  mode: SyncMode;
  failure: { code: string; message: string; action: string } | null;
  /** What a reconcile that went through found (T-35). */
  verified: { tickets: number; repaired: number } | null;
  /** Seconds that this machine's clock is behind Zendesk's; null for less than a minute, undefined where it was not heard. */
  clockSkewSeconds?: number | null | undefined;
}

/**
 * Takes the end of a run over into its connection: failing with the reason and since when, or active again; and when the
 * next sync and the next nightly check are due. A paused connection stays paused.
 */
export async function recordEnd(trx: Trx, scope: Scope, run: EndedRun, now: Date): Promise<void> {
  const connection = await lockConnection(trx, scope);
  if (!connection) return;
  const rhythm = await readRhythm(trx, scope.workspaceId);
  const interval = connection.sync_interval_minutes ?? rhythm.syncIntervalMinutes;
  const { failure, verified, clockSkewSeconds } = run;
  const since = failure && failure.code === connection.failure_code ? connection.failure_since : now;
  await updateConnection(
    trx,
    scope,
    {
      state: connection.state === "paused" ? "paused" : failure ? "failing" : "active",
      failure_code: failure?.code ?? null,
      failure_message: failure?.message ?? null,
      failure_action: failure?.action ?? null,
      failure_since: failure ? since : null,
      next_sync_at: connection.state === "paused" ? null : nextSync(scope, interval, now),
      ...(clockSkewSeconds === undefined ? {} : { clock_skew_seconds: clockSkewSeconds }),
      ...(run.mode === "reconcile" ? { next_reconcile_at: nextReconcile(scope, rhythm.timeZone, now) } : {}),
      ...(verified
        ? {
            verified_at: now,
            verified_tickets: String(verified.tickets),
            verified_repaired: String(verified.repaired),
          }
        : {}),
    },
    now,
  );
}

/** The same for a login that fails outside of a run, when something is written: shown until a run, or another login, goes well. */
export async function recordFailure(
  trx: Trx,
  scope: Scope,
  failure: { code: string; message: string; action: string },
  now: Date,
): Promise<void> {
  const connection = await lockConnection(trx, scope);
  if (!connection || !["active", "failing"].includes(connection.state)) return;
  const since = failure.code === connection.failure_code ? connection.failure_since : now;
  const columns = { failure_code: failure.code, failure_message: failure.message, failure_action: failure.action };
  await updateConnection(trx, scope, { state: "failing", ...columns, failure_since: since }, now);
}
