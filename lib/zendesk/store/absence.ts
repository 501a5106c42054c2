import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { comparedBy, over } from "#lib/zendesk/store/compared.ts";
import { instant } from "#lib/zendesk/store/page.ts";

/** What can be absent: it can be asked for by id. */
export const absentStreams = ["tickets", "users", "organizations"] as const;
export type AbsentStream = (typeof absentStreams)[number];

export function isAbsentStream(name: string): name is AbsentStream {
  return (absentStreams as readonly string[]).includes(name);
}

const mine = (scope: Scope, stream: AbsentStream) =>
  sql`workspace_id = ${scope.workspaceId}::int and connection_id = ${scope.connectionId}::int and stream = ${stream}`;

export async function countAbsences(
  trx: Trx,
  scope: Scope,
  stream: AbsentStream,
): Promise<{ rows: number; held: number }> {
  const { rows } = await sql<{ rows: number; held: number }>`
    select count(*)::int as rows, count(*) filter (where held)::int as held from absence
     where ${mine(scope, stream)}`.execute(trx);
  return rows[0] ?? { rows: 0, held: 0 };
}

/** Rows that are deleted by now, on Zendesk's own word, are no question any more. */
export async function forgetDeleted(trx: Trx, scope: Scope, stream: AbsentStream): Promise<void> {
  await sql`
    delete from absence a using ${sql.table(comparedBy(stream).table)} x
     where a.workspace_id = ${scope.workspaceId}::int and a.connection_id = ${scope.connectionId}::int and a.stream = ${stream}
       and x.workspace_id = a.workspace_id and x.connection_id = a.connection_id and x.id = a.row_id
       and x.deleted_at is not null`.execute(trx);
}

/** All nominees wait for a person, or none does. */
export async function holdAbsences(trx: Trx, scope: Scope, stream: AbsentStream, held: boolean): Promise<void> {
  await sql`update absence set held = ${held} where ${mine(scope, stream)} and held <> ${held}`.execute(trx);
}

