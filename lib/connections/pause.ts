import type { Trx } from "#db/client.ts";
import type { StoredConnection } from "#lib/connections/load.ts";
import { findExpiredPauses, updateConnection } from "#lib/connections/store/connections.ts";
import { invalid } from "#lib/errors.ts";
import { suspendRun } from "#lib/jobs/suspend.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** What a pause changes in a connection: until an instant, or until a person resumes it. Throws `invalid` for an instant that has passed. */
export async function pause(trx: Trx, connection: StoredConnection, until: Date | null, now: Date): Promise<void> {
  if (until !== null && until <= now) {
    const message = "The pause would end in the past: name a later instant, or resume the connection.";
    throw invalid(message, [{ path: "pausedUntil", message }]);
  }
  const scope = scopeOf(connection);
  await updateConnection(trx, scope, { state: "paused", paused_until: until, next_sync_at: null }, now);
  await suspendRun(trx, scope);
}

/** Ends a pause: the connection is due at once, so that the gap is filled from the committed cursors (T-38). */
export async function resume(trx: Trx, connection: StoredConnection, now: Date): Promise<void> {
  const state = connection.failure_code === null ? "active" : "failing";
  await updateConnection(trx, scopeOf(connection), { state, paused_until: null, next_sync_at: now }, now);
}

/** Timed pauses that are over end by themselves. Gives how many there were. */
export async function resumeExpiredPauses(trx: Trx, workspaceId: number, now: Date): Promise<number> {
  const expired = await findExpiredPauses(trx, workspaceId, now);
  for (const connection of expired) await resume(trx, connection, now);
  return expired.length;
}

const scopeOf = (connection: StoredConnection): Scope => ({
  workspaceId: connection.workspace_id,
  connectionId: connection.id,
});
