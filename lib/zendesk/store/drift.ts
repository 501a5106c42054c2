import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import { columnList } from "#lib/metrics/counts.ts";
import { lockMetrics } from "#lib/metrics/store.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { isAbsentStream } from "#lib/zendesk/store/absence.ts";
import { type Compared, over } from "#lib/zendesk/store/compared.ts";
import { instant, isAskedNoSooner, pageTable } from "#lib/zendesk/store/page.ts";

export type Difference = "missing" | "extra" | "older" | "different";

export interface DriftedRow {
  key: string;
  difference: Difference;
  /** Its version lies before what the stream vouched for: it is a loss, not news. */
  vouched: boolean;
  /** The columns in which the stored row differed: `content_hash` where it is in none that stands for itself. */
  columns: string[];
}

/** The most rows that are named for one stream of a check; its days count all of them. */
const mostRows = 1000;

interface Question {
  stream: StreamName;
  compared: Compared;
  /** The database's clock when the page was asked for. */
  fetchedAt: Date;
  /** Leave out what differs within one version. */
  newerOnly: boolean;
}

/**
 * Which rows of a page are not stored as they stand in it, before they are stored. What is stored in a newer version, or
 * was asked for later, is none of them. A row that differs in its columns alone, under an equal version and hash, has been
 * changed behind the sync's back: its hash is taken away, so that the page puts it right (row 124); under the lock of the
 * metrics, which whoever writes rows takes before he locks one.
 */
export async function findDrift(
  trx: Trx,
  scope: Scope,
  { stream, compared, fetchedAt, newerOnly }: Question,
  rows: readonly unknown[],
): Promise<DriftedRow[]> {
  const { keys, hashed } = compared;
  const columns = Object.fromEntries(
    Object.entries(compared.columns).filter(([name]) => !compared.ignored.includes(name)),
  );
  const { marks = [], otherWords = "false" } = compared;
  const telling = Object.keys(columns).filter((name) => ![...keys, ...marks, "content_hash"].includes(name));
  const ofPage = sql.raw(telling.map((name) => valueOfPage(name, compared)).join(", "));
  const [pageVersion, wasVersion] = [over(compared.version, "page"), over(compared.version, "was")];
  const sameKey = (left: string, right: string) =>
    sql.raw(keys.map((name) => `${left}.${name} = ${right}.${name}`).join(" and "));
  const inTime = compared.fetched ? sql`and ${isAskedNoSooner(fetchedAt)}` : sql``;
  const asStored = sql`(${columnList(telling, "was")}) is distinct from (${ofPage})`;
  const sameHash = hashed ? sql`(was.content_hash = page.content_hash or ${sql.raw(otherWords)})` : sql`true`;
  const differing = sql.raw(
    telling
      .map((name) => `case when was.${name} is distinct from ${valueOfPage(name, compared)} then '${name}' end`)
      .join(", "),
  );
  const { rows: found } = await sql<DriftedRow & { same_hash: boolean }>`
    with page as materialized (select * from ${pageTable(columns, rows)}),
    drifted as (
      select ${over(compared.key, "page")} as drift_key, ${sameHash} as same_hash,
             case when was.workspace_id is null then 'missing'
                  when coalesce(${pageVersion}, '-infinity') > coalesce(${wasVersion}, '-infinity') then 'older'
                  when ${!newerOnly}::boolean and ${pageVersion} is not distinct from ${wasVersion} ${inTime}
                       and (not (${sameHash}) or ${asStored}) then 'different' end as difference,
             coalesce(${pageVersion}, '-infinity') <= (
               select fresh_through from stream_state where workspace_id = ${scope.workspaceId}::int
                  and connection_id = ${scope.connectionId}::int and stream = ${stream} and purpose = 'incremental') as vouched,
             case when was.workspace_id is null then '{}' else array_remove(array[${differing}], null) end as unlike
        from page
        left join ${sql.table(compared.table)} was on was.workspace_id = ${scope.workspaceId}::int
             and was.connection_id = ${scope.connectionId}::int and ${sameKey("was", "page")})
    select drift_key as key, difference, coalesce(vouched, false) as vouched, coalesce(same_hash, false) as same_hash,
           case when unlike = '{}' and not same_hash then array['content_hash'] else unlike end as columns
      from drifted where difference is not null`.execute(trx);
  const disguised = new Set(found.flatMap((row) => (row.difference === "different" && row.same_hash ? [row.key] : [])));
  if (hashed && disguised.size > 0) {
    await lockMetrics(trx, scope.workspaceId);
    const known = Object.fromEntries(
      Object.entries(columns).filter(([name]) => keys.includes(name) || name === "content_hash"),
    );
    const those = rows.filter((row) => disguised.has(compared.keyOf(row)));
    await sql`
      update ${sql.table(compared.table)} was set content_hash = 0 from ${pageTable(known, those)}
       where was.workspace_id = ${scope.workspaceId}::int and was.connection_id = ${scope.connectionId}::int
         and ${sameKey("was", "page")} and was.content_hash = page.content_hash`.execute(trx);
  }
  return found;
}

