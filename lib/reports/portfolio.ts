import { createHash } from "node:crypto";
import { sql } from "kysely";
import type { Db } from "#db/client.ts";
import type { AccountItem, AccountsQuery } from "#lib/accounts/shapes.ts";
import { cursorOf, positionFrom } from "#lib/api/cursor.ts";
import type { List } from "#lib/api/shapes.ts";
import { AppError } from "#lib/errors.ts";
import type { MetricSettings, Sql } from "#lib/metrics/counts.ts";
import { type AccountRow, type AccountRows, accountItem, readAccountRows, slotOf } from "#lib/reports/account-rows.ts";
import { csvResponse } from "#lib/reports/csv.ts";
import { readStanding, whereItStands } from "#lib/reports/freshness.ts";
import { chosenWindow } from "#lib/reports/numbers.ts";
import { chosenColumns, everyColumn } from "#lib/reports/portfolio-columns.ts";
import { fromOneState } from "#lib/reports/snapshot.ts";

const CSV_BATCH = 500;

/** Accounts with their numbers in one window, sorted by any of them; `total` counts all that the filter meets. */
export async function listPortfolio(
  db: Db,
  workspaceId: number,
  query: AccountsQuery,
  now: Date,
): Promise<List<AccountItem> & { total: number }> {
  return whereItStands(db, workspaceId, now, async ({ settings, streams }) => {
    const windowDays = chosenWindow(settings, query.windowDays);
    const after = positionOf(query, windowDays);
    const page = await readPage(db, settings, query, windowDays, after, query.limit + 1);
    if (page === null) return null;
    const total = after?.total ?? page.listed ?? 0;
    const shown = page.rows.slice(0, query.limit);
    return {
      items: shown.map((row) => accountItem(row, settings, windowDays, streams)),
      nextCursor: page.rows.length > query.limit ? nextCursor(query, windowDays, shown.at(-1), total) : null,
      total,
    };
  });
}

/** The same rows as a file, all of them, in the columns that `query.columns` names. `db` is the pool. */
export function portfolioCsv(db: Db, workspaceId: number, query: AccountsQuery, now: Date): Promise<Response> {
  const { header, cells } = query.columns ? chosenColumns(query.columns) : everyColumn;
  const batches = fromOneState(db, workspaceId, now, async function* (trx, settings) {
    const windowDays = chosenWindow(settings, query.windowDays);
    const { streams } = await readStanding(trx, workspaceId, now);
    let after: Position | null = null;
    do {
      const page: AccountRows | null = await readPage(trx, settings, query, windowDays, after, CSV_BATCH);
      if (page === null) throw new Error("The settings changed inside one snapshot.");
      const { rows } = page;
      yield rows.map((row) => cells(accountItem(row, settings, windowDays, streams)));
      const last = rows.at(-1);
      after = rows.length === CSV_BATCH && last ? { ...positionAfter(last), total: 0 } : null;
    } while (after !== null);
  });
  return csvResponse("accounts.csv", header, batches);
}

/** Where the page before ended. A name may be too long to be carried: it is looked up by its account. */
interface Position {
  value: number | null;
  id: string;
  total: number;
}

interface Sort {
  column: string;
  type: "text" | "int" | "real";
  descending: boolean;
}

function sortOf(query: AccountsQuery, slot: number): Sort {
  const descending = query.sort.startsWith("-");
  const key = descending ? query.sort.slice(1) : query.sort;
  const columns: Record<string, [string, Sort["type"]]> = {
    name: ["name", "text"],
    ticketsTotal: ["total", "int"],
    ticketsUnsolved: ["unsolved", "int"],
    topUnsolved: ["unsolved_top", "int"],
    ticketsCreated: [`w${slot}_created`, "int"],
    topCreated: [`w${slot}_created_top`, "int"],
    csat: [`w${slot}_csat`, "real"],
    topCsat: [`w${slot}_csat_top`, "real"],
  };
  const [column, type] = columns[key] ?? (["name", "text"] as const);
  return { column, type, descending };
}

/**
 * A range of the sort column's index. Unrated accounts carry −1 as their score: last anyway when the best come first; when
 * the worst come first, a range of their own behind the others.
 */
