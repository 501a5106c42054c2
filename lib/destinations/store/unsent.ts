import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { alignLanes, lockLanes } from "#lib/destinations/store/lanes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/**
 * Ends what a destination has not sent, with the reason. What may have been sent, or is being sent just now, stays unknown
 * and is left to a person. With `some`, only the oldest of what waits, up to one delivery. Gives how many were looked at.
 */
export async function failUnsent(
  trx: Trx,
  scope: Scope,
  destinationId: number,
  why: { code: string; reason: string; fix: string; fixOfUnknown: string },
  now: Date,
  some?: { most: number; upTo: string },
): Promise<number> {
  await lockLanes(trx, scope);
  const which =
    some === undefined
      ? sql`state in ('queued', 'held', 'unknown', 'sending')`
      : sql`id in (select id from delivery where workspace_id = ${scope.workspaceId} and destination_id = ${destinationId}
                    and state in ('queued', 'held') and id <= ${some.upTo}::bigint order by id limit ${some.most})`;
  const { rows } = await sql<{ id: string; state: string }>`
    update delivery
       set state = case when state in ('queued', 'held') then 'failed' else state end,
           code = case when state in ('queued', 'held') then ${why.code} else code end,
           reason = case when state in ('queued', 'held') then ${why.reason} else reason end,
           fix = case when state in ('queued', 'held') then ${why.fix} when state = 'unknown' then ${why.fixOfUnknown}
                      else fix end,
           due_at = case when state = 'sending' then due_at end,
           waits_for = case when state = 'sending' then waits_for end,
           updated_at = ${now.toISOString()}::timestamptz
     where workspace_id = ${scope.workspaceId} and destination_id = ${destinationId}
       and ${which}
    returning id, state`.execute(trx);
  const ended = rows.filter(({ state }) => state !== "sending").map(({ id }) => id);
  await alignLanes(trx, scope.workspaceId, ended);
  return rows.length;
}

/** The newest delivery of a destination, or null. */
export async function newestDelivery(trx: Trx, workspaceId: number, destinationId: number): Promise<string | null> {
  const newest = await trx
    .selectFrom("delivery")
    .select("id")
    .where("workspace_id", "=", workspaceId)
    .where("destination_id", "=", destinationId)
    .orderBy("id", "desc")
    .limit(1)
    .executeTakeFirst();
  return newest?.id ?? null;
}
