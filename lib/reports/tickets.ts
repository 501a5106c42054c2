import { sql } from "kysely";
import type { Db } from "#db/client.ts";
import { cursorOf, positionFrom } from "#lib/api/cursor.ts";
import type { List } from "#lib/api/shapes.ts";
import { invalid, notFound } from "#lib/errors.ts";
import {
  counts,
  dayOf,
  inWindow,
  isTop,
  isUnsolved,
  type MetricSettings,
  ratingCodes,
  type Sql,
} from "#lib/metrics/counts.ts";
import { isWindowed } from "#lib/metrics/definitions.ts";
import type { MetricKey } from "#lib/metrics/shapes.ts";
import { atOneDay } from "#lib/metrics/store.ts";
import { addDays, startOfDay, windowOf } from "#lib/metrics/windows.ts";
import { slotOf } from "#lib/reports/account-rows.ts";
import { type Cell, csvResponse } from "#lib/reports/csv.ts";
import { chosenDay, chosenWindow } from "#lib/reports/numbers.ts";
import type { AccountTicketsQuery, TicketItem } from "#lib/reports/shapes.ts";
import { fromOneState } from "#lib/reports/snapshot.ts";
import { type Position, positionAfter, readTickets, type TicketListRow, ticketItem } from "#lib/reports/ticket-rows.ts";

const CSV_BATCH = 1000;

/**
 * Exactly the tickets that a number counts, newest first (tickets whose creation is unknown before all others); without a
 * metric, all that count for the account. `total` is the number.
 */
export async function listAccountTickets(
  db: Db,
  workspaceId: number,
  accountId: string,
  query: AccountTicketsQuery,
  now: Date,
  zendeskUrl: string,
): Promise<List<TicketItem> & { total: number }> {
  return atOneDay(db, workspaceId, now, async (settings) => {
    const kept = await readKeptNumber(db, settings, accountId, query);
    const behind = behindNumber(settings, query);
    const after = positionOf(query.cursor);
    const rows = await readTickets(db, settings, accountId, behind, after, query.limit + 1);
    const total = after?.total ?? kept ?? (await countTickets(db, settings, accountId, behind));
    const shown = rows.slice(0, query.limit);
    const last = shown.at(-1);
    const position = rows.length > query.limit && last ? positionAfter(last) : null;
    return {
      items: shown.map((row) => ticketItem(row, zendeskUrl)),
      nextCursor: position && cursorOf([position.createdAt, position.id, position.connectionId, total]),
      total,
    };
  });
}

/** The same tickets as a file, all of them. `db` is the pool. */
export function accountTicketsCsv(
  db: Db,
  workspaceId: number,
  accountId: string,
  query: AccountTicketsQuery,
  now: Date,
  zendeskUrl: string,
): Promise<Response> {
  const header = [
    ...["id", "subject", "status", "priority", "created_at", "updated_at", "solved_at", "organization_id"],
    ...["reporter", "group", "assignee", "rating", "rating_comment", "rated_at", "merged", "url"],
  ];
  const batches = fromOneState(db, workspaceId, now, async function* (trx, settings) {
    await readKeptNumber(trx, settings, accountId, query);
    const behind = behindNumber(settings, query);
    let after: Position | null = null;
    do {
      const rows: TicketListRow[] = await readTickets(trx, settings, accountId, behind, after, CSV_BATCH);
      yield rows.map((row) => csvRow(ticketItem(row, zendeskUrl)));
      const last = rows.at(-1);
      after = rows.length === CSV_BATCH && last ? positionAfter(last) : null;
    } while (after !== null);
  });
  return csvResponse(`account-${accountId}-tickets-${query.metric ?? "all"}.csv`, header, batches);
}

function csvRow(ticket: TicketItem): Cell[] {
  return [
    ...[ticket.id, ticket.subject, ticket.status, ticket.priority, ticket.createdAt, ticket.updatedAt, ticket.solvedAt],
    ...[ticket.organizationId, ticket.reporter, ticket.group, ticket.assignee],
    ...[ticket.rating?.score ?? null, ticket.rating?.comment ?? null, ticket.rating?.at ?? null],
    ...[ticket.merged, ticket.url],
  ];
}

