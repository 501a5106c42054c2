import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import {
  deleteConnectionRow,
  findByState,
  hiddenStates,
  holdConnection,
  updateConnection,
} from "#lib/connections/store/connections.ts";
import { deleteSome, deleteSomeParts, partsOfDestinations, tablesOfConnection } from "#lib/connections/store/erase.ts";
import { deleteDestinationsOf } from "#lib/destinations/delete.ts";
import { AppError, notFound } from "#lib/errors.ts";
import { rebuildMetrics } from "#lib/metrics/rebuild.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

const batch = 10_000;

/**
 * Deletes an archived connection. `keep`: its rows stay and go on counting (T-60); the connection is shown no more, and
 * connecting the same account again takes them up. `purge`: every row that was read is erased, and the numbers are right when it returns.
 */
export async function deleteConnection(db: Db, scope: Scope, data: "keep" | "purge", now: Date): Promise<void> {
  await inWorkspace(db, scope.workspaceId, async (trx) => {
    const connection = await holdConnection(trx, scope);
    if (!connection || hiddenStates.includes(connection.state)) throw notFound("The connection");
    if (connection.state !== "archived") throw notYet(connection.name, connection.state);
    await deleteDestinationsOf(trx, scope, connection.name, now);
    await updateConnection(trx, scope, { state: data === "keep" ? "deleted" : "purging" }, now);
  });
  if (data === "purge") await purge(db, scope, now);
}

function notYet(name: string, state: string): AppError {
  const missing = state === "disconnected" ? "archive it first" : "disconnect it first, then archive it";
  return new AppError("conflict", `“${name}” cannot be deleted yet: ${missing}.`);
}

/** Purges that broke off go on, until `isOver`. */
export async function resumePurges(db: Db, workspaceId: number, now: Date, isOver: () => boolean): Promise<void> {
  const unfinished = await inWorkspace(db, workspaceId, (trx) => findByState(trx, workspaceId, "purging"));
  for (const connectionId of unfinished) await purge(db, { workspaceId, connectionId }, now, isOver);
}

/** In batches, each a transaction; the connection's own row goes last, with the counts put right, so that a purge that breaks off is found. */
async function purge(db: Db, scope: Scope, now: Date, isOver: () => boolean = () => false): Promise<void> {
  const { workspaceId } = scope;
  const steps = [
    ...partsOfDestinations.map((part) => (trx: Trx) => deleteSomeParts(trx, scope, part, batch)),
    ...tablesOfConnection.map((table) => (trx: Trx) => deleteSome(trx, scope, table, batch)),
  ];
  for (const step of steps) {
    let deleted = batch;
    while (deleted === batch) {
      if (isOver()) return;
      deleted = await inWorkspace(db, workspaceId, step);
    }
  }
  await inWorkspace(db, workspaceId, async (trx) => {
    await rebuildMetrics(trx, workspaceId, now);
    await deleteConnectionRow(trx, scope);
  });
}