interface Asked {
  /** The database's clock when the page was asked for. */
  fetchedAt: Date;
}

/**
 * Rows of a page that are stored in a later version, of another `updated_at`, one that lies before an instant by Zendesk's clock
 * and was asked for earlier; and that `updated_at` of the page, in ISO 8601.
 */
export async function storedAhead(
  trx: Trx,
  scope: Scope,
  compared: Compared,
  { fetchedAt, before }: Asked & { before: Date },
  rows: readonly unknown[],
): Promise<[key: string, updatedAt: string][]> {
  if (rows.length === 0) return [];
  const { rows: ahead } = await sql<{ key: string; updated_at: Date }>`
    select ${over(compared.key, "was")} as key, page.updated_at from ${ofLaterVersion(scope, compared, fetchedAt, rows)}
       and ${over(compared.version, "was")} < ${instant(before)}::timestamptz`.execute(trx);
  return ahead.map(({ key, updated_at }) => [key, updated_at.toISOString()]);
}

/**
 * Takes the version away from rows that are stored in a later one than these have, so that these may be written over them; under
 * the lock of the metrics, which whoever writes rows takes before he locks one.
 */
export async function forgetLaterVersions(
  trx: Trx,
  scope: Scope,
  compared: Compared,
  { fetchedAt }: Asked,
  rows: readonly unknown[],
): Promise<void> {
  if (rows.length === 0) return;
  await lockMetrics(trx, scope.workspaceId);
  await sql`
    update ${sql.table(compared.table)} stored set ${sql.raw(compared.withoutVersion ?? "updated_at = null")}, content_hash = 0
      from (select was.id from ${ofLaterVersion(scope, compared, fetchedAt, rows)}) later
     where stored.workspace_id = ${scope.workspaceId}::int and stored.connection_id = ${scope.connectionId}::int
       and stored.id = later.id`.execute(trx);
}

/** `was` beside `page`, from the tables to the condition. */
function ofLaterVersion(
  { workspaceId, connectionId }: Scope,
  compared: Compared,
  fetchedAt: Date,
  rows: readonly unknown[],
) {
  const columns = Object.entries(compared.columns).filter(([name]) =>
    ["id", "updated_at", "generated_timestamp"].includes(name),
  );
  return sql`${pageTable(Object.fromEntries(columns), rows)}
      join ${sql.table(compared.table)} was on was.workspace_id = ${workspaceId}::int
           and was.connection_id = ${connectionId}::int and was.id = page.id
     where ${over(compared.version, "was")} > ${over(compared.version, "page")}
       and was.updated_at <> page.updated_at and ${isAskedNoSooner(fetchedAt)}`;
}

function valueOfPage(name: string, { arrays, said = (column) => `page.${column}` }: Compared): string {
  return `${said(name)}${arrays.includes(name) ? "::text[]" : ""}`;
}

export interface DayCounts {
  compared: number;
  missing: number;
  extra: number;
  older: number;
  different: number;
  repaired: number;
}
export const noDrift: DayCounts = { compared: 0, missing: 0, extra: 0, older: 0, different: 0, repaired: 0 };
const counters = Object.keys(noDrift) as (keyof DayCounts)[];

/** Adds to the days of a check; counts may be taken back. */
export async function addDays(
  trx: Trx,
  scope: Scope,
  runId: string,
  stream: StreamName,
  days: ReadonlyMap<string, DayCounts>,
): Promise<void> {
  if (days.size === 0) return;
  const sorted = [...days].sort(([a], [b]) => (a < b ? -1 : 1));
  const column = (name: keyof DayCounts) => sql`${sorted.map(([, counts]) => counts[name])}::bigint[]`;
  await sql`
    insert into drift_day as stored (workspace_id, connection_id, run_id, stream, day, ${columnList(counters)})
    select ${scope.workspaceId}, ${scope.connectionId}, ${runId}, ${stream}, page.*
      from unnest(${sorted.map(([day]) => day)}::date[], ${sql.join(counters.map(column))})
           as page (day, ${columnList(counters)})
    on conflict (workspace_id, connection_id, run_id, stream, day) do update set ${added}`.execute(trx);
}

