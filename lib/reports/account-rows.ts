import { sql } from "kysely";
import type { Db } from "#db/client.ts";
import type { AccountItem } from "#lib/accounts/shapes.ts";
import { inWindow, type MetricSettings, type Sql } from "#lib/metrics/counts.ts";
import { addDays } from "#lib/metrics/windows.ts";
import type { StreamStates } from "#lib/reports/freshness.ts";
import { type WindowArray, windowArray, windowMetrics } from "#lib/reports/numbers.ts";

/** Weeks of the sparkline. */
const TREND_WEEKS = 12;

export interface AccountRow {
  account_id: string;
  external_id: string;
  name: string;
  owner_email: string | null;
  owner_name: string | null;
  organizations: number;
  total: number;
  unsolved: number;
  unsolved_top: number;
  current: WindowArray;
  previous: WindowArray;
  /** Tickets created in each of the last 12 weeks, the last of which ends with the as-of day; oldest first. */
  trend: number[];
  /** Connections that bring the account any organization. */
  connections: number[] | null;
  attribute_keys: string[] | null;
  attribute_values: string[] | null;
  sort_value: string | number;
}

/** Index (from 1) of the slot that keeps the window. */
export function slotOf(settings: MetricSettings, windowDays: number): number {
  return settings.windows.indexOf(windowDays) + 1;
}

/**
 * Rows of accounts as lists show them, in one statement and so of one state of the data. `chosen` picks rows of
 * account_metric as `m` with a column `sort_value`, few of them: previous window and sparkline are summed from single days
 * for these alone.
 */
export async function readAccountRows(
  db: Db,
  settings: MetricSettings,
  windowDays: number,
  chosen: Sql,
  order: Sql,
): Promise<AccountRow[]> {
  const { workspaceId: ws, day } = settings;
  const weekEnds = Array.from({ length: TREND_WEEKS }, (_, week) => addDays(day, -7 * (TREND_WEEKS - 1 - week)));
  const before = inWindow(sql`d.day`, addDays(day, -windowDays), windowDays);
  const { rows } = await sql<AccountRow>`
    select m.account_id, a.external_id, m.name, m.owner_email, owner.name as owner_name, m.organizations, m.total,
           m.unsolved, m.unsolved_top, ${sql.raw(windowArray(`m.w${slotOf(settings, windowDays)}_`))} as current,
           history.previous, history.trend, history.connections, attribute.keys as attribute_keys,
           attribute.values as attribute_values, m.sort_value
      from (${chosen}) m
      join account a on a.workspace_id = ${ws}::int and a.id = m.account_id
      left join app_user owner on owner.workspace_id = ${ws}::int and owner.email = m.owner_email
      left join lateral (
        select array_agg(key order by key) as keys, array_agg(value order by key) as values
          from account_attribute where workspace_id = ${ws}::int and account_id = m.account_id) attribute on true
      left join lateral (
        select array_agg(distinct o.connection_id) as connections,
               ${sumsOf(before)} as previous,
               array[${sql.join(weekEnds.map((end) => sql`${total("created", inWindow(sql`d.day`, end, 7))}`))}] as trend
          from organization o
          left join org_day d on d.workspace_id = ${ws}::int and d.connection_id = o.connection_id
               and d.organization_id = o.id
               and d.day > ${addDays(day, -Math.max(2 * windowDays, 7 * TREND_WEEKS))}::date and d.day <= ${day}::date
         where o.workspace_id = ${ws}::int and o.account_id = m.account_id) history on true
     order by ${order}`.execute(db);
  return rows;
}

/** Sums of days `d` under a condition, in the order of `windowCounts`. */
export function sumsOf(condition: Sql): Sql {
  const names = windowArray("").slice("array[".length, -1).split(", ");
  return sql`array[${sql.join(names.map((name) => total(name, condition)))}]`;
}

function total(count: string, condition: Sql): Sql {
  return sql`(coalesce(sum(d.${sql.raw(count)}) filter (where ${condition}), 0))::int`;
}

export function accountItem(
  row: AccountRow,
  settings: MetricSettings,
  windowDays: number,
  streams: StreamStates,
): AccountItem {
  const reason = streams.ratingsReason(row.connections ?? []);
  const keys = row.attribute_keys ?? [];
  return {
    id: row.account_id,
    externalId: row.external_id,
    name: row.name,
    owner: row.owner_email === null ? null : { email: row.owner_email, name: row.owner_name },
    attributes: Object.fromEntries(keys.map((key, index) => [key, row.attribute_values?.[index] ?? ""])),
    organizations: row.organizations,
    metrics: {
      windowDays,
      asOf: settings.day,
      ticketsTotal: row.total,
      ticketsUnsolved: row.unsolved,
      topUnsolved: row.unsolved_top,
      ...windowMetrics(row.current, reason),
      previous: windowMetrics(row.previous, reason),
    },
    trend: row.trend,
  };
}
