import { sql } from "kysely";
import type { Db } from "#db/client.ts";
import type { AccountAnswer } from "#lib/accounts/shapes.ts";
import { notFound } from "#lib/errors.ts";
import { inWindow, type MetricSettings } from "#lib/metrics/counts.ts";
import type { AccountTrend, MetricsByWindow } from "#lib/metrics/shapes.ts";
import { atOneDay } from "#lib/metrics/store.ts";
import { addDays, weekStart } from "#lib/metrics/windows.ts";
import { accountItem, readAccountRows, sumsOf } from "#lib/reports/account-rows.ts";
import { readStreamStates } from "#lib/reports/freshness.ts";
import { chosenDay, chosenWindow, type WindowArray, windowArray, windowMetrics } from "#lib/reports/numbers.ts";

/** One account as the portfolio shows it, and how fresh its numbers are. */
export async function readAccount(
  db: Db,
  workspaceId: number,
  accountId: string,
  query: { windowDays?: number | undefined },
  now: Date,
): Promise<AccountAnswer> {
  return atOneDay(db, workspaceId, now, async (settings) => {
    const windowDays = chosenWindow(settings, query.windowDays);
    const chosen = sql`select m.*, m.name as sort_value from account_metric m
      where m.workspace_id = ${workspaceId}::int and m.account_id = ${accountId}::bigint`;
    const [row] = await readAccountRows(db, settings, windowDays, chosen, sql`m.account_id`);
    if (!row) throw notFound(`Account ${accountId}`);
    const streams = await readStreamStates(db, workspaceId);
    return {
      ...accountItem(row, settings, windowDays, streams),
      freshness: streams.freshness(row.connections ?? []),
    };
  });
}

interface MetricsRow {
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
  return atOneDay(db, workspaceId, now, async (settings) => {
    const asOf = chosenDay(settings, query.asOf);
    const row = await readMetricsRow(db, settings, accountId, asOf);
    const streams = await readStreamStates(db, workspaceId);
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

async function readMetricsRow(db: Db, settings: MetricSettings, accountId: string, asOf: string): Promise<MetricsRow> {
  const { workspaceId: ws, windows } = settings;
  const isToday = asOf === settings.day;
  const past = (days: number, end: string) => sumsOf(inWindow(sql`d.day`, end, days));
  const columns = windows.flatMap((days, index) => [
    sql`${past(days, addDays(asOf, -days))} as ${sql.raw(`previous${index}`)}`,
    ...(isToday ? [] : [sql`${past(days, asOf)} as ${sql.raw(`current${index}`)}`]),
  ]);
  const kept = isToday
    ? windows.map((_, index) => `, ${windowArray(`m.w${index + 1}_`)} as current${index}`).join("")
    : "";
  const { rows } = await sql<MetricsRow>`
    select m.total, m.unsolved, m.unsolved_top ${sql.raw(kept)}, history.*
      from account_metric m
      left join lateral (
        select array_agg(distinct o.connection_id) as connections, ${sql.join(columns)}
          from organization o
          left join org_day d on d.workspace_id = ${ws}::int and d.connection_id = o.connection_id
               and d.organization_id = o.id
               and d.day > ${addDays(asOf, -2 * Math.max(...windows))}::date and d.day <= ${asOf}::date
         where o.workspace_id = ${ws}::int and o.account_id = m.account_id) history on true
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
  return atOneDay(db, workspaceId, now, async (settings) => {
    const current = weekStart(settings.day);
    const starts = Array.from({ length: query.weeks }, (_, index) => addDays(current, -7 * (query.weeks - 1 - index)));
    const { rows } = await sql<{ start: string; counts: WindowArray; connections: number[] | null }>`
      select week.start::text as start, history.counts, history.connections
        from account_metric m
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
    if (rows.length === 0) throw notFound(`Account ${accountId}`);
    const streams = await readStreamStates(db, workspaceId);
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
