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

/**
 * Keeps rows in quarantine as they came at `fetchedAt`; one that is there already keeps the instant at which it first came, and
 * one that was set aside stays so unless its bytes are others now. Gives how many are new.
 */
export async function holdRows(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
  rows: readonly HeldRow[],
  fetchedAt: Date,
): Promise<number> {
  const unique = [...new Map(rows.map((row) => [row.key, row])).values()];
  if (unique.length === 0) return 0;
  const same = sql`stored.payload = excluded.payload`;
  const { rows: held } = await sql<{ fresh: boolean }>`
    insert into held_row as stored
      (workspace_id, connection_id, stream, row_key, payload, reason, first_held_at, last_held_at)
    select ${scope.workspaceId}, ${scope.connectionId}, ${stream}, row_key, payload, reason,
           ${instant(fetchedAt)}::timestamptz, ${instant(fetchedAt)}::timestamptz
      from unnest(${unique.map((row) => row.key)}::text[], ${unique.map((row) => row.payload)}::text[],
                  ${unique.map((row) => row.reason)}::text[]) as page (row_key, payload, reason)
     order by row_key
    on conflict (workspace_id, connection_id, stream, row_key) do update set
      payload = excluded.payload, reason = excluded.reason, last_held_at = excluded.last_held_at,
      set_aside_at = case when ${same} then stored.set_aside_at end,
      set_aside_by = case when ${same} then stored.set_aside_by end
    returning stored.xmax = 0 as fresh`.execute(trx);
  return held.filter((row) => row.fresh).length;
}

/** Another reason for a row that stays as it came. */
export async function changeReason(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
  key: string,
  reason: string,
): Promise<void> {
  await sql`update held_row set reason = ${reason}::text where ${oneRow(scope, stream, key)}`.execute(trx);
}

/** Takes rows out of quarantine: a later version of theirs was stored, or they are gone for good. Gives the keys of those that were held. */
export async function releaseRows(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
  keys: readonly string[],
): Promise<string[]> {
  if (keys.length === 0) return [];
  const { rows } = await sql<{ row_key: string }>`
    delete from held_row where ${ofStream(scope, stream)} and row_key = any(${[...keys]}::text[])
    returning row_key`.execute(trx);
  return rows.map((row) => row.row_key);
}

/**
 * Sets a row aside by a person's word, or takes that back (null). False: it is not held. One that is set aside already keeps the
 * word that was given first.
 */
export async function setRowAside(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
  key: string,
  word: { by: string; at: Date } | null,
): Promise<boolean> {
  const { rows } = await sql`
    update held_row
       set set_aside_by = case when ${word !== null}::boolean then coalesce(set_aside_by, ${word?.by ?? null}::text) end,
           set_aside_at = case when ${word !== null}::boolean then coalesce(set_aside_at, ${instant(word?.at ?? null)}::timestamptz) end
     where ${oneRow(scope, stream, key)} returning 1`.execute(trx);
  return rows.length > 0;
}

export interface KeptRow {
  key: string;
  reason: string;
  lastHeldAt: Date;
}

/**
 * Held rows of a stream in the order of their keys, without their text, locked until the transaction ends: a run that holds a
 * newer version of one waits, and so holds it again. The metrics' lock comes first, as in the transaction of a page. Those that
 * are set aside only where the one row is named.
 */
export async function lockHeldRows(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
  which: { after: string; limit: number; key?: string | undefined },
): Promise<KeptRow[]> {
  await lockMetrics(trx, scope.workspaceId);
  const named = which.key === undefined ? sql`set_aside_at is null` : sql`row_key = ${which.key}`;
  const { rows } = await sql<KeptRow>`
    select row_key as key, reason, last_held_at as "lastHeldAt" from held_row
     where ${ofStream(scope, stream)} and row_key > ${which.after} and ${named}
     order by row_key limit ${which.limit} for update`.execute(trx);
  return rows;
}

/** The text of a held row as it came, up to the 64 MiB of a page; null: it is not held. */
export async function readHeldText(trx: Trx, scope: Scope, stream: StreamName, key: string): Promise<string | null> {
  const { rows } = await sql<{ payload: string }>`
    select payload from held_row where ${oneRow(scope, stream, key)}`.execute(trx);
  return rows[0]?.payload ?? null;
}

/** Keys of all rows in quarantine, those that are set aside too. */
export async function heldKeys(trx: Trx, scope: Scope, stream: StreamName): Promise<Set<string>> {
  const { rows } = await sql<{ row_key: string }>`
    select row_key from held_row where ${ofStream(scope, stream)}`.execute(trx);
  return new Set(rows.map((row) => row.row_key));
}

/** Keys of rows that were last met before an instant of the database's clock. */
export async function keysNotMetSince(trx: Trx, scope: Scope, stream: StreamName, since: Date): Promise<string[]> {
  const { rows } = await sql<{ row_key: string }>`
    select row_key from held_row
     where ${ofStream(scope, stream)} and last_held_at < ${instant(since)}::timestamptz
     order by row_key`.execute(trx);
  return rows.map((row) => row.row_key);
}

/** How many rows are held and not set aside: those that a stream is degraded for. */
export async function countHeld(trx: Trx, scope: Scope, stream: StreamName): Promise<number> {
  const { rows } = await sql<{ held: number }>`
    select count(*)::int as held from held_row
     where ${ofStream(scope, stream)} and set_aside_at is null`.execute(trx);
  return rows[0]?.held ?? 0;
}

/** Those of the keys whose rows are stored as gone for good: confirmed by a 404, or merged. */
export async function buriedKeys(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
  keys: readonly string[],
): Promise<Set<string>> {
  const table = stream === "tickets" ? "ticket" : stream === "organizations" ? "organization" : null;
  if (table === null) return new Set();
  const ids = keys.filter((key) => /^-?\d{1,18}$/.test(key));
  const { rows } = await sql<{ id: string }>`
    select id::text from ${sql.table(table)}
     where workspace_id = ${scope.workspaceId}::int and connection_id = ${scope.connectionId}::int
       and id = any(${ids}::bigint[]) and deleted_at is not null and content_hash = 0`.execute(trx);
  return new Set(rows.map((row) => row.id));
}

function ofStream(scope: Scope, stream: StreamName) {
  return sql`workspace_id = ${scope.workspaceId}::int and connection_id = ${scope.connectionId}::int and stream = ${stream}`;
}

function oneRow(scope: Scope, stream: StreamName, key: string) {
  return sql`${ofStream(scope, stream)} and row_key = ${key}`;
}
