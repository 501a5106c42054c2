import { sql } from "kysely";
import type { Db } from "#db/client.ts";
import type { AccountAnswer } from "#lib/accounts/shapes.ts";
import { notFound } from "#lib/errors.ts";
import { inWindow, type MetricSettings } from "#lib/metrics/counts.ts";
import type { AccountTrend, MetricsByWindow } from "#lib/metrics/shapes.ts";
import { stillStands } from "#lib/metrics/store.ts";
import { addDays, weekStart } from "#lib/metrics/windows.ts";
import { accountItem, readAccountRows, sumsOf } from "#lib/reports/account-rows.ts";
import { whereItStands } from "#lib/reports/freshness.ts";
import { chosenDay, chosenWindow, type WindowArray, windowArray, windowMetrics } from "#lib/reports/numbers.ts";

/** One account as the portfolio shows it, and how fresh its numbers are. */
export async function readAccount(
  db: Db,
  workspaceId: number,
  accountId: string,
  query: { windowDays?: number | undefined },
  now: Date,
): Promise<AccountAnswer> {
  return whereItStands(db, workspaceId, now, async ({ settings, streams }) => {
    const windowDays = chosenWindow(settings, query.windowDays);
    const chosen = sql`select m.*, m.name as sort_value from account_metric m
      where m.workspace_id = ${workspaceId}::int and m.account_id = ${accountId}::bigint`;
    const read = await readAccountRows(db, settings, windowDays, { chosen, order: sql`m.account_id` });
    if (read === null) return null;
    const [row] = read.rows;
    if (!row) throw notFound(`Account ${accountId}`);
    return {
      ...accountItem(row, settings, windowDays, streams),
      freshness: streams.freshness(row.connections ?? []),
    };
  });
}

interface MetricsRow {
  stands: boolean;
  total: number;
  unsolved: number;
  unsolved_top: number;
  connections: number[] | null;
  [window: `current${number}` | `previous${number}`]: WindowArray;
}

/**
 * All metrics of an account in all windows. A past `asOf` moves the windows only: what stands now is not known for a day
 * that is over.
 */
export async function readAccountMetrics(
  db: Db,
  workspaceId: number,
  accountId: string,
  query: { asOf?: string | undefined },
  now: Date,
): Promise<MetricsByWindow> {
  return whereItStands(db, workspaceId, now, async ({ settings, streams }) => {
    const asOf = chosenDay(settings, query.asOf);
    const row = await readMetricsRow(db, settings, accountId, asOf);
    if (!row.stands) return null;
    const reason = streams.ratingsReason(row.connections ?? []);
    return {
      asOf,
      timeZone: settings.timeZone,
      freshThrough: streams.freshness(row.connections ?? []).freshThrough,
      ticketsTotal: row.total,
      ticketsUnsolved: row.unsolved,
      topUnsolved: row.unsolved_top,
      windows: settings.windows.map((days, index) => ({
        days,
        ...windowMetrics(row[`current${index}`] ?? [], reason),
        previous: windowMetrics(row[`previous${index}`] ?? [], reason),
      })),
    };
  });
}

/** As of today everything stands in account_metric; a day that is over is summed from single days. */
async function readMetricsRow(db: Db, settings: MetricSettings, accountId: string, asOf: string): Promise<MetricsRow> {
  const { workspaceId: ws, windows } = settings;
  const past = (days: number, end: string) => sumsOf(inWindow(sql`d.day`, end, days));
  const kept = windows.map((_, index) =>
    sql.raw(
      `${windowArray(`m.w${index + 1}_`)} as current${index}, ${windowArray(`m.p${index + 1}_`)} as previous${index}`,
    ),
  );
  const summed = windows.map(
    (days, index) => sql`
      ${past(days, asOf)} as ${sql.raw(`current${index}`)},
      ${past(days, addDays(asOf, -days))} as ${sql.raw(`previous${index}`)}`,
  );
  const history = sql`
    cross join lateral (
      select ${sql.join(summed)}
        from organization o
        join org_day d on d.workspace_id = ${ws}::int and d.connection_id = o.connection_id and d.organization_id = o.id
             and d.day > ${addDays(asOf, -2 * Math.max(...windows))}::date and d.day <= ${asOf}::date
       where o.workspace_id = ${ws}::int and o.account_id = m.account_id) history`;
  const isToday = asOf === settings.day;
  const { rows } = await sql<MetricsRow>`
    select ${stillStands(settings)} as stands, m.total, m.unsolved, m.unsolved_top,
           (select array_agg(distinct o.connection_id) from organization o
             where o.workspace_id = ${ws}::int and o.account_id = m.account_id) as connections,
           ${isToday ? sql.join(kept) : sql`history.*`}
      from account_metric m
      join workspace w on w.id = ${ws}::int
      ${isToday ? sql`` : history}
     where m.workspace_id = ${ws}::int and m.account_id = ${accountId}::bigint`.execute(db);
  const row = rows[0];
  if (!row) throw notFound(`Account ${accountId}`);
  return row;
}

/** Tickets and ratings of calendar weeks (Monday first), oldest first; the last week is the one that runs. */
export async function readAccountTrend(
  db: Db,
  workspaceId: number,
  accountId: string,
  query: { weeks: number },
  now: Date,
): Promise<AccountTrend> {
  return whereItStands(db, workspaceId, now, async ({ settings, streams }) => {
    const current = weekStart(settings.day);
    const starts = Array.from({ length: query.weeks }, (_, index) => addDays(current, -7 * (query.weeks - 1 - index)));
    const { rows } = await sql<{
      stands: boolean;
      start: string;
      counts: WindowArray;
      connections: number[] | null;
    }>`
      select ${stillStands(settings)} as stands, week.start::text as start, history.counts, history.connections
        from account_metric m
        join workspace w on w.id = ${workspaceId}::int
        cross join unnest(${starts}::date[]) as week(start)
        left join lateral (
          select ${sumsOf(sql`true`)} as counts, array_agg(distinct o.connection_id) as connections
            from organization o
            left join org_day d on d.workspace_id = ${workspaceId}::int and d.connection_id = o.connection_id
                 and d.organization_id = o.id and d.day >= week.start and d.day < week.start + 7
                 and d.day <= ${settings.day}::date
           where o.workspace_id = ${workspaceId}::int and o.account_id = m.account_id) history on true
       where m.workspace_id = ${workspaceId}::int and m.account_id = ${accountId}::bigint
       order by week.start`.execute(db);
    if (!rows[0]) throw notFound(`Account ${accountId}`);
    if (!rows[0].stands) return null;
    return {
      asOf: settings.day,
      timeZone: settings.timeZone,
      weeks: rows.map((row) => ({
        start: row.start,
        end: addDays(row.start, 6),
        ...windowMetrics(row.counts, streams.ratingsReason(row.connections ?? [])),
      })),
    };
  });
}
