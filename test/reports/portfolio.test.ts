import { parse } from "csv-parse/sync";
import { beforeAll, describe, expect, test } from "vitest";
import { type AccountItem, type AccountsQuery, accountsQuery } from "#lib/accounts/shapes.ts";
import { rematchWorkspace } from "#lib/matching/run.ts";
import { putMatchKeys } from "#lib/matching/store.ts";
import { metricKeys } from "#lib/metrics/shapes.ts";
import { readAccount } from "#lib/reports/account.ts";
import { formulaOriginal } from "#lib/reports/csv.ts";
import { listOwners } from "#lib/reports/owners.ts";
import { listPortfolio, portfolioCsv } from "#lib/reports/portfolio.ts";
import { storeOrganizations } from "#lib/zendesk/store/organizations.ts";
import { storeRatings } from "#lib/zendesk/store/ratings.ts";
import { storeTickets } from "#lib/zendesk/store/tickets.ts";
import { makeConnections } from "#test/metrics/history.ts";
import { randomFrom } from "#test/metrics/random.ts";
import { organizationRow, ratingRow, ticketRow } from "#test/metrics/rows.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const now = new Date("2026-11-20T10:00:00Z");
const DAY = 86_400_000;
let workspaceId: number;
let connectionId: number;

/** 40 accounts, of which 30 have tickets and 20 ratings; names that sort and search badly, many equal numbers. */
beforeAll(async () => {
  const random = randomFrom(7);
  workspaceId = await database.workspace();
  await database.inWorkspace(workspaceId, async (trx) => {
    [connectionId = 0] = await makeConnections(trx, workspaceId, 1);
    const scope = { workspaceId, connectionId };
    const names = ["Acme", "acme", "100% Ltd", "under_score", "back\\slash", "=1+1", "", "Ärzte", "x".repeat(3000)];
    const accounts = Array.from({ length: 40 }, (_, i) => ({
      workspace_id: workspaceId,
      external_id: `A-${i}`,
      name: names[i % names.length] ?? "",
      owner_email: i % 3 === 0 ? null : `owner${i % 4}@example.com`,
      created_at: now,
      updated_at: now,
    }));
    await trx.insertInto("account").values(accounts).execute();
    const { id } = await trx
      .selectFrom("account")
      .select("id")
      .where("external_id", "=", "A-1")
      .executeTakeFirstOrThrow();
    await trx
      .insertInto("account_attribute")
      .values([
        { workspace_id: workspaceId, account_id: id, key: "tier", value: "gold" },
        { workspace_id: workspaceId, account_id: id, key: "__proto__", value: "odd" },
      ])
      .execute();
    await trx
      .insertInto("app_user")
      .values({
        workspace_id: workspaceId,
        email: "owner1@example.com",
        name: "Olive",
        role: "csm",
        created_at: now,
        password_hash: null,
      })
      .execute();
    await rematchWorkspace(trx, workspaceId, now);
    await putMatchKeys(trx, scope, [
      { organizationField: "external_id", accountField: "externalId", normalize: "exact" },
    ]);
    const organizations = Array.from({ length: 30 }, (_, i) =>
      organizationRow({ id: String(i), externalId: `A-${i}` }),
    );
    await storeOrganizations(trx, scope, organizations, now);
    const ago = (days: number) => new Date(now.getTime() - random.int(0, days) * DAY);
    const tickets = Array.from({ length: 300 }, (_, i) =>
      ticketRow({
        id: String(i),
        organizationId: String(random.int(0, 29)),
        createdAt: ago(80),
        priority: random.pick(["low", "high", "urgent", null]),
        status: random.pick(["open", "solved"]),
      }),
    );
    await storeTickets(trx, scope, tickets, now);
    const rated = tickets.filter((ticket) => Number(ticket.organizationId) < 20 && random.chance(0.5));
    const ratings = rated.map((ticket) =>
      ratingRow({
        id: ticket.id,
        ticketId: ticket.id,
        category: random.pick(["good", "neutral", "bad"]),
        ratedAt: ago(60),
      }),
    );
    await storeRatings(trx, scope, ratings, now);
  });
});

const list = (query: Partial<Record<keyof AccountsQuery, unknown>> = {}) =>
  database.inWorkspace(workspaceId, (trx) => listPortfolio(trx, workspaceId, accountsQuery.parse(query), now));

async function all(query: Partial<Record<keyof AccountsQuery, unknown>>): Promise<AccountItem[]> {
  const items: AccountItem[] = [];
  let cursor: string | null = null;
  do {
    const page: Awaited<ReturnType<typeof list>> = await list({ ...query, ...(cursor && { cursor }) });
    expect(page.total).toBe(query.ownerEmail || query.q ? page.total : 40);
    items.push(...page.items);
    cursor = page.nextCursor;
  } while (cursor !== null);
  return items;
}