/** All nominees of a stream, held ones too, in the order of their ids. */
export async function nominees(trx: Trx, scope: Scope, stream: AbsentStream): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select row_id as id from absence where ${mine(scope, stream)} order by row_id`.execute(trx);
  return rows.map((row) => row.id);
}

/** Nominees that this run has not asked for yet, in the order of their ids; held ones only as far as they were absent `heldBy` then. */
export async function nomineesToAsk(
  trx: Trx,
  scope: Scope,
  stream: AbsentStream,
  which: { heldBy: Date | null; runId: string; limit: number },
): Promise<string[]> {
  const { heldBy, runId, limit } = which;
  const { rows } = await sql<{ id: string }>`
    select row_id as id from absence
     where ${mine(scope, stream)} and held = ${heldBy !== null} and asked_run_id is distinct from ${runId}::bigint
       and (${instant(heldBy)}::timestamptz is null or first_missed_at <= ${instant(heldBy)}::timestamptz)
     order by row_id limit ${limit}`.execute(trx);
  return rows.map((row) => row.id);
}

export async function markAsked(
  trx: Trx,
  scope: Scope,
  stream: AbsentStream,
  ids: readonly string[],
  runId: string,
): Promise<void> {
  await sql`update absence set asked_run_id = ${runId}::bigint
             where ${mine(scope, stream)} and row_id = any(${[...ids]}::bigint[])`.execute(trx);
}

/** Notes when Zendesk first did not find rows by their ids; gives those of which it had said so before `before`. */
export async function markNotFound(
  trx: Trx,
  scope: Scope,
  stream: AbsentStream,
  ids: readonly string[],
  now: Date,
  before: Date,
): Promise<string[]> {
  const { rows } = await sql<{ id: string; confirmed: boolean }>`
    update absence set not_found_at = coalesce(not_found_at, ${instant(now)}::timestamptz)
     where ${mine(scope, stream)} and row_id = any(${[...ids]}::bigint[])
    returning row_id as id, not_found_at <= ${instant(before)}::timestamptz as confirmed`.execute(trx);
  return rows.filter((row) => row.confirmed).map((row) => row.id);
}

/**
 * Rows that were shown after all, or are gone for certain. Gives those of them that this run's ledger counts as extra, and
 * on which day: since then their version may have changed.
 */
export async function forgetAbsences(
  trx: Trx,
  scope: Scope,
  stream: AbsentStream,
  ids: readonly string[],
  runId: string,
): Promise<{ id: string; day: string }[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<{ id: string; day: string | null }>`
    delete from absence where ${mine(scope, stream)} and row_id = any(${[...ids]}::bigint[])
    returning row_id as id, case counted_run_id when ${runId}::bigint then counted_day end as day`.execute(trx);
  return rows.flatMap(({ id, day }) => (day === null ? [] : [{ id, day }]));
}

/** The days (UTC) of the stored versions of rows: where the ledger counts them. */
export async function daysOf(
  trx: Trx,
  scope: Scope,
  stream: AbsentStream,
  ids: readonly string[],
  now: Date,
): Promise<Map<string, string>> {
  const compared = comparedBy(stream);
  const { rows } = await sql<{ id: string; day: string }>`
    select x.id, (coalesce(${over(compared.version, "x")}, ${instant(now)}::timestamptz) at time zone 'UTC')::date as day
      from ${sql.table(compared.table)} x
     where x.workspace_id = ${scope.workspaceId}::int and x.connection_id = ${scope.connectionId}::int
       and x.id = any(${[...ids]}::bigint[])`.execute(trx);
  return new Map(rows.map((row) => [row.id, row.day]));
}

/** Rows that are not extra after all leave the ledger's names. */
export async function forgetExtraRows(
  trx: Trx,
  scope: Scope,
  runId: string,
  stream: AbsentStream,
  ids: readonly string[],
): Promise<void> {
  await sql`delete from drift_row where ${mine(scope, stream)} and run_id = ${runId}::bigint and difference = 'extra'
               and row_key = any(${[...ids]}::text[])`.execute(trx);
}

/** A person's word that so many of a stream may be gone; a later one replaces it. */
export async function saveApproval(
  trx: Trx,
  scope: Scope,
  stream: AbsentStream,
  approval: { ceiling: number; approvedBy: string },
  now: Date,
): Promise<void> {
  const key = { workspace_id: scope.workspaceId, connection_id: scope.connectionId, stream };
  const word = { ceiling: approval.ceiling, approved_by: approval.approvedBy, approved_at: now };
  await trx
    .insertInto("absence_approval")
    .values({ ...key, ...word })
    .onConflict((conflict) => conflict.columns(["workspace_id", "connection_id", "stream"]).doUpdateSet(word))
    .execute();
}

/** How many rows a person still lets go, and since when, or null. */
export async function readApproval(
  trx: Trx,
  scope: Scope,
  stream: AbsentStream,
): Promise<{ ceiling: number; at: Date } | null> {
  const row = await trx
    .selectFrom("absence_approval")
    .select(["ceiling", "approved_at as at"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("stream", "=", stream)
    .executeTakeFirst();
  return row ?? null;
}

/** What went under it counts against it, so that a run which stops in between cannot pass it. */
export async function lowerApproval(trx: Trx, scope: Scope, stream: AbsentStream, by: number): Promise<void> {
  await sql`update absence_approval set ceiling = ceiling - ${by}::int where ${mine(scope, stream)}`.execute(trx);
}

export async function spendApproval(trx: Trx, scope: Scope, stream: AbsentStream): Promise<void> {
  await sql`delete from absence_approval where ${mine(scope, stream)}`.execute(trx);
}

export interface AbsentRow {
  stream: string;
  id: string;
  name: string | null;
  first_missed_at: Date;
  not_found_at: Date | null;
  held: boolean;
}

/** Absent rows with the names under which they are stored, by stream and id. */
export async function readAbsences(
  trx: Trx,
  scope: Scope,
  page: { limit: number; stream?: AbsentStream | undefined; after: { stream: string; id: string } | null },
): Promise<AbsentRow[]> {
  const { workspaceId: ws, connectionId: connection } = scope;
  const { after } = page;
  const { rows } = await sql<AbsentRow>`
    select a.stream, a.row_id as id, coalesce(t.subject, o.name, u.name) as name, a.first_missed_at, a.not_found_at, a.held
      from absence a
      left join ticket t on a.stream = 'tickets' and t.workspace_id = ${ws}::int and t.connection_id = ${connection}::int
                        and t.id = a.row_id
      left join organization o on a.stream = 'organizations' and o.workspace_id = ${ws}::int
                        and o.connection_id = ${connection}::int and o.id = a.row_id
      left join zendesk_user u on a.stream = 'users' and u.workspace_id = ${ws}::int and u.connection_id = ${connection}::int
                              and u.id = a.row_id
     where a.workspace_id = ${ws}::int and a.connection_id = ${connection}::int
       and (${page.stream ?? null}::text is null or a.stream = ${page.stream ?? null})
       and (${after?.stream ?? null}::text is null
            or (a.stream, a.row_id) > (${after?.stream ?? null}, ${after?.id ?? null}::bigint))
     order by a.stream, a.row_id limit ${page.limit}`.execute(trx);
  return rows;
}
