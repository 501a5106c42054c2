import { inWorkspace, type Trx } from "#db/client.ts";
import type { StoredConnection } from "#lib/connections/load.ts";
import { type Login, readSubdomain } from "#lib/connections/login.ts";
import { findBySubdomain, knowsUser, lockConnections, updateConnection } from "#lib/connections/store/connections.ts";
import type { Context } from "#lib/context.ts";
import { rebindDeliveries } from "#lib/destinations/barred.ts";
import { AppError } from "#lib/errors.ts";

/*
 * A renamed Zendesk account answers at its old subdomain with a redirect, which is never followed (row 65): its connection
 * goes with it when a person signs in at the new one.
 */

/** From the subdomain where a connection reads to the one where a login is tried: as a rule the same. */
export interface Move {
  from: string;
  to: string;
}

/**
 * Where a person wants a connection to read, `typed` or where it does. Throws `invalid`, and `conflict` for a subdomain that
 * another connection has.
 */
export async function wantedMove(
  ctx: Pick<Context, "db">,
  connection: StoredConnection,
  typed: string | undefined,
): Promise<Move> {
  const { subdomain: from } = connection;
  const to = typed === undefined ? from : readSubdomain(typed);
  // Asked before the login is tried and again under the lock, as when connecting.
  if (to !== from) await inWorkspace(ctx.db, connection.workspace_id, (trx) => requireFree(trx, connection, to));
  return { from, to };
}

/**
 * Lets a connection that is held read its account where a login of that account was tried. What was read stays, and what
 * waits to be written goes there. Throws `conflict` where the account's rows would be there twice, and where somebody else
 * has moved the connection meanwhile.
 */
export async function moveConnection(
  trx: Trx,
  connection: StoredConnection,
  { identity, move: { from, to } }: Pick<Login, "identity"> & { move: Move },
  now: Date,
): Promise<void> {
  if (connection.subdomain !== from) {
    throw new AppError(
      "conflict",
      `“${connection.name}” reads ${connection.subdomain} by now: look at it and try again.`,
    );
  }
  if (to === from) return;
  const scope = { workspaceId: connection.workspace_id, connectionId: connection.id };
  await lockConnections(trx, connection.workspace_id);
  for (const kept of await requireFree(trx, connection, to)) {
    const holds = await knowsUser(trx, { ...scope, connectionId: kept.id }, identity);
    if (holds) throw twice(`Rows of ${to} were kept when “${kept.name}” was deleted, and count on`, keptRemedy);
  }
  await updateConnection(trx, scope, { subdomain: to }, now);
  await rebindDeliveries(trx, scope, { from, to });
}

const keptRemedy =
  "Connect that subdomain, which takes those rows up again; then disconnect, archive and delete that connection with its rows, and reconnect this one.";

/** Gives the deleted connections whose rows were kept under a subdomain. Throws `conflict` where one that is not deleted has it. */
async function requireFree(trx: Trx, connection: StoredConnection, subdomain: string): Promise<StoredConnection[]> {
  const found = await findBySubdomain(trx, connection.workspace_id, subdomain);
  const present = found.find(({ id, state }) => id !== connection.id && state !== "deleted");
  if (!present) return found;
  throw twice(
    `The Zendesk account ${subdomain} is already connected as “${present.name}” (connection ${present.id})`,
    `To keep “${connection.name}”, disconnect, archive and delete “${present.name}” with its rows first.`,
  );
}

function twice(what: string, remedy: string): AppError {
  const message = `${what}: beside it, everything would count twice. ${remedy}`;
  return new AppError("conflict", message, { details: [{ path: "subdomain", message }] });
}