function sortValue(item: AccountItem, key: string): string | number | null {
  if (key === "name") return item.name;
  const value = item.metrics[key as (typeof metricKeys)[number]];
  if (typeof value === "number") return value;
  const rated = value.good + value.neutral + value.bad;
  return rated === 0 ? null : value.good / rated;
}

describe.each(["name", ...metricKeys])("sorted by %s", (key) => {
  test.each(["", "-"])(
    "in both directions, every account is there once, page by page, without numbers last (%s)",
    async (sign) => {
      const items = await all({ sort: `${sign}${key}`, windowDays: 30, limit: 7 });
      expect(new Set(items.map((item) => item.id)).size).toBe(40);
      const values = items.map((item) => sortValue(item, key));
      const known = values.filter((value) => value !== null);
      const ascending = [...known].sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
      expect(known).toEqual(sign === "-" ? ascending.reverse() : ascending);
      expect(values.slice(0, known.length)).toEqual(known);
      if (key === "csat") expect(known.length).toBeLessThan(values.length);
    },
  );
});

test("an account shows its owner, attributes, organizations, windows and sparkline", async () => {
  const [item] = (await list({ externalId: "A-1" })).items;
  expect(item).toMatchObject({
    externalId: "A-1",
    owner: { email: "owner1@example.com", name: "Olive" },
    organizations: 1,
    metrics: { windowDays: 30, asOf: "2026-11-20" },
  });
  expect(Object.entries(item?.attributes ?? {})).toEqual([
    ["__proto__", "odd"],
    ["tier", "gold"],
  ]);
  expect(item?.trend).toHaveLength(12);
  const inTrend = (item?.trend ?? []).reduce((sum, week) => sum + week, 0);
  expect(inTrend).toBe(item?.metrics.ticketsTotal);
});

test("an account without organizations has zeros and a null score, never text or absence", async () => {
  const [item] = (await list({ externalId: "A-39" })).items;
  const none = { good: 0, neutral: 0, bad: 0, score: null };
  const zeros = { ticketsCreated: 0, topCreated: 0, csat: none, topCsat: none };
  expect(item?.metrics).toEqual({
    ...{ windowDays: 30, asOf: "2026-11-20", ticketsTotal: 0, ticketsUnsolved: 0, topUnsolved: 0 },
    ...zeros,
    previous: zeros,
  });
  expect(item?.trend).toEqual(Array(12).fill(0));
});

test("filters by owner, external id and words meet what they name, wildcards included", async () => {
  expect(new Set((await all({ ownerEmail: "OWNER2@example.com", limit: 3 })).map((i) => i.owner?.email))).toEqual(
    new Set(["owner2@example.com"]),
  );
  expect((await list({ externalId: "A-" })).items).toEqual([]);
  expect((await list({ externalId: "a-1" })).total).toBe(0);
  expect(new Set((await list({ q: "100%" })).items.map((i) => i.name))).toEqual(new Set(["100% Ltd"]));
  expect(new Set((await list({ q: "_" })).items.map((i) => i.name))).toEqual(new Set(["under_score"]));
  expect(new Set((await list({ q: "k\\s" })).items.map((i) => i.name))).toEqual(new Set(["back\\slash"]));
  expect((await list({ q: "ACME" })).items).toHaveLength(10);
  expect((await list({ q: "A-39" })).items.map((i) => i.externalId)).toEqual(["A-39"]);
});

test("a window that the workspace has not set is refused with those that it has", async () => {
  await expect(list({ windowDays: 31 })).rejects.toMatchObject({
    code: "invalid",
    details: [{ path: "windowDays", message: "must be one of the workspace's windows: 7, 14, 30, 90, 180 days" }],
  });
});

test("a cursor is good for its own list only", async () => {
  const { nextCursor } = await list({ sort: "-csat", limit: 5 });
  await expect(list({ sort: "csat", limit: 5, cursor: nextCursor })).rejects.toMatchObject({ code: "invalid" });
  await expect(list({ sort: "-csat", limit: 5, cursor: nextCursor, q: "a" })).rejects.toMatchObject({
    code: "invalid",
  });
  await expect(list({ cursor: "nonsense" })).rejects.toMatchObject({ code: "invalid" });
});

