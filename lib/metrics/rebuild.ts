import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { windowCounts } from "#db/schema.ts";
import {
  anyCount,
  columnList,
  counts,
  dayOf,
  dayParts,
  isTop,
  isUnsolved,
  type MetricSettings,
  metricColumns,
  rangeColumns,
  type Sql,
  standingColumns,
  sumOf,
  sumsOverRanges,
} from "#lib/metrics/counts.ts";
import { type CountedRange, countedRanges, daysOf, reach } from "#lib/metrics/ranges.ts";
import { lockMetrics, lockMetricsAtToday, readMetricSettings, resumAccounts } from "#lib/metrics/store.ts";
import { addDays, dayIn, startOfDay } from "#lib/metrics/windows.ts";

/**
 * Counts everything again from the tickets and repairs what differs; `differing` is the number of rows that were wrong, 0
 * unless somebody changed the tables by hand (row 124). Nightly, and after a first full read.
 */
export async function rebuildMetrics(trx: Trx, workspaceId: number, now: Date): Promise<{ differing: number }> {
  const settings = await lockMetricsAtToday(trx, workspaceId, now);
  const differing = await recount(trx, settings, { days: true });
  await trx.updateTable("workspace").set({ metrics_verified_at: now }).where("id", "=", workspaceId).execute();
  return { differing };
}

/**
 * Counts everything again under settings that have just changed: every number is right when it returns. `days` says that
 * the counts of single days changed too, not only the windows over them.
 */
export async function recountUnderNewSettings(
  trx: Trx,
  workspaceId: number,
  now: Date,
  changed: { days: boolean },
): Promise<void> {
  await lockMetrics(trx, workspaceId);
  const settings = await readMetricSettings(trx, workspaceId);
  const day = dayIn(settings.timeZone, now);
  await recount(trx, { ...settings, day }, changed);
  await trx.updateTable("workspace").set({ metrics_day: day }).where("id", "=", workspaceId).execute();
}

async function recount(trx: Trx, settings: MetricSettings, include: { days: boolean }): Promise<number> {
  // Compiling pays for itself in scans of millions of rows only; other statements of the transaction stay without it.
  const jit = await sql<{ jit: string }>`
    select current_setting('jit') as jit, set_config('jit', case when pg_jit_available() then 'on' else 'off' end, true)`.execute(
    trx,
  );
  await countDays(trx, settings, include);
  const differingDays = include.days
    ? await repair(trx, settings.workspaceId, {
        table: "org_day",
        keys: ["connection_id", "organization_id", "day"],
        counts: windowCounts,
        fresh: freshDay,
      })
    : 0;
  await countOrganizations(trx, settings);
  const differingOrganizations = await repair(trx, settings.workspaceId, {
    table: "org_metric",
    keys: ["connection_id", "organization_id"],
    counts: metricColumns,
    fresh: freshMetric,
  });
  await sql`drop table ${freshDay}, ${freshMetric}`.execute(trx);
  const differingAccounts =
    (await removeStrayAccounts(trx, settings.workspaceId)) + (await resumAccounts(trx, settings.workspaceId, "all"));
  await countAccounts(trx, settings.workspaceId);
  await sql`select set_config('jit', ${jit.rows[0]?.jit ?? "off"}, true)`.execute(trx);
  return differingDays + differingOrganizations + differingAccounts;
}

const freshDay = sql.raw("fresh_day");
const freshMetric = sql.raw("fresh_metric");

/**
 * Counts of single days from the tickets: of all of them, or only of those that the ranges reach. A table made on the way,
 * as a statement that writes elsewhere may not use several processes.
 */
async function countDays(trx: Trx, settings: MetricSettings, include: { days: boolean }): Promise<void> {
  const { workspaceId, timeZone, day, windows } = settings;
  const earliest = startOfDay(timeZone, addDays(day, -reach(countedRanges(windows)) - 1)).toISOString();
  // The day decides; the instant, a day wide of the mark on purpose, spares working it out for rows of long ago.
  const dayIf = (instant: Sql) =>
    include.days
      ? dayOf(instant, settings)
      : sql`case when ${instant} >= ${earliest}::timestamptz then ${dayOf(instant, settings)} end`;
  const keys = ["connection_id", "organization_id"] as const;
  await sql`
    create temporary table ${freshDay} on commit drop as
    select ${columnList(keys)}, day, ${sumOf(windowCounts)} from (${dayParts(
      sql`(select ${columnList(keys)}, rating, 1 as sign, ${isTop("t", settings)} as top,
                  ${dayIf(sql`created_at`)} as created_day,
                  case when rating is not null then ${dayIf(sql`rated_at`)} end as rated_day
             from ticket t where workspace_id = ${workspaceId}::int and ${counts("t", settings)}) ticket_day`,
      keys,
    )}) part group by ${columnList(keys)}, day`.execute(trx);
}

