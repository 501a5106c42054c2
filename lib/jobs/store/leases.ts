import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { Lease, LeaseRow } from "#lib/jobs/lease.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** When the server that answers was started, to the microsecond: another one, or the same one started anew, says otherwise. */
const serverStart = sql<string>`extract(epoch from pg_postmaster_start_time())::text`;

export async function lockLease(trx: Trx, scope: Scope): Promise<LeaseRow | undefined> {
  return trx
    .selectFrom("connection_lease")
    .select(["epoch", "holder", "heartbeat_at as heartbeatAt", sql<Date>`clock_timestamp()`.as("at")])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .forUpdate()
    .executeTakeFirst();
}

/** The next epoch, under `holder` or under nobody. After `lockLease` alone: an update by itself would not wait for a page in flight. */
export async function moveLease(trx: Trx, scope: Scope, holder: string | null): Promise<Lease> {
  const row = await trx
    .updateTable("connection_lease")
    .set({ epoch: sql`epoch + 1`, holder, heartbeat_at: sql<Date>`clock_timestamp()` })
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .returning(["epoch", serverStart.as("serverStart")])
    .executeTakeFirstOrThrow();
  return { workspaceId: scope.workspaceId, connectionId: scope.connectionId, holder: holder ?? "", ...row };
}

/**
 * A key-share lock: it holds off a takeover (which locks for update) and lets the holder's own heartbeat pass. The server
 * itself ends the transaction of a holder that stands still in it for `longestIdleMs`, and with it the lock. Gives when the
 * server was started; undefined when the lease was lost.
 */
export async function shareLease(trx: Trx, lease: Lease, longestIdleMs: number): Promise<string | undefined> {
  const idle = sql<string>`set_config('idle_in_transaction_session_timeout', ${String(longestIdleMs)}, true)`;
  const row = await trx
    .selectFrom("connection_lease")
    .select([serverStart.as("serverStart"), idle.as("idle")])
    .where("workspace_id", "=", lease.workspaceId)
    .where("connection_id", "=", lease.connectionId)
    .where("epoch", "=", lease.epoch)
    .where("holder", "=", lease.holder)
    .forKeyShare()
    .executeTakeFirst();
  return row?.serverStart;
}

/** Gives the lease back; nothing happens when it was lost meanwhile. */
export async function freeLease(trx: Trx, lease: Lease): Promise<void> {
  await trx
    .updateTable("connection_lease")
    .set({ holder: null, heartbeat_at: null })
    .where("workspace_id", "=", lease.workspaceId)
    .where("connection_id", "=", lease.connectionId)
    .where("epoch", "=", lease.epoch)
    .where("holder", "=", lease.holder)
    .execute();
}

/** The connections whose lease still stands. One that somebody is deciding about just now holds up no other's heartbeat. */
export async function beatLeases(trx: Trx, workspaceId: number, leases: Lease[]): Promise<Set<number>> {
  const standing = trx
    .selectFrom("connection_lease")
    .select("connection_id")
    .where("workspace_id", "=", workspaceId)
    .where((eb) =>
      eb.or(
        leases.map(({ connectionId, epoch, holder }) =>
          eb.and([eb("connection_id", "=", connectionId), eb("epoch", "=", epoch), eb("holder", "=", holder)]),
        ),
      ),
    );
  await trx
    .updateTable("connection_lease")
    .set({ heartbeat_at: sql<Date>`clock_timestamp()` })
    .where("workspace_id", "=", workspaceId)
    .where("connection_id", "in", standing.forNoKeyUpdate().skipLocked())
    .execute();
  const rows = await standing.execute();
  return new Set(rows.map((row) => row.connection_id));
}