const added = sql.raw(counters.map((name) => `${name} = stored.${name} + excluded.${name}`).join(", "));

export interface LedgerRow {
  key: string;
  day: string;
  difference: Difference;
  repaired: boolean;
  columns: string[];
}

type LedgerKey = Pick<LedgerRow, "key">;
const mine = (scope: Scope, runId: string, stream: StreamName) =>
  sql`workspace_id = ${scope.workspaceId}::int and connection_id = ${scope.connectionId}::int
      and run_id = ${runId}::bigint and stream = ${stream}`;

/** Those of some rows that the check has named and not repaired, by key. */
export async function brokenRows(
  trx: Trx,
  scope: Scope,
  runId: string,
  stream: StreamName,
  rows: readonly LedgerKey[],
): Promise<Map<string, LedgerRow>> {
  const { rows: broken } = await sql<LedgerRow>`
    select row_key as key, day, difference, repaired, columns from drift_row
     where ${mine(scope, runId, stream)} and row_key = any(${rows.map(({ key }) => key)}::text[]) and not repaired`.execute(
    trx,
  );
  return new Map(broken.map((row) => [row.key, row]));
}

export async function markRepaired(
  trx: Trx,
  scope: Scope,
  runId: string,
  stream: StreamName,
  rows: readonly LedgerKey[],
): Promise<void> {
  if (rows.length === 0) return;
  await sql`update drift_row set repaired = true
             where ${mine(scope, runId, stream)} and row_key = any(${rows.map(({ key }) => key)}::text[])`.execute(trx);
}

/** Names rows that differed, as long as there is room. A row that is named already stays as it was first found. */
export async function addRows(
  trx: Trx,
  scope: Scope,
  runId: string,
  stream: StreamName,
  rows: readonly LedgerRow[],
  now: Date,
): Promise<void> {
  if (rows.length === 0) return;
  const column = <T>(read: (row: LedgerRow) => T) => rows.map(read);
  await sql`
    insert into drift_row as stored
      (workspace_id, connection_id, run_id, stream, row_key, day, difference, repaired, found_at, columns)
    select ${scope.workspaceId}, ${scope.connectionId}, ${runId}, ${stream}, row_key, day, difference, repaired,
           ${instant(now)}::timestamptz, string_to_array(columns, ',')
      from unnest(${column((row) => row.key)}::text[], ${column((row) => row.day)}::date[],
                  ${column((row) => row.difference)}::text[], ${column((row) => row.repaired)}::boolean[],
                  ${column((row) => row.columns.join())}::text[])
           as page (row_key, day, difference, repaired, columns)
     limit (select greatest(0, ${mostRows} - count(*)) from drift_row
             where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId}
               and run_id = ${runId} and stream = ${stream})
    on conflict (workspace_id, connection_id, run_id, stream, row_key)
    do update set repaired = stored.repaired or excluded.repaired`.execute(trx);
}

/** A list that is read again from its beginning is compared once. */
export async function resetCompared(trx: Trx, scope: Scope, runId: string, stream: StreamName): Promise<void> {
  await trx
    .updateTable("drift_day")
    .set({ compared: "0" })
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("run_id", "=", runId)
    .where("stream", "=", stream)
    .execute();
}

/** A stream, or the list of memberships, which belongs to the users. */
type Seen = StreamName | "memberships";

/** What a page showed: the rows of the span that are in none of them are absent. */
export async function noteSeen(trx: Trx, scope: Scope, stream: Seen, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await sql`
    insert into drift_seen (workspace_id, connection_id, stream, keys)
    select ${scope.workspaceId}, ${scope.connectionId}, ${stream}, array_agg(hashtextextended(key, 0))
      from unnest(${[...keys]}::text[]) as page (key)`.execute(trx);
}

/** Of one stream, or of all. */
export async function forgetSeen(trx: Trx, scope: Scope, stream?: Seen): Promise<void> {
  let query = trx
    .deleteFrom("drift_seen")
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId);
  if (stream) query = query.where("stream", "=", stream);
  await query.execute();
}

/** The versions that a comparison covers, and, of ratings, the systems that answered. */
export interface Span {
  from: Date | null;
  to: Date;
  systems: readonly string[] | null;
}

