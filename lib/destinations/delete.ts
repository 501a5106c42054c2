import { inWorkspace, type Trx } from "#db/client.ts";
import type { Context } from "#lib/context.ts";
import { holdDestination, holdRouted } from "#lib/destinations/destinations.ts";
import { routeWaiting } from "#lib/destinations/route-events.ts";
import { stopDestination } from "#lib/destinations/stop.ts";
import {
  holdDestinationsOf,
  type StoredDestination,
  deleteDestination as takeAway,
} from "#lib/destinations/store/destinations.ts";
import { lockRouting } from "#lib/destinations/store/routing.ts";
import { failUnsent, newestDelivery } from "#lib/destinations/store/unsent.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** So many deliveries are ended in one transaction, which keeps everybody else from their lanes. */
const endedAtOnce = 1000;

/**
 * Removes a destination; events that came before are routed as it stood. What was not sent is listed as failed; what may have
 * been sent stays unknown, for a person. It is stopped first: where the process dies on the way, the destination stands as a
 * stopped one, which can be deleted again. Throws `not_found`.
 */
export async function deleteDestination(
  ctx: Context,
  workspaceId: number,
  id: string,
  by: string,
  now: Date,
): Promise<void> {
  const within = <T>(work: (trx: Trx) => Promise<T>) => inWorkspace(ctx.db, workspaceId, work);
  const why = ({ name }: StoredDestination) => `${by} deleted the destination “${name}” before this was sent.`;
  await within((trx) => stopDestination(trx, workspaceId, id, by, now));
  await routeWaiting(ctx, workspaceId, now);
  const upTo = await within(async (trx) =>
    newestDelivery(trx, workspaceId, (await holdDestination(trx, workspaceId, id)).id),
  );
  const endSome = async (trx: Trx) => {
    // Somebody may have started it again meanwhile: what comes behind that which is ended here must not go before the end.
    await stopDestination(trx, workspaceId, id, by, now);
    const row = await holdDestination(trx, workspaceId, id);
    return endUnsent(trx, row, why(row), now, { most: endedAtOnce, upTo: upTo ?? "0" });
  };
  while ((await within(endSome)) === endedAtOnce);
  await within(async (trx) => {
    const row = await holdRouted(ctx, trx, workspaceId, id, now);
    await remove(trx, row, why(row), now);
  });
}

/** For a connection that is deleted with its rows kept: nobody can write to it any more. */
export async function deleteDestinationsOf(trx: Trx, scope: Scope, connectionName: string, now: Date): Promise<void> {
  const { workspaceId, connectionId } = scope;
  const reason = `The connection “${connectionName}” was deleted before this was sent.`;
  await lockRouting(trx, workspaceId);
  for (const row of await holdDestinationsOf(trx, workspaceId, connectionId)) await remove(trx, row, reason, now);
}

async function remove(trx: Trx, row: StoredDestination, reason: string, now: Date): Promise<void> {
  await endUnsent(trx, row, reason, now);
  await takeAway(trx, row.workspace_id, row.id, now);
}

function endUnsent(
  trx: Trx,
  row: StoredDestination,
  reason: string,
  now: Date,
  some?: { most: number; upTo: string },
): Promise<number> {
  const scope = { workspaceId: row.workspace_id, connectionId: row.connection_id };
  const fix = "Make a destination again and send the calls again, if they are still wanted.";
  const fixOfUnknown = "Look in Zendesk whether it has happened; discard ends it. Nothing more is sent from here.";
  return failUnsent(trx, scope, row.id, { code: "destination_deleted", reason, fix, fixOfUnknown }, now, some);
}