test("the CSV holds exactly what is listed, in its order, all of it", async () => {
  const query = accountsQuery.parse({ sort: "csat", windowDays: 90, limit: 1 });
  const response = await portfolioCsv(database.db, workspaceId, query, now);
  const rows = parse(await response.text(), { columns: true }) as Record<string, string>[];
  const items = await all({ sort: "csat", windowDays: 90, limit: 500 });
  expect(
    rows.map((row) => [formulaOriginal(row.name ?? ""), row.external_id, row.tickets_created, row.csat_score]),
  ).toEqual(
    items.map((i) => [i.name, i.externalId, String(i.metrics.ticketsCreated), String(i.metrics.csat.score ?? "")]),
  );
});

test("the CSV of the screen holds the columns shown, in their order, and nothing for what it does not know", async () => {
  const query = accountsQuery.parse({
    sort: "-csat",
    columns: "name,csat,ticketsCreatedChange,constructor,attributes.x",
  });
  const response = await portfolioCsv(database.db, workspaceId, query, now);
  const [header, ...rows] = parse(await response.text()) as string[][];
  expect(header).toEqual(["name", "csat_score", "csat_n", "tickets_created_change", "x"]);
  const items = await all({ sort: "-csat", limit: 500 });
  expect(rows.map(([name, score, n, change]) => [formulaOriginal(name ?? ""), score, n, change])).toEqual(
    items.map(({ name, metrics: { csat, ticketsCreated, previous } }) => [
      name,
      String(csat.score ?? ""),
      String(csat.good + csat.neutral + csat.bad),
      String(ticketsCreated - previous.ticketsCreated),
    ]),
  );
});

test("owners are listed page by page with the number of their accounts", async () => {
  const page = (cursor?: string) =>
    database.inWorkspace(workspaceId, (trx) => listOwners(trx, workspaceId, { limit: 2, cursor }));
  const first = await page();
  const second = await page(first.nextCursor ?? undefined);
  expect([...first.items, ...second.items].map((owner) => owner.email)).toEqual(
    [0, 1, 2, 3].map((i) => `owner${i}@example.com`),
  );
  expect(second.nextCursor).toBeNull();
  expect(first.items[1]?.name).toBe("Olive");
});

describe("freshness and reasons", () => {
  const one = async () => {
    const [item] = (await list({ externalId: "A-1" })).items;
    return database.inWorkspace(workspaceId, (trx) => readAccount(trx, workspaceId, item?.id ?? "", {}, now));
  };
  const streams = (state: Record<string, [state: string, freshThrough: string | null]>) =>
    database.inWorkspace(workspaceId, async (trx) => {
      await trx.deleteFrom("stream_state").execute();
      for (const [stream, [name, fresh]] of Object.entries(state)) {
        const at = fresh === null ? null : new Date(fresh);
        const key = { workspace_id: workspaceId, connection_id: connectionId, stream };
        await trx
          .insertInto("stream_state")
          .values([
            { ...key, purpose: "incremental", state: name, fresh_through: at, updated_at: now },
            { ...key, purpose: "full", state: "ok", fresh_through: now, updated_at: now },
          ])
          .execute();
      }
    });

  test("a stream that was never read makes the numbers of unknown freshness", async () => {
    await streams({ tickets: ["ok", "2026-11-20T09:00:00Z"] });
    const account = await one();
    expect(account.freshness.freshThrough).toBeNull();
    expect(account.freshness.streams.map((s) => [s.name, s.state, s.freshThrough !== null])).toEqual([
      ["tickets", "ok", true],
      ["organizations", "waiting", false],
      ["satisfaction_ratings", "waiting", false],
    ]);
    expect(account.metrics.csat.reason).toBe("Ratings have not been read yet.");
  });

  test("the oldest stream decides; one that the plan lacks does not count, and is the reason beside the score", async () => {
    await streams({
      tickets: ["ok", "2026-11-20T09:00:00Z"],
      organizations: ["ok", "2026-11-20T08:00:00Z"],
      satisfaction_ratings: ["not_available", null],
    });
    const account = await one();
    expect(account.freshness.freshThrough).toBe("2026-11-20T08:00:00.000Z");
    expect(account.metrics.csat.reason).toBe("Ratings are not available on this Zendesk plan.");
    expect(account.metrics.previous.topCsat.reason).toBe("Ratings are not available on this Zendesk plan.");
  });

  test("with every stream read there is no reason", async () => {
    const at = "2026-11-20T09:00:00Z";
    await streams({ tickets: ["ok", at], organizations: ["running", at], satisfaction_ratings: ["degraded", at] });
    const account = await one();
    expect(account.freshness.freshThrough).toBe("2026-11-20T09:00:00.000Z");
    expect(account.metrics.csat).not.toHaveProperty("reason");
  });
});
