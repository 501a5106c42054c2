import { describe, expect, test } from "vitest";
import { accountsQuery } from "#lib/accounts/shapes.ts";
import { defaultZendeskUrl } from "#lib/config.ts";
import { metricKeys } from "#lib/metrics/shapes.ts";
import { ensureMetricsDay } from "#lib/metrics/store.ts";
import { addDays } from "#lib/metrics/windows.ts";
import { readAccountMetrics, readAccountTrend } from "#lib/reports/account.ts";
import { listPortfolio } from "#lib/reports/portfolio.ts";
import { accountTicketsQuery } from "#lib/reports/shapes.ts";
import { accountTicketsCsv, listAccountTickets } from "#lib/reports/tickets.ts";
import { History } from "#test/metrics/history.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const seeds = [101, 102, 103, 104, 105];

async function lived(seed: number, steps = 40): Promise<History> {
  const history = await History.begin(database, seed);
  await history.populate();
  for (let i = 0; i < steps; i += 1) await history.step();
  return history;
}

describe.each(seeds)("after a random history (seed %i)", (seed) => {
  test("the tickets behind every number are exactly those that it counts, page by page and as CSV", async () => {
    const history = await lived(seed);
    const { workspaceId, oracle, now } = history;
    const { day, windows } = await inside(history, (trx) => ensureMetricsDay(trx, workspaceId, now));
    let listed = 0;
    for (const account of oracle.accounts) {
      for (const metric of metricKeys) {
        for (const asOf of [undefined, addDays(day, -3)]) {
          const query = accountTicketsQuery.parse({ metric, windowDays: windows.at(-1), asOf, limit: 3 });
          const pages = await allPages((cursor) =>
            inside(history, (trx) =>
              listAccountTickets(trx, workspaceId, account.id, { ...query, cursor }, now, defaultZendeskUrl),
            ),
          );
          const keys = pages.items.map((item) => `${item.connectionId}/${item.id}`);
          const expected = oracle.ticketsBehind(account.id, metric, windows.at(-1) ?? 0, asOf ?? day);
          expect([...keys].sort(), `${metric} of ${account.name} as of ${asOf}`).toEqual(expected);
          expect(pages.total).toBe(expected.length);
          const created = pages.items.map((item) => item.createdAt ?? "9");
          expect(created).toEqual([...created].sort().reverse());

          const csv = await accountTicketsCsv(database.db, workspaceId, account.id, query, now, defaultZendeskUrl);
          const lines = (await csv.text()).trimEnd().split("\r\n").slice(1);
          expect(lines.map((line) => line.split('","')[0]?.slice(1))).toEqual(pages.items.map((item) => item.id));
          listed += keys.length;
        }
      }
    }
    expect(listed).toBeGreaterThan(0);
  });

  test("windows, previous windows and weeks equal the oracle's, today and as of a past day", async () => {
    const history = await lived(seed + 1000);
    const { workspaceId, oracle, now } = history;
    const { day, windows } = await inside(history, (trx) => ensureMetricsDay(trx, workspaceId, now));
    for (const account of oracle.accounts) {
      for (const asOf of [undefined, addDays(day, -1), addDays(day, -40)]) {
        const answer = await inside(history, (trx) => readAccountMetrics(trx, workspaceId, account.id, { asOf }, now));
        const asked = asOf ?? day;
        expect(answer.asOf).toBe(asked);
        expect(answer.ticketsUnsolved).toBe(oracle.accountNumbers(account.id, asked).unsolved);
        answer.windows.forEach((window, index) => {
          expect(window.days).toBe(windows[index]);
          expect(summary(window)).toEqual(expectedSummary(oracle.accountNumbers(account.id, asked), index + 1));
          const before = oracle.accountNumbers(account.id, addDays(asked, -window.days));
          expect(summary(window.previous)).toEqual(expectedSummary(before, index + 1));
        });
      }
      const trend = await inside(history, (trx) => readAccountTrend(trx, workspaceId, account.id, { weeks: 4 }, now));
      for (const week of trend.weeks) {
        const end = week.end < day ? week.end : day;
        const days = Math.round((Date.parse(end) - Date.parse(week.start)) / 86_400_000) + 1;
        expect(week.ticketsCreated).toBe(oracle.ticketsBehind(account.id, "ticketsCreated", days, end).length);
        expect(week.csat.good + week.csat.neutral + week.csat.bad).toBe(
          oracle.ticketsBehind(account.id, "csat", days, end).length,
        );
      }
    }
  });

  test("the parts add up to the workspace: accounts and no account, priorities and none", async () => {
    const history = await lived(seed + 2000);
    const { workspaceId, now } = history;
    const query = accountsQuery.parse({ limit: 500, windowDays: undefined });
    const portfolio = await inside(history, (trx) => listPortfolio(trx, workspaceId, query, now));
    const inAccounts = portfolio.items.reduce((sum, item) => sum + item.metrics.ticketsTotal, 0);
    const tickets = await inside(history, (trx) =>
      trx
        .selectFrom("ticket as t")
        .leftJoin("organization as o", (join) =>
          join
            .onRef("o.workspace_id", "=", "t.workspace_id")
            .onRef("o.connection_id", "=", "t.connection_id")
            .onRef("o.id", "=", "t.organization_id"),
        )
        .select(["t.priority", "t.organization_id", "o.account_id"])
        .select((eb) => eb("t.status_category", "in", ["new", "open", "pending", "hold"]).as("isUnsolved"))
        .where("t.workspace_id", "=", workspaceId)
        .where("t.deleted_at", "is", null)
        .where((eb) => eb.or([eb("t.merged", "=", false), eb.val(history.oracle.settings.countMerged)]))
        .execute(),
    );
    const withoutAccount = tickets.filter((ticket) => ticket.account_id === null).length;
    expect(inAccounts + withoutAccount).toBe(tickets.length);
    const unsolved = await inside(history, (trx) =>
      trx
        .selectFrom("org_metric")
        .select((eb) => eb.fn.sum<string>("unsolved").as("n"))
        .executeTakeFirstOrThrow(),
    );
    const inPriorities = [...new Set(tickets.map((ticket) => ticket.priority))].map(
      (priority) =>
        tickets.filter((ticket) => ticket.priority === priority && ticket.isUnsolved && ticket.organization_id).length,
    );
    expect(inPriorities.reduce((a, b) => a + b, 0)).toBe(Number(unsolved.n ?? 0));
  });
});

function inside<T>(history: History, work: Parameters<typeof database.inWorkspace<T>>[1]): Promise<T> {
  return database.inWorkspace(history.workspaceId, work);
}

async function allPages<Item>(
  page: (cursor: string | undefined) => Promise<{ items: Item[]; nextCursor: string | null; total: number }>,
) {
  const items: Item[] = [];
  let cursor: string | undefined;
  let total = -1;
  do {
    const answer = await page(cursor);
    items.push(...answer.items);
    total = answer.total;
    cursor = answer.nextCursor ?? undefined;
  } while (cursor);
  return { items, total };
}

type Window = Awaited<ReturnType<typeof readAccountMetrics>>["windows"][number]["previous"];

function summary({ ticketsCreated, topCreated, csat, topCsat }: Window) {
  return [ticketsCreated, topCreated, csat.good, csat.neutral, csat.bad, topCsat.good, topCsat.neutral, topCsat.bad];
}

function expectedSummary(numbers: Record<string, number>, slot: number) {
  const names = ["created", "created_top", "good", "neutral", "bad", "good_top", "neutral_top", "bad_top"];
  return names.map((name) => numbers[`w${slot}_${name}`]);
}
