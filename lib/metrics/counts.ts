import { type RawBuilder, sql } from "kysely";
import { metricSlots, trendBlocks, windowCounts } from "#db/schema.ts";
import { type CountedRange, countedRanges, daysOf, reach } from "#lib/metrics/ranges.ts";
import { addDays } from "#lib/metrics/windows.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/**
 * What a ticket contributes to which number, as SQL: the page statement, the rebuild and the lists behind a number take it
 * from here and cannot disagree.
 */

export type Sql = RawBuilder<unknown>;

/** The settings that decide what counts, and the day at which the window columns stand. */
export interface MetricSettings {
  workspaceId: number;
  timeZone: string;
  windows: number[];
  topPriorities: string[];
  countMerged: boolean;
  day: string;
}

/** Ratings as `ticket.rating` codes them. */
export const ratingCodes = { bad: 1, neutral: 2, good: 3 } as const;
export type RatingCategory = keyof typeof ratingCodes;
const answers = ["good", "neutral", "bad"] as const;

export const standingColumns = ["total", "unsolved", "unsolved_top"] as const;
/** What is counted over ranges of days: see `countedRanges`. */
export const rangeColumns = [
  ...metricSlots.flatMap((slot) => windowCounts.map((count) => `w${slot}_${count}` as const)),
  ...metricSlots.flatMap((slot) => windowCounts.map((count) => `p${slot}_${count}` as const)),
  ...trendBlocks.map((block) => `t${block}_created` as const),
] as const;
/** Every count of org_metric and account_metric. */
export const metricColumns = [...standingColumns, ...rangeColumns] as const;

/** True when the ticket counts for its organization at all. */
export function counts(ticket: string, settings: MetricSettings): Sql {
  const t = sql.raw(ticket);
  const merged = settings.countMerged ? sql`` : sql` and not ${t}.merged`;
  return sql`(${t}.organization_id is not null and ${t}.deleted_at is null${merged})`;
}

/** Current priority is in the top set; a ticket without priority is not. */
export function isTop(ticket: string, settings: MetricSettings): Sql {
  return sql`coalesce(${sql.raw(ticket)}.priority = any(${settings.topPriorities}::text[]), false)`;
}

/** An unknown status is neither unsolved nor solved. */
export function isUnsolved(ticket: string): Sql {
  return sql`coalesce(${sql.raw(ticket)}.status_category in ('new', 'open', 'pending', 'hold'), false)`;
}

/** The calendar day of an instant in the workspace's zone. */
export function dayOf(instant: Sql, settings: MetricSettings): Sql {
  return sql`(${instant} at time zone ${settings.timeZone}::text)::date`;
}

/** True where `day` lies in the window of `days` days as of `asOf`. */
export function inWindow(day: Sql, asOf: string, days: number): Sql {
  return sql`(${day} > ${addDays(asOf, -days)}::date and ${day} <= ${asOf}::date)`;
}

/** The rating that holds stands first: the latest answer; of two at one instant, the survey's, then the younger one's. */
export const effectiveOrder = sql.raw("rated_at desc nulls last, system desc, length(id) desc, id desc");

/** The rating that holds for each of some tickets. */
export function effectiveRatings(scope: Scope, tickets: Sql): Sql {
  return sql`
    select distinct on (ticket_id) ticket_id, rated_at, comment,
           case category when 'good' then ${sql.lit(ratingCodes.good)} when 'neutral' then ${sql.lit(ratingCodes.neutral)}
                         else ${sql.lit(ratingCodes.bad)} end::smallint as rating
      from satisfaction_rating
     where workspace_id = ${scope.workspaceId}::int and connection_id = ${scope.connectionId}::int
       and ticket_id = any(${tickets}) and category is not null and deleted_at is null
     order by ticket_id, ${effectiveOrder}`;
}

/** `a, b, c` as identifiers, each under `alias` where one is given. */
export function columnList(columns: readonly string[], alias?: string): Sql {
  return sql.raw(columns.map((column) => (alias ? `${alias}.${column}` : column)).join(", "));
}

/** True where any of the counts is not zero. */
export function anyCount(columns: readonly string[], alias?: string): Sql {
  return sql`(${columnList(columns, alias)}) is distinct from (${sql.raw(columns.map(() => "0").join(", "))})`;
}

/**
 * CTEs that carry signed tickets into the tables of counts. Expects a CTE `delta` of (organization_id, created_at, rated_at,
 * deleted_at, priority, status_category, rating, merged, sign): each old row with −1, each new one with 1. Gives
 * `changed_organization`, the organizations whose counts moved.
 */