/**
 * Counts of organizations: what stands from the tickets, the ranges from their days just counted. It does not read org_day:
 * two ways to the same numbers check each other. Days between the same two bounds are summed first, and ranges from those.
 */
async function countOrganizations(trx: Trx, settings: MetricSettings): Promise<void> {
  const { workspaceId, day, windows } = settings;
  const ranges = countedRanges(windows);
  const bounds = [...new Set(ranges.flatMap((range) => [daysOf(range, day).from, addDays(daysOf(range, day).to, 1)]))];
  bounds.sort();
  // width_bucket() answers how many of the bounds are not after the day.
  const lies = (range: CountedRange) => {
    const { from, to } = daysOf(range, day);
    return sql`bucket between ${sql.lit(bounds.indexOf(from) + 1)} and ${sql.lit(bounds.indexOf(addDays(to, 1)))}`;
  };
  const keys = columnList(["connection_id", "organization_id"]);
  await sql`
    create temporary table ${freshMetric} on commit drop as
    select ${keys}, ${columnList(standingColumns)},
           ${sql.raw(rangeColumns.map((column) => `coalesce(${column}, 0) as ${column}`).join(", "))}
      from (select ${keys}, count(*)::int as total, (count(*) filter (where unsolved))::int as unsolved,
                   (count(*) filter (where unsolved and top))::int as unsolved_top
              from (select ${keys}, ${isTop("t", settings)} as top, ${isUnsolved("t")} as unsolved
                      from ticket t where workspace_id = ${workspaceId}::int and ${counts("t", settings)}) counted
             group by ${keys}) standing
      left join (
        select ${keys}, ${sumsOverRanges(ranges, lies)}
          from (select ${keys}, width_bucket(day, ${bounds}::date[]) as bucket, ${sumOf(windowCounts)}
                  from ${freshDay} group by ${keys}, bucket) bucketed
         where bucket > 0 and bucket < ${sql.lit(bounds.length)}
         group by ${keys}) ranged using (${keys})`.execute(trx);
}

/**
 * Makes a table of counts equal to `fresh`, writing only rows that differ, and answers how many did. A row of zeros and no
 * row are the same; rows of zeros are swept out.
 */
async function repair(
  trx: Trx,
  workspaceId: number,
  target: { table: "org_day" | "org_metric"; keys: readonly string[]; counts: readonly string[]; fresh: Sql },
): Promise<number> {
  const table = sql.raw(target.table);
  const orZero = (alias: string) => sql.raw(target.counts.map((c) => `coalesce(${alias}.${c}, 0)`).join(", "));
  const { rows } = await sql<{ differing: number }>`
    with differing as materialized (
      select ${columnList(target.keys)}, ${sql.raw(target.counts.map((c) => `coalesce(fresh.${c}, 0) as ${c}`).join(", "))}
        from ${target.fresh} fresh
        full join (select ${columnList(target.keys)}, ${columnList(target.counts)} from ${table}
                    where workspace_id = ${workspaceId}::int) was using (${columnList(target.keys)})
       where (${orZero("fresh")}) is distinct from (${orZero("was")})),
    written as (
      insert into ${table} (workspace_id, ${columnList(target.keys)}, ${columnList(target.counts)})
      select ${workspaceId}::int, ${columnList(target.keys)}, ${columnList(target.counts)} from differing
      on conflict (workspace_id, ${columnList(target.keys)}) do update
         set ${sql.raw(target.counts.map((c) => `${c} = excluded.${c}`).join(", "))})
    select count(*)::int as differing from differing`.execute(trx);
  await sql`delete from ${table} where workspace_id = ${workspaceId}::int and not (${anyCount(target.counts)})`.execute(
    trx,
  );
  return rows[0]?.differing ?? 0;
}

async function removeStrayAccounts(trx: Trx, workspaceId: number): Promise<number> {
  const { numDeletedRows } = await trx
    .deleteFrom("account_metric")
    .where("workspace_id", "=", workspaceId)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("account")
            .select("account.id")
            .where("account.workspace_id", "=", workspaceId)
            .whereRef("account.id", "=", "account_metric.account_id"),
        ),
      ),
    )
    .executeTakeFirst();
  return Number(numDeletedRows);
}

async function countAccounts(trx: Trx, workspaceId: number): Promise<void> {
  await sql`
    update workspace w set accounts = counted.accounts
      from (select count(*)::int as accounts from account_metric where workspace_id = ${workspaceId}::int) counted
     where w.id = ${workspaceId}::int and w.accounts <> counted.accounts`.execute(trx);
}
