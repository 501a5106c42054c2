import { type SqlBool, sql, type Updateable } from "kysely";
import type { Trx } from "#db/client.ts";
import type { DeliveryTable } from "#db/schema.ts";
import { freeOverdue } from "#lib/destinations/store/claims.ts";
import type { StoredDelivery } from "#lib/destinations/store/deliveries.ts";
import { alignLanes, lockLanes } from "#lib/destinations/store/lanes.ts";

/** A delivery, kept from everybody else until the transaction ends, and its lanes with it; a claim on it that is over is gone. */
export async function lockDelivery(
  trx: Trx,
  workspaceId: number,
  id: string,
  now: Date,
): Promise<StoredDelivery | undefined> {
  await lockLanesOf(trx, workspaceId, [id]);
  await freeOverdue(trx, workspaceId, [id], now);
  return trx
    .selectFrom("delivery")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .forUpdate()
    .executeTakeFirst();
}

/** States from which a delivery may be taken up again. */
export const replayableStates = ["failed", "held", "unknown"] as const;

/** Those of these deliveries that may be taken up again now, with their lanes; what somebody holds is left out. */
export async function lockReplayable(
  trx: Trx,
  workspaceId: number,
  ids: readonly string[],
  now: Date,
): Promise<StoredDelivery[]> {
  await lockLanesOf(trx, workspaceId, ids);
  await freeOverdue(trx, workspaceId, ids, now);
  return trx
    .selectFrom("delivery")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("id", "in", [...ids])
    .where("state", "in", [...replayableStates])
    .where(sql<SqlBool>`claimed_until is null`)
    .orderBy("id")
    .forUpdate()
    .skipLocked()
    .execute();
}

/** Before the rows are: whoever has the lanes may wait for a row, and not the other way round. */
async function lockLanesOf(trx: Trx, workspaceId: number, ids: readonly string[]): Promise<void> {
  const rows = await trx
    .selectFrom("delivery")
    .select("connection_id as connectionId")
    .distinct()
    .where("workspace_id", "=", workspaceId)
    .where("id", "in", [...ids])
    .orderBy("connection_id")
    .execute();
  for (const { connectionId } of rows) await lockLanes(trx, { workspaceId, connectionId });
}

/**
 * Writes a person's decision on a locked delivery; one with an instant at which it is due holds up its lanes, one without
 * holds up none.
 */
export async function decide(
  trx: Trx,
  workspaceId: number,
  id: string,
  columns: Updateable<Omit<DeliveryTable, "workspace_id">> & { due_at: Date | null },
  now: Date,
): Promise<void> {
  await trx
    .updateTable("delivery")
    .set({ ...columns, retries: 0, is_late: true, updated_at: now })
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .execute();
  await alignLanes(trx, workspaceId, [id]);
}
