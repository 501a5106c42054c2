import { inWorkspace, type Trx } from "#db/client.ts";
import type { StoredConnection } from "#lib/connections/load.ts";
import { type Login, tryLogin } from "#lib/connections/login.ts";
import { type Move, moveConnection, wantedMove } from "#lib/connections/move.ts";
import { pause, resume } from "#lib/connections/pause.ts";
import { holdReadable, requireReadable } from "#lib/connections/readable.ts";
import { confirmSameAccount } from "#lib/connections/same-account.ts";
import type { ConnectionPatch } from "#lib/connections/shapes.ts";
import { findConnection, updateConnection } from "#lib/connections/store/connections.ts";
import { nextSync } from "#lib/connections/times.ts";
import type { Context } from "#lib/context.ts";
import { type AppError, invalid } from "#lib/errors.ts";
import { requestRun } from "#lib/jobs/request.ts";
import { suspendRun } from "#lib/jobs/suspend.ts";
import { recheckWebhook } from "#lib/webhooks/registration.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/**
 * Changes a connection: name, rhythm, history, pause, login. All or nothing; a new login is tried before anything is
 * written. Tells whether a run was asked for, and whether a running one was stopped.
 */
export async function changeConnection(
  ctx: Pick<Context, "config" | "db" | "log">,
  scope: Scope,
  patch: ConnectionPatch,
  now: Date,
): Promise<{ stopped: boolean }> {
  const { auth, confirmLogin = false } = patch;
  const before = await inWorkspace(ctx.db, scope.workspaceId, (trx) => findConnection(trx, scope));
  requireReadable(before);
  const move = await wantedMove(ctx, before, patch.subdomain);
  if (move.to !== move.from && !auth) throw lacksLogin("where the connection reads", "at that subdomain");
  const access = wantedAccess(before.access, patch);
  const login = auth ? await tryLogin(ctx, { subdomain: move.to, auth, access }, now) : null;
  if (login) await confirmSameAccount(ctx, before, { ...login, subdomain: move.to }, confirmLogin);
  return inWorkspace(ctx.db, scope.workspaceId, async (trx) => {
    const held = await holdReadable(trx, scope);
    const connection = login ? await changeLogin(trx, held, { ...login, access, move }, now) : held;
    await changeSettings(trx, connection, patch, now);
    const { stopped } = await changePause(trx, connection, patch, now);
    return { stopped: stopped || login !== null };
  });
}

/** What a login is tried for. Another grant is given by signing in for it, never by a word alone. */
function wantedAccess(present: string, { access, auth }: ConnectionPatch): "read" | "read_write" {
  const holds = present === "read_write" ? "read_write" : "read";
  if (access === undefined || access === holds || auth) return access ?? holds;
  throw lacksLogin("what the connection may do", "for that access");
}

function lacksLogin(what: string, how: string): AppError {
  const message = `is needed to change ${what}: send the login again with it, and it is tried ${how}`;
  return invalid(`auth ${message}.`, [{ path: "auth", message }]);
}

/** Change Login (T-57): the same account, its rows and cursors kept; reading goes on at once, a running run with the new login. */
async function changeLogin(
  trx: Trx,
  connection: StoredConnection,
  login: Login & { access: "read" | "read_write"; move: Move },
  now: Date,
): Promise<StoredConnection> {
  const scope = { workspaceId: connection.workspace_id, connectionId: connection.id };
  await moveConnection(trx, connection, login, now);
  const state = connection.state === "failing" ? "active" : connection.state;
  const changed = {
    ...login.stored,
    access: login.access,
    state,
    failure_code: null,
    failure_message: null,
    failure_since: null,
    failure_action: null,
  };
  await updateConnection(trx, scope, changed, now);
  await suspendRun(trx, scope);
  await recheckWebhook(trx, scope, now);
  if (state === "active") await requestRun(trx, scope, { mode: "incremental", trigger: "person" }, now);
  return { ...connection, ...changed, subdomain: login.move.to };
}

async function changeSettings(
  trx: Trx,
  connection: StoredConnection,
  patch: ConnectionPatch,
  now: Date,
): Promise<void> {
  const scope = { workspaceId: connection.workspace_id, connectionId: connection.id };
  const { syncIntervalMinutes: minutes } = patch;
  await updateConnection(
    trx,
    scope,
    {
      ...(patch.name === undefined ? {} : { name: patch.name }),
      ...(patch.historyDays === undefined ? {} : { history_days: patch.historyDays }),
      ...(patch.eventHistoryDays === undefined ? {} : { event_history_days: patch.eventHistoryDays }),
      ...(minutes === undefined ? {} : { sync_interval_minutes: minutes }),
      ...(minutes === undefined || connection.next_sync_at === null
        ? {}
        : { next_sync_at: nextSync(scope, minutes, now) }),
    },
    now,
  );
  const opensGap =
    reachesBack(patch.historyDays, connection.history_days) ||
    reachesBack(patch.eventHistoryDays, connection.event_history_days);
  // Read again from the new start, beside the stored rows (row 85). Of a paused connection the run after the pause reads the gap.
  if (opensGap && connection.state !== "paused") await requestRun(trx, scope, { mode: "full", trigger: "person" }, now);
}

/** Whether a history of `wanted` days begins before one of `present` days; 0 is everything. */
export function reachesBack(wanted: number | undefined, present: number): boolean {
  if (wanted === undefined || present === 0) return false;
  return wanted === 0 || wanted > present;
}

async function changePause(
  trx: Trx,
  connection: StoredConnection,
  patch: ConnectionPatch,
  now: Date,
): Promise<{ stopped: boolean }> {
  const until = patch.pausedUntil === undefined || patch.pausedUntil === null ? null : new Date(patch.pausedUntil);
  if (patch.paused === false && until !== null) {
    const message = "Either resume the connection or pause it until an instant, not both.";
    throw invalid(message, [{ path: "pausedUntil", message }]);
  }
  // An end that is taken away leaves the pause to a person's word.
  const endless = patch.pausedUntil === null && connection.state === "paused" && patch.paused === undefined;
  if (patch.paused === true || until !== null || endless) {
    await pause(trx, connection, until, now);
    return { stopped: true };
  }
  if (patch.paused === false && connection.state === "paused") {
    await resume(trx, connection, now);
    const scope = { workspaceId: connection.workspace_id, connectionId: connection.id };
    await requestRun(trx, scope, { mode: "incremental", trigger: "person" }, now);
  }
  return { stopped: false };
}
