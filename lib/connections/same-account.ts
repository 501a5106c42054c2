import { type Db, inWorkspace } from "#db/client.ts";
import { landmarksAgree } from "#lib/connections/landmarks.ts";
import type { StoredConnection } from "#lib/connections/load.ts";
import type { Login } from "#lib/connections/login.ts";
import { hasUsers, knowsUser } from "#lib/connections/store/connections.ts";
import type { Context } from "#lib/context.ts";
import { AppError } from "#lib/errors.ts";
import type { Identity } from "#lib/zendesk/identity.ts";

/** A login that Zendesk vouches for, and a person has to: the same account, somebody who was not seen there before. */
export class ConfirmationNeeded extends AppError {
  readonly connectionId: number;

  constructor(connectionId: number, message: string) {
    super("conflict", message, { details: [{ path: "confirmLogin", message }] });
    this.connectionId = connectionId;
  }
}

/**
 * Of connections of one subdomain the first that holds rows of the Zendesk account to which a login belongs (rows 64, 66): it is
 * the former login, or a person who was read from that account, by id and e-mail. Before any person was read, the subdomain
 * decides. Undefined where there are no connections; throws `invalid` where the login belongs to none of them.
 */
export async function findSameAccount(
  db: Db,
  connections: readonly StoredConnection[],
  identity: Identity,
): Promise<StoredConnection | undefined> {
  for (const connection of connections) if (await isKnown(db, connection, identity)) return connection;
  if (connections[0]) throw stranger(connections[0], identity);
  return undefined;
}

/**
 * The same for a login that may be new: its e-mail has changed in Zendesk, or it is an administrator who came after the last
 * sync. Zendesk is asked, as that login and at the subdomain where it was tried, for rows that were read before; where they
 * are the same, a person's word decides. Throws ConfirmationNeeded until that is given, and `invalid` for another account
 * whatever was confirmed.
 */
export async function confirmSameAccount(
  ctx: Pick<Context, "config" | "db" | "log">,
  connection: StoredConnection,
  login: Login & { subdomain: string },
  confirmed: boolean,
): Promise<void> {
  const { identity, subdomain } = login;
  const isSure = await inWorkspace(ctx.db, connection.workspace_id, (trx) =>
    isKnown(trx, connection, identity, subdomain),
  );
  const isMoved = subdomain !== connection.subdomain;
  // Two accounts may use the same ids, and elsewhere what was read, if anything was, must be there as well.
  if (isSure && !(isMoved && (await hasRead(ctx.db, connection)))) return;
  if (!(await landmarksAgree(ctx, { ...connection, subdomain }, login))) {
    throw isMoved ? otherAccount(connection, identity, subdomain) : stranger(connection, identity);
  }
  if (isSure || confirmed) return;
  const message =
    `${subdomain} answers to this login as ${nameOf(identity)} now; this connection was made as ` +
    `${connection.login_email ?? `the user ${connection.login_id}`}. Rows that were read before are there, so it is the same account. ` +
    "If that is right, send the same again with confirmLogin: true; rows and cursors stay.";
  throw new ConfirmationNeeded(connection.id, message);
}

async function isKnown(
  db: Db,
  connection: StoredConnection,
  identity: Identity,
  subdomain = connection.subdomain,
): Promise<boolean> {
  const isFormer =
    connection.login_id === identity.id && connection.login_email?.toLowerCase() === identity.email?.toLowerCase();
  if (isFormer) return true;
  const scope = { workspaceId: connection.workspace_id, connectionId: connection.id };
  if (await knowsUser(db, scope, identity)) return true;
  // Another subdomain decides nothing.
  return subdomain === connection.subdomain && !(await hasUsers(db, scope));
}

function hasRead(db: Db, { workspace_id: workspaceId, id: connectionId }: StoredConnection): Promise<boolean> {
  return inWorkspace(db, workspaceId, (trx) => hasUsers(trx, { workspaceId, connectionId }));
}

function stranger(connection: StoredConnection, identity: Identity): AppError {
  const message =
    `${identity.email ?? `The user ${identity.id}`} is nobody whom this connection has read from ${connection.subdomain}: ` +
    "the account behind that name may be another one now. Sign in as an administrator who was there at the last sync; " +
    "for another account, make a connection of its own.";
  return new AppError("invalid", message, { details: [{ path: "auth", message }] });
}

function otherAccount(connection: StoredConnection, identity: Identity, subdomain: string): AppError {
  const message =
    `${identity.email ?? `The user ${identity.id}`} at ${subdomain} is nobody whom this connection has read from ` +
    `${connection.subdomain}, and what was read there is not found: it is no new name of the same account. Check the ` +
    "subdomain; for another account, make a connection of its own.";
  return new AppError("invalid", message, { details: [{ path: "subdomain", message }] });
}

function nameOf({ id, name, email }: Identity): string {
  if (email === null) return name ?? `the user ${id}`;
  return name === null ? email : `${name} (${email})`;
}
