import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { alignLanes, lockLanes } from "#lib/destinations/store/lanes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** Deliveries that somebody else decides about just now are left to them. */
const found = (condition: ReturnType<typeof sql>, { workspaceId, connectionId }: Scope) => sql`
  select id from delivery where workspace_id = ${workspaceId} and connection_id = ${connectionId} and ${condition}
     for update skip locked`;

const queued = (now: Date) => sql`state = 'queued', code = null, reason = null, fix = null, retries = 0, is_late = true,
  due_at = ${now.toISOString()}::timestamptz, updated_at = ${now.toISOString()}::timestamptz`;

/** Takes up again what failed for one reason, of those that concern the same: all behind a delivery, before it since an instant. */
export async function requeueOfLanes(
  trx: Trx,
  scope: Scope,
  which: { destinationId: number; code: string; lanes: readonly string[]; behind: string; since: Date },
  now: Date,
): Promise<void> {
  const condition = sql`destination_id = ${which.destinationId} and state = 'failed' and code = ${which.code}
    and (id > ${which.behind} or least(created_at, updated_at) >= ${which.since.toISOString()}::timestamptz)
    and id in (select delivery_id from delivery_lane where workspace_id = ${scope.workspaceId}
      and connection_id = ${scope.connectionId} and lane = any(${[...which.lanes]}::text[]) and state = 'failed')`;
  await requeue(trx, scope, condition, now);
}

/** Queued deliveries of an action that nobody has in hand wait until an instant, in the words of one that has to. */
export async function putOff(
  trx: Trx,
  scope: Scope,
  which: { action: string; until: Date; code: string; reason: string | null },
  now: Date,
): Promise<void> {
  await trx
    .updateTable("delivery")
    .set({ due_at: which.until, code: which.code, reason: which.reason, updated_at: now })
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("action", "=", which.action)
    .where("state", "=", "queued")
    .where("due_at", "<", which.until)
    .where("claimed_by", "is", null)
    .execute();
}

/** Takes up again what is held for one reason. */
export async function requeueHeld(
  trx: Trx,
  scope: Scope,
  which: { destinationId: number; code: string; except: string },
  now: Date,
): Promise<void> {
  const condition = sql`destination_id = ${which.destinationId} and state = 'held' and code = ${which.code}
    and id <> ${which.except}`;
  await requeue(trx, scope, condition, now);
}

async function requeue(trx: Trx, scope: Scope, condition: ReturnType<typeof sql>, now: Date): Promise<void> {
  await lockLanes(trx, scope);
  const { rows } = await sql<{ id: string }>`
    update delivery d set ${queued(now)} from (${found(condition, scope)}) again
     where d.workspace_id = ${scope.workspaceId} and d.id = again.id
    returning d.id`.execute(trx);
  await alignLanes(
    trx,
    scope.workspaceId,
    rows.map(({ id }) => id),
  );
}
