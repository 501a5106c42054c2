import type { Trx } from "#db/client.ts";
import type { StoredConnection } from "#lib/connections/load.ts";
import { hiddenStates, holdConnection } from "#lib/connections/store/connections.ts";
import { AppError, notFound } from "#lib/errors.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** A connection that may be read, held until the transaction ends. Throws `not_found`, or `conflict` where it is disconnected. */
export async function holdReadable(trx: Trx, scope: Scope): Promise<StoredConnection> {
  const connection = await holdConnection(trx, scope);
  requireReadable(connection);
  return connection;
}

export function requireReadable(connection: StoredConnection | undefined): asserts connection is StoredConnection {
  if (!connection || hiddenStates.includes(connection.state)) throw notFound("The connection");
  if (connection.state === "disconnected" || connection.state === "archived") {
    throw new AppError("conflict", `“${connection.name}” is ${connection.state}: reconnect it first.`);
  }
}
