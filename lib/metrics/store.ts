import { type Selectable, sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import { type WorkspaceTable, windowCounts } from "#db/schema.ts";
import { notFound } from "#lib/errors.ts";
import {
  anyCount,
  columnList,
  dayLies,
  type MetricSettings,
  metricColumns,
  rangeColumns,
  type Sql,
  sumOf,
} from "#lib/metrics/counts.ts";
import { type CountedRange, countedRanges, isInRange } from "#lib/metrics/ranges.ts";
import { addDays, dayIn } from "#lib/metrics/windows.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** First half of the advisory lock's key; the second is the workspace. */
const METRICS_LOCK = 7_301;
/** A neighbour's clock, or a request that began before midnight, may differ by this much. */
const CLOCK_TOLERANCE_MS = 10 * 60_000;

/**
 * Makes the caller the only writer of a workspace's counts until its transaction ends. Everybody who writes tickets,
 * ratings, organizations, accounts or matches takes it first. It must be a statement of its own: the next statement's
 * snapshot then holds what the previous writer committed (READ COMMITTED).
 */
export async function lockMetrics(trx: Trx, workspaceId: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(${METRICS_LOCK}::int, ${workspaceId}::int)`.execute(trx);
}

/** `day` is null until the counts were first brought to a day. */
export type StoredSettings = Omit<MetricSettings, "day"> & { day: string | null };

export const settingColumns = ["time_zone", "windows", "top_priorities", "count_merged", "metrics_day"] as const;
type SettingsRow = Pick<Selectable<WorkspaceTable>, (typeof settingColumns)[number]>;

export function settingsOf(workspaceId: number, row: SettingsRow): StoredSettings {
  return {
    workspaceId,
    timeZone: row.time_zone,
    windows: row.windows,
    topPriorities: row.top_priorities,
    countMerged: row.count_merged,
    day: row.metrics_day,
  };
}

/** True where `workspace w` still has these settings and stands at their day: for statements that read numbers. */
export function stillStands(settings: MetricSettings): Sql {
  return sql`((${columnList(settingColumns, "w")}) is not distinct from
    (${settings.timeZone}::text, ${settings.windows}::int[], ${settings.topPriorities}::text[],
     ${settings.countMerged}::boolean, ${settings.day}::date))`;
}

export async function readMetricSettings(db: Db, workspaceId: number): Promise<StoredSettings> {
  const row = await db.selectFrom("workspace").select(settingColumns).where("id", "=", workspaceId).executeTakeFirst();
  if (!row) throw notFound("The workspace");
  return settingsOf(workspaceId, row);
}

/**
 * Brings every window column to today in the workspace's zone and returns the settings at which the counts stand. One
 * small read where they stand there already, none where the caller has just read them. Takes the lock only to move them.
 */
export async function ensureMetricsDay(
  db: Db,
  workspaceId: number,
  now: Date,
  known?: StoredSettings,
): Promise<MetricSettings> {
  const settings = known ?? (await readMetricSettings(db, workspaceId));
  return stands(settings, now) ? settings : moveToToday(db as Trx, workspaceId, now);
}

/** `ensureMetricsDay` for a writer: takes the lock in any case. */
export async function lockMetricsAtToday(trx: Trx, workspaceId: number, now: Date): Promise<MetricSettings> {
  await lockMetrics(trx, workspaceId);
  return ensureMetricsDay(trx, workspaceId, now);
}

/**
 * Runs `read` on one day and one set of settings: again where a neighbour moved them meanwhile, since an answer names one
 * `asOf` (metrics.md, Time). Numbers that must agree belong into one statement of `read`.
 */
export async function atOneDay<T>(
  db: Db,
  workspaceId: number,
  now: Date,
  read: (settings: MetricSettings) => Promise<T>,
): Promise<T> {
  for (;;) {
    const settings = await ensureMetricsDay(db, workspaceId, now);
    const answer = await read(settings);
    const after = await readMetricSettings(db, workspaceId);
    if (JSON.stringify(after) === JSON.stringify(settings)) return answer;
  }
}

function stands(settings: StoredSettings, now: Date): settings is MetricSettings {
  const { day, timeZone } = settings;
  return day === dayIn(timeZone, now) || day === dayIn(timeZone, new Date(now.getTime() + CLOCK_TOLERANCE_MS));
}

async function moveToToday(trx: Trx, workspaceId: number, now: Date): Promise<MetricSettings> {
  await lockMetrics(trx, workspaceId);
  const settings = await readMetricSettings(trx, workspaceId);
  if (stands(settings, now)) return settings;
  const moved = { ...settings, day: dayIn(settings.timeZone, now) };
  const organizations = await moveRanges(trx, moved, settings.day);
  await trx.updateTable("workspace").set({ metrics_day: moved.day }).where("id", "=", workspaceId).execute();
  for (const [connectionId, ids] of organizations) await resumAccountsOf(trx, { workspaceId, connectionId }, ids);
  return moved;
}

/**
 * Adds the days that enter each range and takes away those that leave it: org_day rows of those days only. From null
 * (columns that hold nothing yet) every day of the range enters.
 */
async function moveRanges(trx: Trx, settings: MetricSettings, from: string | null): Promise<Map<number, string[]>> {
  const { workspaceId, day: to } = settings;
  const ranges = countedRanges(settings.windows);
  const moving = movingDays(ranges, to, from);
  if (moving.length === 0) return new Map();
  const sign = (range: CountedRange) => sql`(${within(range, to)} - ${from === null ? sql`0` : within(range, from)})`;
  const { rows } = await sql<{ connection_id: number; ids: string[] }>`
    with moved as materialized (
      select connection_id, organization_id, ${columnList(windowCounts)},
             ${sql.join(ranges.map((range) => sql`${sign(range)} as ${sql.raw(range.name)}`))}
        from org_day where workspace_id = ${workspaceId}::int and day = any(${moving}::date[])),
    change as materialized (
      select connection_id, organization_id, ${sql.raw(
        ranges
          .flatMap(({ name, counts }) => counts.map((count) => `sum(${count} * ${name})::int as ${name}_${count}`))
          .join(", "),
      )} from moved group by connection_id, organization_id),
    written as (
      update org_metric m set ${sql.raw(rangeColumns.map((c) => `${c} = m.${c} + change.${c}`).join(", "))}
        from change
       where m.workspace_id = ${workspaceId}::int and m.connection_id = change.connection_id
         and m.organization_id = change.organization_id and ${anyCount(rangeColumns, "change")}
      returning m.connection_id, m.organization_id)
    select connection_id, array_agg(organization_id) as ids from written group by connection_id`.execute(trx);
  return new Map(rows.map((row) => [row.connection_id, row.ids]));
}

function within(range: CountedRange, asOf: string): Sql {
  return sql`${dayLies(range, asOf)}::int`;
}

/** Days that are in a range as of `to` or as of `from`, but not in both. */
function movingDays(ranges: readonly CountedRange[], to: string, from: string | null): string[] {
  const days = new Set<string>();
  for (const range of ranges) {
    const isIn = (day: string, asOf: string | null) => asOf !== null && isInRange(range, day, asOf);
    for (const asOf of [to, from]) {
      if (asOf === null) continue;
      for (let back = range.back; back < range.back + range.days; back += 1) {
        const day = addDays(asOf, -back);
        if (isIn(day, to) !== isIn(day, from)) days.add(day);
      }
    }
  }
  return [...days];
}

/** Sums the accounts of these organizations again. */
export async function resumAccountsOf(trx: Trx, scope: Scope, organizationIds: readonly string[]): Promise<void> {
  if (organizationIds.length === 0) return;
  await resumAccounts(
    trx,
    scope.workspaceId,
    sql`(select account_id from organization where workspace_id = ${scope.workspaceId}::int
          and connection_id = ${scope.connectionId}::int and id = any(${organizationIds}::bigint[]) and account_id is not null)`,
  );
}

/**
 * Sums accounts again from the counts of their organizations and takes over name and owner; `accounts` is a subquery of
 * their ids. An account without organizations has zeros. Rows that stay the same are not written; answers how many were.
 */
export async function resumAccounts(trx: Trx, workspaceId: number, accounts: Sql | "all"): Promise<number> {
  const chosen = accounts === "all" ? sql`` : sql`and a.id = any(array${accounts})`;
  const columns = ["name", "owner_email", "organizations", ...metricColumns] as const;
  const { rows } = await sql<{ written: number }>`
    with fresh as materialized (
      select a.id as account_id, a.name, a.owner_email, count(o.id)::int as organizations,
             ${sumOf(metricColumns, "m")}
        from account a
        left join organization o on o.workspace_id = ${workspaceId}::int and o.account_id = a.id
        left join org_metric m on m.workspace_id = ${workspaceId}::int and m.connection_id = o.connection_id
                              and m.organization_id = o.id
       where a.workspace_id = ${workspaceId}::int ${chosen}
       group by a.id, a.name, a.owner_email),
    changed as materialized (
      select fresh.*, was.account_id is null as is_new
        from fresh left join account_metric was on was.workspace_id = ${workspaceId}::int and was.account_id = fresh.account_id
       where was.account_id is null
          or (${columnList(columns, "fresh")}) is distinct from (${columnList(columns, "was")})),
    updated as (
      update account_metric kept set ${sql.raw(columns.map((column) => `${column} = changed.${column}`).join(", "))}
        from changed
       where kept.workspace_id = ${workspaceId}::int and kept.account_id = changed.account_id and not changed.is_new),
    added as (
      insert into account_metric (workspace_id, account_id, ${columnList(columns)})
      select ${workspaceId}::int, account_id, ${columnList(columns)} from changed where is_new),
    counted as (
      update workspace w set accounts = w.accounts + came.accounts
        from (select count(*)::int as accounts from changed where is_new) came
       where w.id = ${workspaceId}::int and came.accounts > 0)
    select count(*)::int as written from changed`.execute(trx);
  return rows[0]?.written ?? 0;
}
