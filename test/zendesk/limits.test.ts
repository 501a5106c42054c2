import { sql } from "kysely";
import pg from "pg";
import { afterEach, describe, expect, it } from "vitest";
import { openDatabase } from "#db/client.ts";
import type { Endpoint } from "#lib/zendesk/budgets.ts";
import { ZendeskClient } from "#lib/zendesk/client.ts";
import { WaitNeeded } from "#lib/zendesk/failures.ts";
import { DatabaseLimiter, readBudgets } from "#lib/zendesk/limits.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const opened: { destroy(): Promise<void> }[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((db) => db.destroy()));
});

let accounts = 0;
const start = Date.parse("2026-03-02T09:00:00Z");

function limiterAt(documentedLimits: boolean, account = `https://acme-${++accounts}.zendesk.com`) {
  const clock = { now: start };
  const options = { documentedLimits, clock: () => new Date(clock.now) };
  const limiter = new DatabaseLimiter(database.db, account, options);
  const advance = (milliseconds: number) => {
    clock.now += milliseconds;
  };
  return { limiter, account, options, advance, now: () => clock.now - start };
}

/** Sends as fast as the limiter lets it, for a while; gives the instants. */
async function sendFor(
  clock: ReturnType<typeof limiterAt>,
  endpoint: Endpoint,
  length: number,
  target?: string,
): Promise<number[]> {
  const sent: number[] = [];
  const until = clock.now() + length;
  while (clock.now() < until) {
    const { wait } = await clock.limiter.take(endpoint, target);
    if (wait === 0) sent.push(clock.now());
    clock.advance(Math.max(1, Math.ceil(wait)));
  }
  return sent;
}

const mostIn = (sent: number[], window: number) =>
  Math.max(...sent.map((first) => sent.filter((at) => at >= first && at < first + window).length));

