import { sql } from "kysely";
import type { Trx } from "#db/client.ts";

/** Gives how many were deleted. */
export async function deleteOldDeliveries(
  trx: Trx,
  workspaceId: number,
  { state, before }: { state: "done" | "failed"; before: Date },
  limit: number,
): Promise<number> {
  const { rows } = await sql<{ deliveries: number }>`
    with old as materialized (
      select id from delivery where workspace_id = ${workspaceId} and state = ${state}
         and updated_at < ${before.toISOString()}::timestamptz
       limit ${limit} for update skip locked),
    said as (
      delete from delivery_exchange where workspace_id = ${workspaceId} and delivery_id in (select id from old)),
    passed as (
      delete from delivery_lane where workspace_id = ${workspaceId} and delivery_id in (select id from old)),
    gone as (
      delete from delivery where workspace_id = ${workspaceId} and id in (select id from old) returning id)
    select count(*)::int as deliveries from gone`.execute(trx);
  return rows[0]?.deliveries ?? 0;
}