/**
 * After the whole span was read: sets what was compared on each day, counting every row once however often it was shown,
 * and counts the living rows of the span that were not shown as extra; those with an id of their own are nominated. Gives
 * how many rows were shown, and how many could have been absent.
 */
export async function closeComparison(
  trx: Trx,
  scope: Scope,
  runId: string,
  stream: StreamName,
  compared: Compared,
  span: Span,
  now: Date,
): Promise<{ shown: number; living: number }> {
  const { workspaceId: ws, connectionId: connection } = scope;
  const at = instant(now);
  const key = over(compared.key, "x");
  const shownBy = over(compared.shownBy ?? compared.version, "x");
  const nominates = isAbsentStream(stream);
  const { rows } = await sql<{ shown: number; living: number }>`
    with seen as materialized (
      select distinct unnest(keys) as hash from drift_seen
       where workspace_id = ${ws}::int and connection_id = ${connection}::int and stream = ${stream}),
    stored as materialized (
      select *, is_living and not is_shown and (${nominates}::boolean or exists (select from seen)) as is_absent from (
      select ${key} as row_key, ${nominates ? sql`x.id` : sql`null::bigint`} as row_id,
             (coalesce(${over(compared.version, "x")}, ${at}::timestamptz) at time zone 'UTC')::date as day,
             seen.hash is not null as is_shown,
             coalesce(${shownBy} <= ${instant(span.to)}::timestamptz and ${over(compared.living ?? "false", "x")}
               ${span.systems ? sql`and x.system = any(${[...span.systems]}::text[])` : sql``}, false) as is_living
        from ${sql.table(compared.table)} x left join seen on seen.hash = hashtextextended(${key}, 0)
       where x.workspace_id = ${ws}::int and x.connection_id = ${connection}::int
         and (${instant(span.from)}::timestamptz is null or ${shownBy} >= ${instant(span.from)}::timestamptz)) in_span),
    days as (
      insert into drift_day as kept (workspace_id, connection_id, run_id, stream, day, compared, extra)
      select ${ws}::int, ${connection}::int, ${runId}::bigint, ${stream}::text, day, sum(compared), sum(extra)
        from (select day, count(*) filter (where is_shown) as compared, count(*) filter (where is_absent) as extra
                from stored where is_shown or is_absent group by day
              union all
              -- What the pages counted on days on which nothing is left of it.
              select day, 0, 0 from drift_day
               where workspace_id = ${ws}::int and connection_id = ${connection}::int and run_id = ${runId}
                 and stream = ${stream}) of_day
       group by day
      on conflict (workspace_id, connection_id, run_id, stream, day)
      do update set compared = excluded.compared, extra = kept.extra + excluded.extra),
    named as (
      insert into drift_row (workspace_id, connection_id, run_id, stream, row_key, day, difference, repaired, found_at)
      select ${ws}::int, ${connection}::int, ${runId}::bigint, ${stream}::text, row_key, day, 'extra', false, ${at}::timestamptz
        from stored where is_absent order by day desc, row_key
       limit (select greatest(0, ${mostRows} - count(*)) from drift_row
               where workspace_id = ${ws}::int and connection_id = ${connection}::int
                 and run_id = ${runId} and stream = ${stream})
      on conflict do nothing),
    nominated as (
      insert into absence (workspace_id, connection_id, stream, row_id, first_missed_at, last_missed_at, counted_run_id,
                           counted_day)
      select ${ws}::int, ${connection}::int, ${stream}::text, row_id, ${at}::timestamptz, ${at}::timestamptz, ${runId}::bigint, day
        from stored where is_absent and ${nominates}::boolean order by row_id
      on conflict (workspace_id, connection_id, stream, row_id)
      do update set last_missed_at = excluded.last_missed_at, counted_run_id = excluded.counted_run_id,
                    counted_day = excluded.counted_day),
    reappeared as (
      delete from absence using seen
       where workspace_id = ${ws}::int and connection_id = ${connection}::int and stream = ${stream}
         and hashtextextended(row_id::text, 0) = seen.hash)
    select (select count(*)::int from seen) as shown, count(*) filter (where is_living)::int as living
      from stored`.execute(trx);
  await forgetSeen(trx, scope, stream);
  return rows[0] ?? { shown: 0, living: 0 };
}