function readPage(
  db: Db,
  settings: MetricSettings,
  query: AccountsQuery,
  windowDays: number,
  after: Position | null,
  limit: number,
): Promise<AccountRows | null> {
  const sort = sortOf(query, slotOf(settings, windowDays));
  const column = sql.raw(`m.${sort.column}`);
  const direction = sql.raw(sort.descending ? "desc" : "asc");
  const range = (condition: Sql) => sql`
    (select m.*, ${column} as sort_value from account_metric m
      where ${meets(settings, query)}${condition}
      order by ${column} ${direction}, m.account_id ${direction} limit ${limit})`;
  const listed = after === null ? countListed(settings, query) : sql`null::int`;
  const afterValue =
    sort.type === "text"
      ? sql`(select name from account_metric where workspace_id = ${settings.workspaceId}::int and account_id = ${after?.id}::bigint)`
      : sql`${after?.value}::${sql.raw(sort.type)}`;
  const beyond = after
    ? sql` and (${column}, m.account_id) ${sql.raw(sort.descending ? "<" : ">")} (${afterValue}, ${after.id}::bigint)`
    : sql``;

  if (sort.type !== "real" || sort.descending) {
    const order = sql`m.sort_value ${direction}, m.account_id ${direction}`;
    return readAccountRows(db, settings, windowDays, { chosen: range(beyond), order, listed });
  }
  const unratedOnly = after !== null && Number(after.value) < 0;
  const rated = unratedOnly ? sql`` : sql`${range(sql` and ${column} >= 0${beyond}`)} union all`;
  const unrated = range(sql` and ${column} = -1${unratedOnly ? beyond : sql``}`);
  const order = sql`m.sort_value < 0, m.sort_value, m.account_id`;
  const both = sql`select * from (${rated} ${unrated}) m order by ${order} limit ${limit}`;
  return readAccountRows(db, settings, windowDays, { chosen: both, order, listed });
}

/** The accounts that the filter meets, as a condition on `account_metric m`. */
function meets({ workspaceId }: MetricSettings, { q, ownerEmail, externalId }: AccountsQuery): Sql {
  const conditions = [sql`m.workspace_id = ${workspaceId}::int`];
  if (ownerEmail !== undefined) conditions.push(sql`m.owner_email = ${ownerEmail.trim().toLowerCase()}::text`);
  if (externalId !== undefined) {
    conditions.push(sql`m.account_id = (select id from account
      where workspace_id = ${workspaceId}::int and external_id = ${externalId}::text)`);
  }
  const words = q?.trim();
  if (words) {
    const pattern = `%${words.replaceAll(/[\\%_]/g, "\\$&")}%`;
    conditions.push(sql`(m.name ilike ${pattern}::text or m.account_id in (
      select id from account where workspace_id = ${workspaceId}::int and external_id ilike ${pattern}::text))`);
  }
  return sql.join(conditions, sql` and `);
}

/** How many accounts the filter meets; of all of them the workspace keeps count. */
function countListed(settings: MetricSettings, query: AccountsQuery): Sql {
  const { q, ownerEmail, externalId } = query;
  if (!q?.trim() && ownerEmail === undefined && externalId === undefined) return sql`w.accounts`;
  return sql`(select count(*)::int from account_metric m where ${meets(settings, query)})`;
}

/** A cursor holds on to its list: one that was given for another sort, window or filter is refused. */
function positionOf(query: AccountsQuery, windowDays: number): Position | null {
  const position = positionFrom(query.cursor, ["text", "number?", "id", "number"]);
  if (position === null) return null;
  const [list, value, id, total] = position;
  if (list === listName(query, windowDays)) return { value, id, total };
  const message = "belongs to a list with another sort, window or filter: begin again without it";
  throw new AppError("invalid", `cursor ${message}.`, { details: [{ path: "cursor", message }] });
}

function nextCursor(query: AccountsQuery, windowDays: number, last: AccountRow | undefined, total: number) {
  if (!last) return null;
  const { value, id } = positionAfter(last);
  return cursorOf([listName(query, windowDays), value, id, total]);
}

function positionAfter(row: AccountRow): Omit<Position, "total"> {
  return { value: typeof row.sort_value === "number" ? row.sort_value : null, id: row.account_id };
}

function listName({ sort, q, ownerEmail, externalId }: AccountsQuery, windowDays: number): string {
  const told = JSON.stringify([sort, windowDays, q, ownerEmail, externalId]);
  return createHash("sha256").update(told).digest("base64url").slice(0, 12);
}
