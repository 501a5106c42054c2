import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import { lockMetrics } from "#lib/metrics/store.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { instant } from "#lib/zendesk/store/page.ts";

/** A row that could not be stored, or not wholly, as it came (row 55). */
export interface HeldRow {
  key: string;
  payload: string;
  reason: string;
}

/** Keeps rows in quarantine as they came at `fetchedAt`; one that is there already keeps the instant at which it first came. Gives how many are new. */
export async function holdRows(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
  rows: readonly HeldRow[],
  fetchedAt: Date,
): Promise<number> {
  const unique = [...new Map(rows.map((row) => [row.key, row])).values()];
  if (unique.length === 0) return 0;
  const { rows: held } = await sql<{ fresh: boolean }>`
    insert into held_row as stored
      (workspace_id, connection_id, stream, row_key, payload, reason, first_held_at, last_held_at)
    select ${scope.workspaceId}, ${scope.connectionId}, ${stream}, row_key, payload, reason,
           ${instant(fetchedAt)}::timestamptz, ${instant(fetchedAt)}::timestamptz
      from unnest(${unique.map((row) => row.key)}::text[], ${unique.map((row) => row.payload)}::text[],
                  ${unique.map((row) => row.reason)}::text[]) as page (row_key, payload, reason)
     order by row_key
    on conflict (workspace_id, connection_id, stream, row_key) do update set
      payload = excluded.payload, reason = excluded.reason, last_held_at = excluded.last_held_at
    returning stored.xmax = 0 as fresh`.execute(trx);
  return held.filter((row) => row.fresh).length;
}

/** Takes rows out of quarantine: a later version of theirs was stored. */
export async function releaseRows(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
  keys: readonly string[],
): Promise<string[]> {
  if (keys.length === 0) return [];
  const released = await trx
    .deleteFrom("held_row")
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("stream", "=", stream)
    .where("row_key", "in", [...keys])
    .returning("row_key")
    .execute();
  return released.map((row) => row.row_key);
}

export function readHeldRows(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
): Promise<(HeldRow & { firstHeldAt: Date; lastHeldAt: Date })[]> {
  return trx
    .selectFrom("held_row")
    .select(["row_key as key", "payload", "reason", "first_held_at as firstHeldAt", "last_held_at as lastHeldAt"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("stream", "=", stream)
    .orderBy("row_key")
    .execute();
}

export type KeptRow = HeldRow & { lastHeldAt: Date };

/**
 * Held rows of a stream in the order of their keys, locked until the transaction ends: a run that holds a newer version of
 * one waits, and so holds it again. The metrics' lock comes first, as in the transaction of a page.
 */
export async function lockHeldRows(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
  which: { after: string; limit: number; key?: string | undefined },
): Promise<KeptRow[]> {
  await lockMetrics(trx, scope.workspaceId);
  let query = trx
    .selectFrom("held_row")
    .select(["row_key as key", "payload", "reason", "last_held_at as lastHeldAt"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("stream", "=", stream)
    .where("row_key", ">", which.after);
  if (which.key !== undefined) query = query.where("row_key", "=", which.key);
  return query.orderBy("row_key").limit(which.limit).forUpdate().execute();
}

export async function heldKeys(trx: Trx, scope: Scope, stream: StreamName): Promise<Set<string>> {
  const rows = await trx
    .selectFrom("held_row")
    .select("row_key")
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("stream", "=", stream)
    .execute();
  return new Set(rows.map((row) => row.row_key));
}