/** The condition on `ticket t` that a number stands for. */
function behindNumber(settings: MetricSettings, query: AccountTicketsQuery): Sql {
  const metric: MetricKey = query.metric ?? "ticketsTotal";
  const counted = counts("t", settings);
  const top = isTop("t", settings);
  if (metric === "ticketsTotal") return counted;
  if (metric === "ticketsUnsolved") return sql`${counted} and ${isUnsolved("t")}`;
  if (metric === "topUnsolved") return sql`${counted} and ${isUnsolved("t")} and ${top}`;

  const days = isWindowed(metric) ? chosenWindow(settings, query.windowDays) : 0;
  const asOf = chosenDay(settings, query.asOf);
  const created = inThatWindow(sql`t.created_at`, settings, asOf, days);
  const rated = sql`t.rating is not null and ${inThatWindow(sql`t.rated_at`, settings, asOf, days)}`;
  if (metric === "ticketsCreated") return sql`${counted} and ${created}`;
  if (metric === "topCreated") return sql`${counted} and ${created} and ${top}`;
  return metric === "csat" ? sql`${counted} and ${rated}` : sql`${counted} and ${rated} and ${top}`;
}

/** By the day, as the counts are; the instants around it, a day wide of the mark, let an index find the rows. */
function inThatWindow(at: Sql, settings: MetricSettings, asOf: string, days: number): Sql {
  const { from, to } = windowOf(asOf, days);
  const earliest = startOfDay(settings.timeZone, addDays(from, -1)).toISOString();
  const latest = startOfDay(settings.timeZone, addDays(to, 2)).toISOString();
  return sql`${at} >= ${earliest}::timestamptz and ${at} < ${latest}::timestamptz
    and ${inWindow(dayOf(at, settings), asOf, days)}`;
}

/** The number as account_metric keeps it; null as of a day that is over. 404 where there is no such account. */
async function readKeptNumber(
  db: Db,
  settings: MetricSettings,
  accountId: string,
  query: AccountTicketsQuery,
): Promise<number | null> {
  const number = keptNumber(settings, query);
  const { rows } = await sql<{ number: number | null }>`
    select ${number === null ? sql`null::int` : sql.raw(number)} as number
      from account a
      left join account_metric m on m.workspace_id = ${settings.workspaceId}::int and m.account_id = a.id
     where a.workspace_id = ${settings.workspaceId}::int and a.id = ${accountId}::bigint`.execute(db);
  if (!rows[0]) throw notFound(`Account ${accountId}`);
  return rows[0].number;
}

/** Which columns of account_metric add up to the number. */
function keptNumber(settings: MetricSettings, query: AccountTicketsQuery): string | null {
  const metric: MetricKey = query.metric ?? "ticketsTotal";
  if (metric === "ticketsTotal") return "m.total";
  if (metric === "ticketsUnsolved") return "m.unsolved";
  if (metric === "topUnsolved") return "m.unsolved_top";
  if (chosenDay(settings, query.asOf) !== settings.day) return null;
  const slot = `m.w${slotOf(settings, chosenWindow(settings, query.windowDays))}`;
  if (metric === "ticketsCreated") return `${slot}_created`;
  if (metric === "topCreated") return `${slot}_created_top`;
  const top = metric === "topCsat" ? "_top" : "";
  return Object.keys(ratingCodes)
    .map((answer) => `${slot}_${answer}${top}`)
    .join(" + ");
}

async function countTickets(
  db: Db,
  { workspaceId: ws }: MetricSettings,
  accountId: string,
  behind: Sql,
): Promise<number> {
  const { rows } = await sql<{ total: number }>`
    select count(*)::int as total
      from organization o
      join ticket t on t.workspace_id = ${ws}::int and t.connection_id = o.connection_id and t.organization_id = o.id
     where o.workspace_id = ${ws}::int and o.account_id = ${accountId}::bigint and ${behind}`.execute(db);
  return rows[0]?.total ?? 0;
}

function positionOf(cursor: string | undefined): Position | null {
  const position = positionFrom(cursor, ["text?", "text", "number", "number"]);
  if (position === null) return null;
  const [createdAt, id, connectionId, total] = position;
  const isInstant = createdAt === null || !Number.isNaN(Date.parse(createdAt));
  if (isInstant && /^-?\d{1,19}$/.test(id) && Number.isInteger(connectionId))
    return { createdAt, id, connectionId, total };
  throw invalid("cursor is not one of this list: begin again without it.", [
    { path: "cursor", message: "is not one of this list: begin again without it" },
  ]);
}
