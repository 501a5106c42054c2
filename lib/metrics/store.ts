import { sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import { metricSlots, windowCounts } from "#db/schema.ts";
import { notFound } from "#lib/errors.ts";
import {
  anyCount,
  columnList,
  type MetricSettings,
  metricColumns,
  type Sql,
  slotColumns,
  slotDays,
  standingColumns,
  sumOf,
} from "#lib/metrics/counts.ts";
import { addDays, dayIn, daysBetween } from "#lib/metrics/windows.ts";
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

/** The workspace's settings; `day` is null until the counts were first brought to a day. */
export async function readMetricSettings(
  db: Db,
  workspaceId: number,
): Promise<Omit<MetricSettings, "day"> & { day: string | null }> {
  const row = await db
    .selectFrom("workspace")
    .select(["time_zone", "windows", "top_priorities", "count_merged", "metrics_day"])
    .where("id", "=", workspaceId)
    .executeTakeFirst();
  if (!row) throw notFound("The workspace");
  return {
    workspaceId,
    timeZone: row.time_zone,
    windows: row.windows,
    topPriorities: row.top_priorities,
    countMerged: row.count_merged,
    day: row.metrics_day,
  };
}

/**
 * Brings every window column to today in the workspace's zone and returns the settings at which the counts stand. One
 * small read where they stand there already. Takes the lock only to move them.
 */
export async function ensureMetricsDay(db: Db, workspaceId: number, now: Date): Promise<MetricSettings> {
  const settings = await readMetricSettings(db, workspaceId);
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

function stands<S extends { day: string | null; timeZone: string }>(
  settings: S,
  now: Date,
): settings is S & { day: string } {
  const { day, timeZone } = settings;
  return day === dayIn(timeZone, now) || day === dayIn(timeZone, new Date(now.getTime() + CLOCK_TOLERANCE_MS));
}

async function moveToToday(trx: Trx, workspaceId: number, now: Date): Promise<MetricSettings> {
  await lockMetrics(trx, workspaceId);
  const settings = await readMetricSettings(trx, workspaceId);
  if (stands(settings, now)) return settings;
  const moved = { ...settings, day: dayIn(settings.timeZone, now) };
  const organizations = await moveWindows(trx, moved, settings.day);
  await trx.updateTable("workspace").set({ metrics_day: moved.day }).where("id", "=", workspaceId).execute();
  for (const [connectionId, ids] of organizations) await resumAccountsOf(trx, { workspaceId, connectionId }, ids);
  return moved;
}

/**
 * Adds the days that enter each window and takes away those that leave it: org_day rows of those days only. From null
 * (columns that hold nothing yet) every day of the window enters.
 */
async function moveWindows(trx: Trx, settings: MetricSettings, from: string | null): Promise<Map<number, string[]>> {
  const { workspaceId, day: to } = settings;
  const sign = (slot: number) =>
    sql`(${within(to, slotDays(settings, slot))} - ${from === null ? sql`0` : within(from, slotDays(settings, slot))})`;
  const moving = movingDays(settings, from);
  if (moving.length === 0) return new Map();
  const { rows } = await sql<{ connection_id: number; ids: string[] }>`
    with moved as materialized (
      select connection_id, organization_id, ${columnList(windowCounts)},
             ${sql.join(metricSlots.map((slot) => sql`${sign(slot)} as sign${sql.raw(String(slot))}`))}
        from org_day where workspace_id = ${workspaceId}::int and day = any(${moving}::date[])),
    change as materialized (
      select connection_id, organization_id, ${sql.raw(
        metricSlots
          .flatMap((slot) => windowCounts.map((count) => `sum(${count} * sign${slot})::int as w${slot}_${count}`))
          .join(", "),
      )} from moved group by connection_id, organization_id),
    written as (
      update org_metric m set ${sql.raw(slotColumns.map((c) => `${c} = m.${c} + change.${c}`).join(", "))}
        from change
       where m.workspace_id = ${workspaceId}::int and m.connection_id = change.connection_id
         and m.organization_id = change.organization_id and ${anyCount(slotColumns, "change")}
      returning m.connection_id, m.organization_id)
    select connection_id, array_agg(organization_id) as ids from written group by connection_id`.execute(trx);
  return new Map(rows.map((row) => [row.connection_id, row.ids]));
}

function within(asOf: string, days: number): Sql {
  return sql`(day > ${addDays(asOf, -days)}::date and day <= ${asOf}::date)::int`;
}

/** Days that are in a window as of `from` or as of the settings' day, but not in both. */
function movingDays(settings: MetricSettings, from: string | null): string[] {
  const days = new Set<string>();
  for (const length of settings.windows) {
    const isIn = (day: string, asOf: string | null) => asOf !== null && day <= asOf && daysBetween(day, asOf) < length;
    for (const asOf of [settings.day, from]) {
      if (asOf === null) continue;
      for (let back = 0; back < length; back += 1) {
        const day = addDays(asOf, -back);
        if (isIn(day, settings.day) !== isIn(day, from)) days.add(day);
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
             ${sumOf(standingColumns, "m")}, ${sumOf(slotColumns, "m")}
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
      select ${workspaceId}::int, account_id, ${columnList(columns)} from changed where is_new)
    select count(*)::int as written from changed`.execute(trx);
  return rows[0]?.written ?? 0;
}