describe("the limiter", () => {
  it("stays below the documented limits, less the share left to others, before anything is announced", async () => {
    const clock = limiterAt(true);
    const sent = await sendFor(clock, "incremental", 600_000);
    expect(mostIn(sent, 60_000)).toBeLessThanOrEqual(8);
    expect(sent.length).toBeGreaterThan(60);
  });

  it("keeps below a documented limit in every minute, also where a pause put all of one window at its end", async () => {
    const clock = limiterAt(true);
    const sent: number[] = [];
    for (const idle of [50_000, 0, 55_000, 0, 58_000, 0]) {
      if ((await clock.limiter.take("incremental")).wait === 0) sent.push(clock.now());
      clock.advance(idle);
      sent.push(...(await sendFor(clock, "incremental", 15_000)));
    }
    expect(mostIn(sent, 60_000)).toBeLessThanOrEqual(8);
  });

  it.each([
    ["incremental_users", 20, 60_000],
    ["deep_list", 50, 60_000],
    ["ticket_update", 30, 600_000],
    ["organization_update", 5, 60_000],
    ["user_update", 5, 60_000],
    ["user_upsert", 1, 1000],
    ["job", 30, 60_000],
    ["customer_events", 250, 60_000],
  ] as const)("knows the documented limit of %s: %i in %i ms", async (endpoint, limit, window) => {
    const clock = limiterAt(true);
    const sent = await sendFor(clock, endpoint, Math.min(window * 2, 700_000), endpoint === "user_upsert" ? "" : "7");
    expect(mostIn(sent, window)).toBeLessThanOrEqual(limit);
    expect(sent.length).toBeGreaterThanOrEqual(Math.floor(limit * 0.8));
  });

  it("counts every ticket's updates for themselves, and all of them for the account", async () => {
    const clock = limiterAt(true);
    for (let n = 0; n < 15; n++) expect((await clock.limiter.take("ticket_update", "1")).wait).toBe(0);
    expect((await clock.limiter.take("ticket_update", "1")).wait).toBeGreaterThan(0);
    expect((await clock.limiter.take("ticket_update", "2")).wait).toBe(0);
    const sent: number[] = [];
    for (let ticket = 3; ticket < 200 && clock.now() < 120_000; ticket++) {
      sent.push(...(await sendFor(clock, "ticket_update", 1, String(ticket))));
    }
    expect(mostIn(sent, 60_000)).toBeLessThanOrEqual(80);
  });

  it("does not pace ahead where nothing is documented or announced", async () => {
    const clock = limiterAt(false);
    for (let n = 0; n < 100; n++) expect((await clock.limiter.take("incremental")).wait).toBe(0);
  });

  it("puts announced limits in place of the documented ones", async () => {
    const clock = limiterAt(true);
    await clock.limiter.learn("incremental", {
      "zendesk-ratelimit-incremental-exports": "total=200; remaining=199; resets=60",
    });
    await clock.limiter.learn("incremental", { "x-rate-limit": "70000", "x-rate-limit-remaining": "69999" });
    const sent = await sendFor(clock, "incremental", 60_000);
    expect(sent.length).toBeGreaterThan(100);
    expect(sent.length).toBeLessThanOrEqual(160);
  });

  it("leaves a neighbour's share alone: what remains counts, not what we sent", async () => {
    const clock = limiterAt(false);
    await clock.limiter.learn("incremental", {
      "zendesk-ratelimit-incremental-exports": "total=10; remaining=3; resets=30",
    });
    expect((await sendFor(clock, "incremental", 30_000)).length).toBeLessThanOrEqual(1);
  });

  it("keeps one bucket's exhaustion from others", async () => {
    const clock = limiterAt(true);
    await clock.limiter.learn("incremental", {
      "zendesk-ratelimit-incremental-exports": "total=10; remaining=0; resets=50",
    });
    expect((await clock.limiter.take("incremental")).wait).toBeGreaterThan(0);
    expect((await clock.limiter.take("incremental_users")).wait).toBe(0);
    expect((await clock.limiter.take("list")).wait).toBe(0);
  });

  it("sends nothing while blocked, and half as much for an hour after a refusal at the edge", async () => {
    const clock = limiterAt(false);
    const announce = () =>
      clock.limiter.learn("list", { "ratelimit-limit": "100", "ratelimit-remaining": "100", "ratelimit-reset": "60" });
    await announce();
    await clock.limiter.block(5000, true, "list");
    expect((await clock.limiter.take("list")).wait).toBe(5000);
    clock.advance(5000);
    const sent = await sendFor(clock, "list", 55_000);
    expect(mostIn(sent, 55_000)).toBeLessThanOrEqual(40);
    const gaps = sent.slice(1).map((at, n) => at - (sent[n] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(1200);
    clock.advance(3_600_000);
    await announce();
    expect((await sendFor(clock, "list", 1000)).length).toBeGreaterThan(40);
  });

  it("lets an answer that was overtaken give nothing back", async () => {
    const clock = limiterAt(false);
    const told = (remaining: number, resets: number) =>
      clock.limiter.learn("incremental", {
        "zendesk-ratelimit-incremental-exports": `total=10; remaining=${remaining}; resets=${resets}`,
      });
    await told(9, 60);
    for (let n = 0; n < 4; n++) expect((await clock.limiter.take("incremental")).wait).toBe(0);
    await told(8, 59);
    expect((await clock.limiter.take("incremental")).wait).toBeGreaterThan(0);
  });

  it("leaves others as much as they took at most, and goes on where they take everything", async () => {
    const clock = limiterAt(false);
    const told = (remaining: number, resets: number) =>
      clock.limiter.learn("incremental", {
        "zendesk-ratelimit-incremental-exports": `total=10; remaining=${remaining}; resets=${resets}`,
      });
    await told(9, 60);
    clock.advance(20_000);
    await told(2, 40);
    clock.advance(41_000);
    expect((await sendFor(clock, "incremental", 10_000)).length).toBe(3);
    clock.advance(50_000);
    await told(0, 60);
    await told(0, 60);
    clock.advance(61_000);
    expect((await sendFor(clock, "incremental", 60_000)).length).toBe(1);
    clock.advance(2 * 3_600_000);
    await told(9, 60);
    await told(9, 60);
    expect((await sendFor(clock, "incremental", 10_000)).length).toBeGreaterThanOrEqual(4);
  });

  it("takes our own use for nobody else's, where windows slide", async () => {
    const clock = limiterAt(false);
    const sent: number[] = [];
    const last = () => sent.filter((at) => at > clock.now() - 60_000);
    for (let n = 0; n < 300; n++) {
      const { wait } = await clock.limiter.take("incremental");
      if (wait === 0) {
        sent.push(clock.now());
        const resets = Math.ceil(((last()[0] ?? 0) + 60_000 - clock.now()) / 1000);
        await clock.limiter.learn("incremental", {
          "zendesk-ratelimit-incremental-exports": `total=10; remaining=${10 - last().length}; resets=${resets}`,
        });
      }
      clock.advance(1000);
    }
    expect(sent.length).toBeGreaterThan(25);
    expect(mostIn(sent, 60_000)).toBeLessThanOrEqual(10);
  });

  it("survives a clock that steps back, and one that leaps ahead", async () => {
    const clock = limiterAt(true);
    await sendFor(clock, "incremental", 30_000);
    await clock.limiter.block(10_000, false, "list");
    clock.advance(-86_400_000);
    const sent = await sendFor(clock, "incremental", 60_000);
    expect(sent.length).toBeGreaterThanOrEqual(5);
    clock.advance(10 * 86_400_000);
    expect((await clock.limiter.take("incremental")).wait).toBe(0);
  });
});

describe("customer events, which have a budget of their own (zendesk-api 2.1)", () => {
  const ofAccount = { "x-rate-limit": "700", "x-rate-limit-remaining": "650" };
  const budgetsOf = async ({ account }: { account: string }) => (await readBudgets(database.db, account)).budgets;

  it("take nothing of the account's", async () => {
    const clock = limiterAt(true);
    await clock.limiter.learn("list", ofAccount);
    for (let n = 0; n < 20; n++) expect((await clock.limiter.take("customer_events")).wait).toBe(0);
    expect(await budgetsOf(clock)).toMatchObject([
      { bucket: "account", remaining: 650 },
      { bucket: "customer_events", limit: 250, used: 20 },
    ]);
  });

  it("say nothing of the account's, whatever their answers announce", async () => {
    const clock = limiterAt(false);
    await clock.limiter.learn("list", ofAccount);
    await clock.limiter.learn("customer_events", {});
    await clock.limiter.learn("customer_events", { "x-rate-limit": "500", "x-rate-limit-remaining": "3" });
    expect(await budgetsOf(clock)).toMatchObject([
      { bucket: "account", limit: 700, remaining: 650 },
      { bucket: "customer_events", limit: 500, remaining: 3 },
    ]);
    expect((await clock.limiter.take("customer_events")).wait).toBeGreaterThan(0);
    expect((await clock.limiter.take("list")).wait).toBe(0);
  });

  it.each([true, false])(
    "are silent alone after a 429 of theirs, for as long as it says, and go on as before (documented limits: %s)",
    async (documentedLimits) => {
      for (const length of [40_000, 900_000]) {
        const clock = limiterAt(documentedLimits);
        await clock.limiter.block(length, false, "customer_events");
        expect((await clock.limiter.take("customer_events")).wait).toBe(length);
        expect((await clock.limiter.take("list")).wait).toBe(0);
        expect((await readBudgets(database.db, clock.account)).blockedUntil).toBeNull();
        clock.advance(length);
        for (let n = 0; n < 120; n++) expect((await clock.limiter.take("customer_events")).wait).toBe(0);
        if (documentedLimits)
          expect(mostIn(await sendFor(clock, "customer_events", 120_000), 60_000)).toBeGreaterThan(150);
        else for (let n = 0; n < 500; n++) expect((await clock.limiter.take("customer_events")).wait).toBe(0);
      }
    },
  );

  it("are not silent for a 429 of the account's, but for one at the edge", async () => {
    const clock = limiterAt(false);
    await clock.limiter.block(30_000, false, "list");
    expect((await clock.limiter.take("customer_events")).wait).toBe(0);
    await clock.limiter.block(40_000, true, "customer_events");
    for (const endpoint of ["customer_events", "list"] as const)
      expect((await clock.limiter.take(endpoint)).wait).toBe(40_000);
  });
});

describe("an account's budgets in the database", () => {
  it("let those that one 429 has stopped wake each at an instant of its own, none before it is over (row 4)", async () => {
    const { limiter, account, options } = limiterAt(true);
    await limiter.block(60_000, false, "list");
    const waits = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const client = new ZendeskClient({
          urlTemplate: "http://127.0.0.1:1/{subdomain}",
          isDefaultUrl: false,
          subdomain: "acme",
          authorization: { header: async () => "Bearer x", renew: async () => null },
          limiter: new DatabaseLimiter(database.db, account, options),
          options: { clock: options.clock },
        });
        const wait = await client.get("/api/v2/users/me", { expect: "user" }).catch((error: unknown) => error);
        await client.close();
        return wait instanceof WaitNeeded ? wait.until.getTime() - start : 0;
      }),
    );
    expect(new Set(waits).size).toBe(5);
    expect(Math.min(...waits)).toBeGreaterThanOrEqual(60_000);
    expect(Math.max(...waits)).toBeLessThan(61_001);
  });

  it("are shared by four processes: never more than ten in a minute, whoever asks", async () => {
    const clock = limiterAt(true);
    const workers = Array.from({ length: 4 }, () => {
      const { db } = openDatabase(database.url, { poolSize: 2 });
      opened.push(db);
      return new DatabaseLimiter(db, clock.account, clock.options);
    });
    const sent: number[] = [];
    while (clock.now() < 300_000) {
      const turns = await Promise.all(workers.map((worker) => worker.take("incremental")));
      const waits = turns.map(({ wait }) => wait);
      sent.push(...waits.filter((wait) => wait === 0).map(() => clock.now()));
      clock.advance(Math.max(1, Math.ceil(Math.min(...waits))));
    }
    expect(mostIn(sent, 60_000)).toBeLessThanOrEqual(10);
    expect(sent.length).toBeGreaterThan(30);
  });

  it.each(["read committed", "repeatable read", "serializable"])(
    "lose no count when many take and learn at once, where the database's level is %s",
    async (level) => {
      const name = new URL(database.url).pathname.slice(1);
      await asOwner(`alter database ${name} set default_transaction_isolation = '${level}'`);
      const account = `https://${level.replace(" ", "-")}.zendesk.com`;
      const options = { documentedLimits: false, clock: () => new Date(start) };
      const limiters = Array.from({ length: 4 }, () => {
        const { db } = openDatabase(database.url, { poolSize: 3 });
        opened.push(db);
        return new DatabaseLimiter(db, account, options);
      });
      const announced = { "ratelimit-limit": "1000", "ratelimit-remaining": "1000", "ratelimit-reset": "60" };
      await limiters[0]?.learn("list", announced);
      const takes = Array.from({ length: 200 }, async (_, n) => {
        const turn = await limiters[n % 4]?.take("list");
        await limiters[(n + 1) % 4]?.learn("list", announced);
        return turn?.wait;
      });
      expect(await Promise.all(takes)).toEqual(Array(200).fill(0));
      const { budgets } = await readBudgets(database.db, account);
      expect(budgets).toMatchObject([{ bucket: "account", limit: 1000, remaining: 800 }]);
    },
  );

  it("tell our use from that of others", async () => {
    const clock = limiterAt(true);
    for (let n = 0; n < 3; n++) await clock.limiter.take("list");
    await clock.limiter.learn("list", {
      "ratelimit-limit": "400",
      "ratelimit-remaining": "300",
      "ratelimit-reset": "31",
    });
    const { budgets, blockedUntil } = await readBudgets(database.db, clock.account);
    expect(blockedUntil).toBeNull();
    expect(budgets).toEqual([
      { bucket: "account", limit: 400, remaining: 300, used: 3, resetAt: new Date(start + 31_000) },
    ]);
  });

  it("count what is on its way as ours, whose answers come later", async () => {
    const clock = limiterAt(false);
    const told = (remaining: number) => ({
      "ratelimit-limit": "400",
      "ratelimit-remaining": String(remaining),
      "ratelimit-reset": "60",
    });
    await clock.limiter.take("list");
    await clock.limiter.learn("list", told(399));
    for (let n = 0; n < 3; n++) await clock.limiter.take("list");
    for (const remaining of [398, 397, 396]) await clock.limiter.learn("list", told(remaining));
    const { budgets } = await readBudgets(database.db, clock.account);
    expect(budgets).toMatchObject([{ bucket: "account", remaining: 396, used: 4 }]);
  });

  it("are counted on the database's own clock where none is given", async () => {
    const account = "https://own-clock.zendesk.com";
    const options = { documentedLimits: true, clock: null };
    const limiter = new DatabaseLimiter(database.db, account, options);
    await limiter.block(60_000, false, "list");
    const { blockedUntil } = await readBudgets(database.db, account);
    const { rows } = await sql<{ left: number }>`
      select extract(epoch from ${blockedUntil}::timestamptz - clock_timestamp())::float8 as left`.execute(database.db);
    expect(rows[0]?.left).toBeGreaterThan(30);
    expect(rows[0]?.left).toBeLessThanOrEqual(60);
    expect((await limiter.take("list")).wait).toBeGreaterThan(0);
  });
});

/** A connection of its own, with the owner's rights. */
async function asOwner(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: database.url });
  await client.connect();
  await client.query(statement).finally(() => client.end());
}
