import type { Db } from "#db/client.ts";
import type { StoredConnection } from "#lib/connections/load.ts";
import { hasUsers, knowsUser } from "#lib/connections/store/connections.ts";
import { AppError } from "#lib/errors.ts";
import type { Identity } from "#lib/zendesk/identity.ts";

/**
 * Throws `invalid` unless a login belongs to the Zendesk account whose rows the connection holds (rows 64, 66): it is the
 * former login, or a person who was read from that account, by id and e-mail. Before any person was read, the subdomain decides.
 */
export async function requireSameAccount(db: Db, connection: StoredConnection, identity: Identity): Promise<void> {
  const isFormer =
    connection.login_id === identity.id && connection.login_email?.toLowerCase() === identity.email?.toLowerCase();
  if (isFormer) return;
  const scope = { workspaceId: connection.workspace_id, connectionId: connection.id };
  if (await knowsUser(db, scope, identity)) return;
  if (!(await hasUsers(db, scope))) return;
  const message =
    `${identity.email ?? `The user ${identity.id}`} is nobody whom this connection has read from ${connection.subdomain}: ` +
    "the account behind that name may be another one now. Sign in as an administrator who was there at the last sync; " +
    "for another account, make a connection of its own.";
  throw new AppError("invalid", message, { details: [{ path: "auth", message }] });
}
