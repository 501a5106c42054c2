import { inWorkspace, type Trx } from "#db/client.ts";
import { plan } from "#lib/connections/create.ts";
import type { StoredConnection } from "#lib/connections/load.ts";
import { type Login, tryLogin } from "#lib/connections/login.ts";
import { type Move, moveConnection, wantedMove } from "#lib/connections/move.ts";
import { confirmSameAccount } from "#lib/connections/same-account.ts";
import type { ReconnectBody } from "#lib/connections/shapes.ts";
import { findConnection, hiddenStates, holdConnection, updateConnection } from "#lib/connections/store/connections.ts";
import type { Context } from "#lib/context.ts";
import { AppError, notFound } from "#lib/errors.ts";
import { requestRun } from "#lib/jobs/request.ts";
import { endRun, suspendRun } from "#lib/jobs/suspend.ts";
import { recheckWebhook, removeWebhook } from "#lib/webhooks/registration.ts";
import { revokeToken } from "#lib/zendesk/credentials.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/*
 * disconnect → (reconnect) → archive → delete, in that order (O-49). Each step can be repeated; only the last cannot be undone.
 */

/**
 * Stops reading (row 121): the running run commits nothing more, the schedules are gone, the login is destroyed here and then
 * taken back at Zendesk. What was read stays. `stopped` is called once it is so, before Zendesk is asked.
 */
export async function disconnect(
  ctx: Pick<Context, "config" | "db" | "log">,
  scope: Scope,
  now: Date,
  stopped: () => void = () => {},
): Promise<{ revoked: boolean | null }> {
  const former = await inWorkspace(ctx.db, scope.workspaceId, async (trx) => {
    const connection = await requireConnection(trx, scope);
    if (connection.state === "disconnected") return null;
    if (connection.state === "archived") {
      throw new AppError("conflict", `“${connection.name}” is archived, and therefore disconnected already.`);
    }
    await endRun(trx, scope, disconnected, now);
    await updateConnection(trx, scope, { ...noLogin, state: "disconnected", disconnected_at: now }, now);
    return connection;
  });
  if (former === null) return { revoked: null };
  stopped();
  await removeWebhook(ctx, scope, former);
  const revoked = await revokeToken(ctx, former);
  if (!revoked) ctx.log.warn({ ...scope }, "Zendesk did not confirm that the token was taken back");
  return { revoked };
}

const disconnected = {
  code: "disconnected",
  message: "The connection was disconnected during this run.",
  action: "What was read before stays. Reconnect to go on from there.",
};

const noLogin = {
  auth_secret: null,
  token_secret: null,
  token_expires_at: null,
  login_ends_at: null,
  paused_until: null,
  next_sync_at: null,
  next_reconcile_at: null,
  failure_code: null,
  failure_message: null,
  failure_since: null,
  failure_action: null,
};

/**
 * Signs in again to the same account, as whichever administrator; rows and cursors are as they were left (row 66).
 * `subdomain`: its new one, after it was renamed (row 65). `confirmLogin`: a person's word for a login that nobody has seen
 * before. Throws as `wantedMove` and `confirmSameAccount`.
 */
export async function reconnect(
  ctx: Pick<Context, "config" | "db" | "log">,
  scope: Scope,
  { auth, subdomain: typed, confirmLogin = false }: ReconnectBody,
  by: string,
  now: Date,
): Promise<void> {
  const connection = await inWorkspace(ctx.db, scope.workspaceId, (trx) => findConnection(trx, scope));
  if (!connection || hiddenStates.includes(connection.state)) throw notFound("The connection");
  if (!auth) {
    const message =
      "The login was destroyed when the connection was disconnected: send `auth` again, or sign in at Zendesk through the connect button.";
    throw new AppError("invalid", message, { details: [{ path: "auth", message }] });
  }
  const access = connection.access === "read_write" ? "read_write" : "read";
  const move = await wantedMove(ctx, connection, typed);
  const login = await tryLogin(ctx, { subdomain: move.to, auth, access }, now);
  await confirmSameAccount(ctx, connection, { ...login, subdomain: move.to }, confirmLogin);
  await inWorkspace(ctx.db, scope.workspaceId, (trx) =>
    saveReconnected(trx, scope, { ...login, access, move }, by, now),
  );
}

/** Stores a tried login, of the same account, in a connection that has none, or another one, and lets reading go on. */
export async function saveReconnected(
  trx: Trx,
  scope: Scope,
  login: Login & { access?: "read" | "read_write"; move?: Move },
  by: string,
  now: Date,
): Promise<void> {
  const connection = await requireConnection(trx, scope);
  const { identity, move } = login;
  if (move) await moveConnection(trx, connection, { identity, move }, now);
  await updateConnection(
    trx,
    scope,
    {
      ...noLogin,
      ...login.stored,
      ...(login.access && { access: login.access }),
      state: "active",
      connected_by: by,
      disconnected_at: null,
      archived_at: null,
    },
    now,
  );
  await plan(trx, scope, now);
  // A connection that was never disconnected may be running: with its former login.
  await suspendRun(trx, scope);
  await recheckWebhook(trx, scope, now);
  await requestRun(trx, scope, { mode: "incremental", trigger: "first" }, now);
}

/** Puts a disconnected connection away. */
export async function archive(trx: Trx, scope: Scope, now: Date): Promise<void> {
  const connection = await requireConnection(trx, scope);
  if (connection.state === "archived") return;
  if (connection.state !== "disconnected") {
    throw new AppError("conflict", `“${connection.name}” is still connected: disconnect it first, then archive it.`);
  }
  await updateConnection(trx, scope, { state: "archived", archived_at: now }, now);
}

async function requireConnection(trx: Trx, scope: Scope): Promise<StoredConnection> {
  const connection = await holdConnection(trx, scope);
  if (!connection || hiddenStates.includes(connection.state)) throw notFound("The connection");
  return connection;
}
