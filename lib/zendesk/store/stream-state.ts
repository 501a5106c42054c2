import { type Selectable, sql, type Updateable } from "kysely";
import type { Trx } from "#db/client.ts";
import type { StreamStateTable } from "#db/schema.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** Separate readings of one stream, each with a place of its own (row 20). */
export type Purpose =
  | "incremental"
  | "reconcile"
  | "full"
  | "backfill"
  | "unknown"
  | "memberships"
  | "look_ups"
  | "membership_list"
  | "metric_sets"
  | "outrun"
  | "ahead";
export type StreamState = Selectable<StreamStateTable>;
type Change = Omit<
  Updateable<StreamStateTable>,
  "workspace_id" | "connection_id" | "stream" | "purpose" | "updated_at"
>;

export function readStreamState(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
  purpose: Purpose,
): Promise<StreamState | undefined> {
  return trx
    .selectFrom("stream_state")
    .selectAll()
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("stream", "=", stream)
    .where("purpose", "=", purpose)
    .executeTakeFirst();
}

/** Nobody else writes it before the transaction ends. */
export function lockStreamState(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
  purpose: Purpose,
): Promise<Pick<StreamState, "state" | "failure_code" | "failure_since"> | undefined> {
  return trx
    .selectFrom("stream_state")
    .select(["state", "failure_code", "failure_since"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("stream", "=", stream)
    .where("purpose", "=", purpose)
    .forUpdate()
    .executeTakeFirst();
}

export async function saveStreamState(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
  purpose: Purpose,
  change: Change,
  now: Date,
): Promise<void> {
  const key = { workspace_id: scope.workspaceId, connection_id: scope.connectionId, stream, purpose };
  await trx
    .insertInto("stream_state")
    .values({ ...key, ...change, updated_at: now })
    .onConflict((conflict) =>
      conflict
        .columns(["workspace_id", "connection_id", "stream", "purpose"])
        .doUpdateSet({ ...change, updated_at: now }),
    )
    .execute();
}

/** The database's clock, by which answers of Zendesk's are dated. */
export async function readClock(trx: Trx): Promise<Date> {
  const { rows } = await sql<{ now: Date }>`select clock_timestamp() as now`.execute(trx);
  return (rows[0] as { now: Date }).now;
}

/** How often a connection is to be read, and since when each of its streams has been read. */
export async function readRhythm(trx: Trx, scope: Scope): Promise<{ intervalMinutes: number; readSince: Date | null }> {
  const { rows } = await sql<{ intervalMinutes: number; readSince: Date | null }>`
    select coalesce(c.sync_interval_minutes, w.sync_interval_minutes) as "intervalMinutes",
           (select min(last_run_at) from stream_state s
             where s.workspace_id = c.workspace_id and s.connection_id = c.id and s.purpose = 'incremental') as "readSince"
      from connection c join workspace w on w.id = c.workspace_id
     where c.workspace_id = ${scope.workspaceId} and c.id = ${scope.connectionId}`.execute(trx);
  return rows[0] ?? { intervalMinutes: 60, readSince: null };
}
