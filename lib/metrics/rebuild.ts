import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { metricSlots, windowCounts } from "#db/schema.ts";
import {
  anyCount,
  columnList,
  counts,
  dayOf,
  dayParts,
  inWindow,
  isTop,
  isUnsolved,
  type MetricSettings,
  metricColumns,
  ratingCodes,
  type Sql,
  slotDays,
  sumOf,
} from "#lib/metrics/counts.ts";
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
  const jit = await sql<{ jit: string }>`select current_setting('jit') as jit, set_config('jit', 'on', true)`.execute(
    trx,
  );
  const differing =
    (include.days ? await recountDays(trx, settings) : 0) +
    (await recountOrganizations(trx, settings)) +
    (await removeStrayAccounts(trx, settings.workspaceId)) +
    (await resumAccounts(trx, settings.workspaceId, "all"));
  await sql`select set_config('jit', ${jit.rows[0]?.jit ?? "off"}, true)`.execute(trx);
  return differing;
}

function recountDays(trx: Trx, settings: MetricSettings): Promise<number> {
  const keys = ["connection_id", "organization_id"] as const;
  return repair(trx, settings.workspaceId, {
    table: "org_day",
    keys: [...keys, "day"],
    counts: windowCounts,
    fresh: sql`
      select ${columnList(keys)}, day, ${sumOf(windowCounts)} from (${dayParts(
        sql`(select ${columnList(keys)}, rating, 1 as sign, ${isTop("t", settings)} as top,
                    ${dayOf(sql`created_at`, settings)} as created_day,
                    case when rating is not null then ${dayOf(sql`rated_at`, settings)} end as rated_day
               from ticket t where workspace_id = ${settings.workspaceId}::int and ${counts("t", settings)}) ticket_day`,
        keys,
      )}) part group by ${columnList(keys)}, day`,
  });
}

/** One pass over the tickets. It does not read org_day: two ways to the same numbers check each other. */
function recountOrganizations(trx: Trx, settings: MetricSettings): Promise<number> {
  const longest = Math.max(...settings.windows);
  const earliest = startOfDay(settings.timeZone, addDays(settings.day, -longest - 1));
  // The day is worked out only for rows that can lie in a window; the bound is a day wide of the mark on purpose.
  const recentDay = (instant: Sql) =>
    sql`case when ${instant} >= ${earliest.toISOString()}::timestamptz then ${dayOf(instant, settings)} end`;
  return repair(trx, settings.workspaceId, {
    table: "org_metric",
    keys: ["connection_id", "organization_id"],
    counts: metricColumns,
    fresh: sql`
      select connection_id, organization_id, count(*)::int as total,
             (count(*) filter (where unsolved))::int as unsolved,
             (count(*) filter (where unsolved and top))::int as unsolved_top, ${slotCounts(settings)}
        from (select connection_id, organization_id, ${isTop("t", settings)} as top, ${isUnsolved("t")} as unsolved, rating,
                     ${recentDay(sql`created_at`)} as created_day,
                     case when rating is not null then ${recentDay(sql`rated_at`)} end as rated_day
                from ticket t where workspace_id = ${settings.workspaceId}::int and ${counts("t", settings)}) counted
       group by connection_id, organization_id`,
  });
}

function slotCounts(settings: MetricSettings): Sql {
  return sql.join(
    metricSlots.flatMap((slot) => {
      const days = slotDays(settings, slot);
      const created = inWindow(sql`created_day`, settings.day, days);
      const rated = inWindow(sql`rated_day`, settings.day, days);
      const conditions = {
        created,
        created_top: sql`${created} and top`,
        good: sql`${rated} and rating = ${ratingCodes.good}`,
        neutral: sql`${rated} and rating = ${ratingCodes.neutral}`,
        bad: sql`${rated} and rating = ${ratingCodes.bad}`,
        good_top: sql`${rated} and rating = ${ratingCodes.good} and top`,
        neutral_top: sql`${rated} and rating = ${ratingCodes.neutral} and top`,
        bad_top: sql`${rated} and rating = ${ratingCodes.bad} and top`,
      };
      return windowCounts.map(
        (count) => sql`(count(*) filter (where ${conditions[count]}))::int as ${sql.raw(`w${slot}_${count}`)}`,
      );
    }),
  );
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
    with fresh as materialized (${target.fresh}),
    differing as materialized (
      select ${columnList(target.keys)}, ${sql.raw(target.counts.map((c) => `coalesce(fresh.${c}, 0) as ${c}`).join(", "))}
        from fresh
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
