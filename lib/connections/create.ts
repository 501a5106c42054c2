import { inWorkspace, type Trx } from "#db/client.ts";
import type { StoredConnection } from "#lib/connections/load.ts";
import { type Login, readSubdomain, tryLogin } from "#lib/connections/login.ts";
import { findSameAccount } from "#lib/connections/same-account.ts";
import type { ConnectionBody } from "#lib/connections/shapes.ts";
import {
  findBySubdomain,
  insertConnection,
  insertLeaseRow,
  insertStreamStates,
  lockConnections,
  readRhythm,
  updateConnection,
} from "#lib/connections/store/connections.ts";
import { nextReconcile, nextSync } from "#lib/connections/times.ts";
import type { Context } from "#lib/context.ts";
import { AppError } from "#lib/errors.ts";
import { requestRun } from "#lib/jobs/request.ts";
import { setDefaultMatchKeys } from "#lib/matching/store.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** What is to be connected, beside the login. */
export type NewConnection = Pick<ConnectionBody, "access" | "historyDays" | "eventHistoryDays"> & {
  subdomain: string;
  name?: string | undefined;
};

/** Connects a Zendesk: the login is tried, then everything is written at once and the first run is queued. */
export async function createConnection(
  ctx: Pick<Context, "config" | "db" | "log">,
  workspaceId: number,
  body: ConnectionBody,
  by: string,
  now: Date,
): Promise<Scope> {
  const subdomain = readSubdomain(body.subdomain);
  // Asked before the login is tried and again under the lock: nobody types a secret for a connection that exists.
  await inWorkspace(ctx.db, workspaceId, (trx) => requireNew(trx, workspaceId, subdomain));
  const login = await tryLogin(ctx, { subdomain, auth: body.auth, access: body.access }, now);
  return inWorkspace(ctx.db, workspaceId, (trx) =>
    saveConnection(trx, workspaceId, { ...body, subdomain }, login, by, now),
  );
}

/** Stores a tried login as a connection of its own, or brings back one whose rows were kept when it was deleted (O-51). */
export async function saveConnection(
  trx: Trx,
  workspaceId: number,
  wanted: NewConnection,
  login: Login,
  by: string,
  now: Date,
): Promise<Scope> {
  await lockConnections(trx, workspaceId);
  // More than one, where another account has taken up the name of a renamed one.
  const deleted = await requireNew(trx, workspaceId, wanted.subdomain);
  const kept = await findSameAccount(trx, deleted, login.identity);
  const columns = {
    ...login.stored,
    name: wanted.name ?? wanted.subdomain,
    access: wanted.access,
    history_days: wanted.historyDays,
    event_history_days: wanted.eventHistoryDays,
    state: "active",
    connected_by: by,
    disconnected_at: null,
    archived_at: null,
  };
  const scope = kept ? await revive(trx, kept, columns, now) : await insert(trx, workspaceId, wanted, columns, now);
  await plan(trx, scope, now);
  await requestRun(trx, scope, { mode: kept ? "full" : "incremental", trigger: "first" }, now);
  return scope;
}

type Columns = Parameters<typeof updateConnection>[2] & Login["stored"] & { name: string; access: string };

async function insert(
  trx: Trx,
  workspaceId: number,
  wanted: NewConnection,
  columns: Columns,
  now: Date,
): Promise<Scope> {
  const connectionId = await insertConnection(trx, {
    ...columns,
    workspace_id: workspaceId,
    subdomain: wanted.subdomain,
    created_at: now,
    updated_at: now,
  });
  const scope = { workspaceId, connectionId };
  await insertLeaseRow(trx, scope);
  await insertStreamStates(trx, scope, now);
  await setDefaultMatchKeys(trx, scope);
  return scope;
}

async function revive(trx: Trx, kept: StoredConnection, columns: Columns, now: Date): Promise<Scope> {
  const scope = { workspaceId: kept.workspace_id, connectionId: kept.id };
  await updateConnection(trx, scope, columns, now);
  await insertStreamStates(trx, scope, now);
  return scope;
}

/** When the next regular sync and the next nightly check are due. */
export async function plan(trx: Trx, scope: Scope, now: Date): Promise<void> {
  const rhythm = await readRhythm(trx, scope.workspaceId);
  await updateConnection(
    trx,
    scope,
    {
      next_sync_at: nextSync(scope, rhythm.syncIntervalMinutes, now),
      next_reconcile_at: nextReconcile(scope, rhythm.timeZone, now),
    },
    now,
  );
}

/** Throws `conflict` for an account that is connected; gives the deleted connections whose rows were kept. */
async function requireNew(trx: Trx, workspaceId: number, subdomain: string): Promise<StoredConnection[]> {
  const found = await findBySubdomain(trx, workspaceId, subdomain);
  const present = found.find((connection) => connection.state !== "deleted");
  if (!present) return found;
  const remedy =
    present.state === "disconnected" || present.state === "archived"
      ? `It is ${present.state}: reconnect it, and reading goes on where it stood.`
      : "Change its login or its name there instead of connecting it again.";
  const message = `The Zendesk account ${subdomain} is already connected as “${present.name}” (connection ${present.id}). ${remedy}`;
  throw new AppError("conflict", message, { details: [{ path: "subdomain", message }] });
}