/** Whether anything of a span is stored that a listing of it should have shown. */
export async function holdsLiving(trx: Trx, scope: Scope, compared: Compared, from: Date | null): Promise<boolean> {
  const shownBy = over(compared.shownBy ?? compared.version, "x");
  const { rows } = await sql<{ any: boolean }>`
    select exists (select from ${sql.table(compared.table)} x
      where x.workspace_id = ${scope.workspaceId} and x.connection_id = ${scope.connectionId}
        and ${over(compared.living ?? "false", "x")}
        and (${instant(from)}::timestamptz is null or ${shownBy} >= ${instant(from)}::timestamptz)) as any`.execute(
    trx,
  );
  return rows[0]?.any ?? false;
}

/**
 * Takes the ledger of a stream over from a run that ended before its check did: what a later run goes on with is its own.
 */
export async function moveLedger(trx: Trx, scope: Scope, stream: StreamName, from: string, to: string): Promise<void> {
  const mine = sql`workspace_id = ${scope.workspaceId}::int and connection_id = ${scope.connectionId}::int and stream = ${stream}`;
  const { rows } = await sql<{ repaired: string | null }>`
    with moved as (delete from drift_day where ${mine} and run_id = ${from} returning *),
    days as (
      insert into drift_day as stored (workspace_id, connection_id, run_id, stream, day, ${columnList(counters)})
      select workspace_id, connection_id, ${to}, stream, day, ${columnList(counters)} from moved
      on conflict (workspace_id, connection_id, run_id, stream, day) do update set ${added}),
    moved_rows as (delete from drift_row where ${mine} and run_id = ${from} returning *),
    named as (
      insert into drift_row
      select workspace_id, connection_id, ${to}::bigint, stream, row_key, day, difference, repaired, found_at, columns
        from moved_rows
      on conflict do nothing)
    select sum(repaired) as repaired from moved`.execute(trx);
  const repaired = Number(rows[0]?.repaired ?? 0);
  await sql`update sync_run_stream set repaired = repaired + case run_id when ${to}::bigint then ${repaired}::bigint else -${repaired}::bigint end
             where ${mine} and run_id in (${from}, ${to})`.execute(trx);
  await sql`update absence set counted_run_id = case counted_run_id when ${from}::bigint then ${to}::bigint else counted_run_id end,
                   asked_run_id = case asked_run_id when ${from}::bigint then ${to}::bigint else asked_run_id end
             where ${mine} and ${from}::bigint in (counted_run_id, asked_run_id)`.execute(trx);
}

/** How many rows of a stream a check was shown. */
export async function countShown(trx: Trx, scope: Scope, runId: string, stream: StreamName): Promise<number> {
  const { rows } = await sql<{ shown: string | null }>`
    select sum(compared) as shown from drift_day
     where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId} and run_id = ${runId}
       and stream = ${stream}`.execute(trx);
  return Number(rows[0]?.shown ?? 0);
}

/** What the ledger of a check says of tickets compared, and of rows repaired in all streams. */
export async function sumLedger(trx: Trx, scope: Scope, runId: string): Promise<{ tickets: number; repaired: number }> {
  const { rows } = await sql<{ tickets: string | null; repaired: string | null }>`
    select sum(compared) filter (where stream = 'tickets') as tickets, sum(repaired) as repaired from drift_day
     where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId} and run_id = ${runId}`.execute(
    trx,
  );
  return { tickets: Number(rows[0]?.tickets ?? 0), repaired: Number(rows[0]?.repaired ?? 0) };
}

/** So many checks of a connection keep everything; older ones only the days on which something differed. */
const wholeLedgers = 14;

/** Thins out the ledgers of a workspace, and forgets those of checks that were asked for before `before`. */
export async function thinLedgers(trx: Trx, workspaceId: number, before: Date): Promise<void> {
  const old = sql`using (
      select connection_id, id, rank() over (partition by connection_id order by id desc) as age
        from sync_run where workspace_id = ${workspaceId}::int and mode = 'reconcile') checked
     where d.workspace_id = ${workspaceId}::int and d.connection_id = checked.connection_id and d.run_id = checked.id
       and checked.age > ${wholeLedgers}`;
  await sql`delete from drift_day d ${old} and d.missing + d.extra + d.older + d.different = 0`.execute(trx);
  await sql`delete from drift_row d ${old}`.execute(trx);
  for (const table of ["drift_day", "drift_row"]) {
    await sql`
      delete from ${sql.table(table)} d where d.workspace_id = ${workspaceId}::int and not exists (
        select from sync_run r where r.workspace_id = ${workspaceId}::int and r.connection_id = d.connection_id
           and r.id = d.run_id and r.requested_at >= ${instant(before)}::timestamptz)`.execute(trx);
  }
}
