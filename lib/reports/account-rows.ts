import { sql } from "kysely";
import type { Db } from "#db/client.ts";
import { trendBlocks } from "#db/schema.ts";
import type { AccountItem } from "#lib/accounts/shapes.ts";
import type { MetricSettings, Sql } from "#lib/metrics/counts.ts";
import { stillStands } from "#lib/metrics/store.ts";
import type { StreamStates } from "#lib/reports/freshness.ts";
import { type WindowArray, windowArray, windowMetrics } from "#lib/reports/numbers.ts";

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

/** Rows of one state of the data, and how many the list has in all, where it was asked. */
export interface AccountRows {
  rows: AccountRow[];
  listed: number | null;
}

/**
 * Rows of accounts as lists show them, in one statement; null where the settings stand no more (`whereItStands`). `chosen`
 * picks rows of account_metric as `m` with a column `sort_value`; `listed` counts the whole list (`workspace w` is there).
 */
export async function readAccountRows(
  db: Db,
  settings: MetricSettings,
  windowDays: number,
  { chosen, order, listed = sql`null::int` }: { chosen: Sql; order: Sql; listed?: Sql },
): Promise<AccountRows | null> {
  const ws = settings.workspaceId;
  const slot = slotOf(settings, windowDays);
  const trend = `array[${trendBlocks.map((block) => `m.t${block}_created`).join(", ")}]`;
  const { rows } = await sql<Partial<AccountRow> & { stands: boolean; listed: number | null }>`
    select ${stillStands(settings)} as stands, ${listed} as listed, m.*
      from workspace w
      left join (
        select m.account_id, a.external_id, m.name, m.owner_email, owner.name as owner_name, m.organizations, m.total,
               m.unsolved, m.unsolved_top, ${sql.raw(windowArray(`m.w${slot}_`))} as current,
               ${sql.raw(windowArray(`m.p${slot}_`))} as previous, ${sql.raw(trend)} as trend,
               (select array_agg(distinct o.connection_id) from organization o
                 where o.workspace_id = ${ws}::int and o.account_id = m.account_id) as connections,
               attribute.keys as attribute_keys, attribute.values as attribute_values, m.sort_value
          from (${chosen}) m
          join account a on a.workspace_id = ${ws}::int and a.id = m.account_id
          left join app_user owner on owner.workspace_id = ${ws}::int and owner.email = m.owner_email
          left join lateral (
            select array_agg(key order by key) as keys, array_agg(value order by key) as values
              from account_attribute where workspace_id = ${ws}::int and account_id = m.account_id) attribute on true
      ) m on true
     where w.id = ${ws}::int
     order by ${order}`.execute(db);
  const first = rows[0];
  if (!first?.stands) return null;
  return { rows: rows.filter((row): row is typeof row & AccountRow => row.account_id !== null), listed: first.listed };
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