export function applyDeltas(settings: MetricSettings, connectionId: number): Sql {
  const ws = settings.workspaceId;
  const ranges = countedRanges(settings.windows);
  return sql`
    contribution as materialized (
      select organization_id, sign, rating, ${isTop("delta", settings)} as top, ${isUnsolved("delta")} as unsolved,
             ${dayOf(sql`created_at`, settings)} as created_day,
             case when rating is not null then ${dayOf(sql`rated_at`, settings)} end as rated_day
        from delta where ${counts("delta", settings)}),
    day_delta as materialized (
      select organization_id, day, ${sumOf(windowCounts)} from (${dayParts(sql`contribution`)}) part
       group by organization_id, day
      having ${sql.join(
        windowCounts.map((count) => sql`sum(${sql.ref(count)}) <> 0`),
        sql` or `,
      )}),
    organization_delta as materialized (
      select standing.*, ${sql.join(rangeColumns.map((c) => sql`coalesce(windowed.${sql.raw(c)}, 0) as ${sql.raw(c)}`))}
        from (select organization_id, sum(sign)::int as total,
                     coalesce(sum(sign) filter (where unsolved), 0)::int as unsolved,
                     coalesce(sum(sign) filter (where unsolved and top), 0)::int as unsolved_top
                from contribution group by organization_id) standing
        left join (select organization_id, ${sumsOverRanges(ranges, (range) => dayLies(range, settings.day))} from day_delta
                    where ${inWindow(sql`day`, settings.day, reach(ranges))}
                    group by organization_id) windowed using (organization_id)),
    written_day as (
      insert into org_day as kept (workspace_id, connection_id, organization_id, day, ${columnList(windowCounts)})
      select ${ws}::int, ${connectionId}::int, organization_id, day, ${columnList(windowCounts)} from day_delta
      on conflict (workspace_id, connection_id, organization_id, day) do update set ${added(windowCounts)}),
    changed_organization as (
      insert into org_metric as kept (workspace_id, connection_id, organization_id, ${columnList(metricColumns)})
      select ${ws}::int, ${connectionId}::int, organization_id, ${columnList(metricColumns)} from organization_delta
       where ${anyCount(metricColumns)}
      on conflict (workspace_id, connection_id, organization_id) do update set ${added(metricColumns)}
      returning organization_id)`;
}

/** Rows (organization_id, day, counts) of the creation and of the rating of each row of `source`, keys first. */
export function dayParts(source: Sql, keys: readonly string[] = ["organization_id"]): Sql {
  const key = columnList(keys);
  const none = (names: readonly string[]) => sql.raw(names.map((name) => `0 as ${name}`).join(", "));
  const rated = answers.map((answer) => sql`case when rating = ${ratingCodes[answer]} then sign else 0 end`);
  return sql`
    select ${key}, created_day as day, sign as created, case when top then sign else 0 end as created_top,
           ${none(windowCounts.slice(2))} from ${source} where created_day is not null
    union all
    select ${key}, rated_day, 0, 0, ${sql.join(rated)},
           ${sql.join(rated.map((part) => sql`case when top then ${part} else 0 end`))}
      from ${source} where rated_day is not null`;
}

/** True where the column `day` lies in the range as of `asOf`. */
export function dayLies(range: CountedRange, asOf: string): Sql {
  const { from, to } = daysOf(range, asOf);
  return sql`(day between ${sql.lit(from)}::date and ${sql.lit(to)}::date)`;
}

/** `coalesce(sum(count) filter (where the row lies in the range), 0)::int as name_count, …` */
export function sumsOverRanges(ranges: readonly CountedRange[], lies: (range: CountedRange) => Sql): Sql {
  return sql.join(
    ranges.flatMap((range) =>
      range.counts.map(
        (count) =>
          sql`coalesce(sum(${sql.ref(count)}) filter (where ${lies(range)}), 0)::int as ${sql.raw(`${range.name}_${count}`)}`,
      ),
    ),
  );
}

/** `sum(x)::int as x, …` */
export function sumOf(columns: readonly string[], alias?: string): Sql {
  const prefix = alias ? `${alias}.` : "";
  return sql.raw(columns.map((column) => `coalesce(sum(${prefix}${column}), 0)::int as ${column}`).join(", "));
}

function added(columns: readonly string[]): Sql {
  return sql.raw(columns.map((column) => `${column} = kept.${column} + excluded.${column}`).join(", "));
}
