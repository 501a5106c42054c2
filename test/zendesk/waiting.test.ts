import { describe, expect, it } from "vitest";
import type { StreamName } from "#lib/connections/shapes.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged } from "#test/zendesk/stored.ts";

const database = useDatabase();

const paths: Partial<Record<StreamName, string>> = {
  tickets: "/api/v2/incremental/tickets/cursor",
  users: "/api/v2/incremental/users/cursor",
  organizations: "/api/v2/incremental/organizations",
  ticket_events: "/api/v2/incremental/ticket_events",
};
const streams = Object.keys(paths) as StreamName[];

/** An account with enough rows for several small pages of everything, one a minute, two days ago. */
function world(rows = 35): World {
  const made = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  for (let n = 0; n < rows; n++) {
    made.at(new Date(made.now() - 2 * DAY + n * MINUTE).toISOString(), () => {
      made.organizations.create({ name: `Org ${n}` });
      made.users.create({ name: `User ${n}` });
      made.tickets.create({ subject: `Ticket ${n}` });
    });
  }
  return made;
}

async function smallPages(account: Account, page_size = 10): Promise<void> {
  const { workspaceId: workspace_id, connectionId: connection_id } = account;
  const rows = streams.flatMap((stream) =>
    ["incremental", "full"].map((purpose) => ({
      ...{ workspace_id, connection_id, stream, purpose, caught_up: true, page_size },
      updated_at: new Date(),
    })),
  );
  await account.read(async (trx) => {
    await trx.deleteFrom("stream_state").execute();
    await trx.insertInto("stream_state").values(rows).execute();
  });
}

/** Runs to the end, moving the account's clock to where each turn asks for. */
async function syncThrough(account: Account, options: Parameters<Account["sync"]>[0] = {}) {
  let outcome = await account.sync(options);
  for (let turn = 0; outcome.waitingUntil && turn < 500; turn++) {
    account.world.advance(Math.max(0, outcome.waitingUntil.getTime() - account.world.now()));
    outcome = await account.sync({ ...options, runId: outcome.runId });
  }
  return outcome;
}

/** How long nothing was sent after each answer of that status, in the account's time. */
function silences(account: Account, status: number): number[] {
  const { entries } = account.zendesk.journal;
  return entries.flatMap((entry, n) => {
    const next = entries[n + 1];
    return entry.status === status && next ? [(next.worldAt ?? 0) - (entry.worldAt ?? 0)] : [];
  });
}

describe("a 429 that names its seconds", () => {
  it.each(streams)(
    "is waited for on the first, the second and the last page of %s, and nothing is skipped",
    async (stream) => {
      const account = await connect(database, world());
      await smallPages(account);
      const told = fault.tooManyRequests({ retryAfter: "3", body: "incremental" });
      for (const page of [1, 2, 3]) account.zendesk.faults.add({ path: paths[stream], page }, told, { times: 1 });
      const outcome = await syncThrough(account);
      expect(outcome.streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
      const waits = silences(account, 429);
      expect(waits).toHaveLength(3);
      for (const wait of waits) {
        expect(wait).toBeGreaterThanOrEqual(3000);
      }
      await expectConverged(account);
    },
  );
});

describe("a 429 whose time is odd", () => {
  const inNinety = new Date(Date.parse("2026-03-02T09:00:00Z") + 90_000).toUTCString();
  it.each([
    ["nothing", "", 1000, 5000],
    ["zero", "0", 1000, 5000],
    ["a negative number", "-5", 1000, 5000],
    ["seconds with decimals", "2.5", 3000, 5000],
    ["a word", "soon", 1000, 5000],
    ["a date in the past", "Mon, 02 Mar 2026 08:00:00 GMT", 1000, 5000],
    ["a date", inNinety, 85_000, 100_000],
    ["a month", "2592000", 900_000, 920_000],
  ])("is kept to within a second and fifteen minutes: %s", async (_what, retryAfter, least, most) => {
    const account = await connect(database, world(3));
    account.zendesk.faults.add({ path: paths.tickets }, fault.tooManyRequests({ retryAfter }), { times: 1 });
    const outcome = await syncThrough(account);
    expect(outcome.streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    const [wait, ...more] = silences(account, 429);
    expect(more).toEqual([]);
    expect(wait).toBeGreaterThanOrEqual(least);
    expect(wait).toBeLessThanOrEqual(most);
    await expectConverged(account);
  });

  it("is not shortened by an answer whose own clock is ahead", async () => {
    const account = await connect(database, world(3));
    const until = Math.ceil(account.world.now() / 1000) * 1000 + 90_000;
    const ahead = { "retry-after": new Date(until).toUTCString(), date: new Date(until + HOUR).toUTCString() };
    const refused = { status: 429, headers: ahead, text: "Number of allowed API requests per minute exceeded" };
    account.zendesk.faults.add({ path: "/api/v2/users/me" }, fault.answers("429 until a date", refused), { times: 1 });
    await syncThrough(account);
    const [wait] = silences(account, 429);
    expect(wait).toBeGreaterThanOrEqual(85_000);
    expect(wait).toBeLessThanOrEqual(100_000);
  });
});

describe("a refusal in HTML at the edge", () => {
  it("five times in a burst is waited for longer each time, and lost nothing", async () => {
    const account = await connect(database, world(3));
    const edge = fault.tooManyRequests({ retryAfter: null, body: "html" });
    account.zendesk.faults.add({ path: paths.tickets }, edge, { times: 5 });
    await syncThrough(account);
    const waits = silences(account, 429);
    expect(waits).toHaveLength(5);
    for (const [n, wait] of waits.slice(0, 4).entries()) expect(wait).toBeGreaterThanOrEqual(1000 * 2 ** n);
    await expectConverged(account);
  });

  it("doubles the spacing for an hour where limits are announced", async () => {
    const sentInAMinute = async (refused: boolean) => {
      const at = world(40);
      const account = await connect(database, at, { limits: { incremental: 20, now: () => at.now() } });
      if (refused) {
        const edge = fault.tooManyRequests({ retryAfter: null, body: "html" });
        account.zendesk.faults.add({ path: "/api/v2/users/me" }, edge, { times: 1 });
      }
      const began = at.now();
      while (at.now() < began + MINUTE) {
        await smallPages(account);
        await syncThrough(account, { mode: "full", streams: ["tickets"] });
      }
      const exports = account.zendesk.journal.to("/api/v2/incremental");
      return exports.filter(({ worldAt }) => (worldAt ?? 0) < began + MINUTE).length;
    };
    const [usual, slow] = [await sentInAMinute(false), await sentInAMinute(true)];
    expect(usual).toBeGreaterThan(12);
    expect(slow).toBeLessThanOrEqual(8);
  });
});

describe("every status from 400 to 599", () => {
  // Those that pass by themselves four at a time: the fifth attempt gets the page.
  const rejected = Array.from({ length: 100 }, (_, n) => [400 + n]);
  const broken = Array.from({ length: 25 }, (_, n) => [0, 1, 2, 3].map((more) => 500 + 4 * n + more));

  it("on the second page loses no row, and none that ends the reading passes for success", async () => {
    const account = await connect(database, world(25));
    const rows = () => account.read((trx) => trx.selectFrom("ticket").select("id").execute());
    for (const statuses of [...rejected, ...broken]) {
      await account.read((trx) => trx.deleteFrom("ticket").execute());
      await smallPages(account);
      const match = { path: paths.tickets, page: 2 };
      const faults = statuses.map((status, n) =>
        account.zendesk.faults.add({ ...match, nth: n + 1 }, fault.status(status)),
      );
      const outcome = await syncThrough(account, { mode: "full", streams: ["tickets"] });
      expect(
        faults.map(({ strikes }) => strikes),
        `statuses ${statuses}`,
      ).toEqual(statuses.map(() => 1));
      account.zendesk.faults.clear();
      const stored = (await rows()).length;
      const state = outcome.connectionFailure ? "failed" : outcome.streams[0]?.state;
      expect([statuses, state, state === "ok" ? stored : "-"]).toEqual([statuses, state, state === "ok" ? 25 : "-"]);
      expect(statuses.length > 1 ? ["ok"] : ["ok", "failed"]).toContain(state);
    }
    await account.sync({ mode: "full" });
    await expectConverged(account);
  }, 120_000);

  it("504 for ever on the seventh page, above a size, is read past in smaller pieces", async () => {
    const account = await connect(database, world(250));
    await smallPages(account, 20);
    const heavy = account.zendesk.faults.add({ path: paths.tickets, page: 7 }, fault.tooHeavy(15));
    const outcome = await syncThrough(account, { mode: "full" });
    expect(heavy.strikes).toBeGreaterThan(1);
    expect(outcome.streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    await expectConverged(account);
  });

  it("504 on every third request loses none either", async () => {
    const account = await connect(database, world(60));
    await smallPages(account);
    account.zendesk.faults.add({ path: "/api/v2/incremental", every: 3 }, fault.status(504));
    const outcome = await syncThrough(account);
    expect(outcome.streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    await expectConverged(account);
  });
});

describe("a neighbour who takes seven tenths of every budget", () => {
  it.each(["evenly", "all at once"])(
    "%s: no more than two 429 in an hour, and reading goes on",
    async (pattern) => {
      const at = world(20);
      const limits = { account: 200, incremental: 10, usersCursor: 20 };
      const account = await connect(database, at, { limits: { ...limits, now: () => at.now() } });
      await smallPages(account);
      const began = at.now();
      let second = 0;
      const live = (milliseconds: number) => {
        at.advance(milliseconds);
        for (; second < (at.now() - began) / 1000; second++) {
          for (const [bucket, limit] of Object.entries(limits)) neighbourTakes(bucket as keyof typeof limits, limit);
        }
      };
      const neighbourTakes = (bucket: keyof typeof limits, limit: number) => {
        const burst = second % 60 === 40 ? limit * 0.7 : 0;
        const even = Math.floor(((second + 1) * limit * 0.7) / 60) - Math.floor((second * limit * 0.7) / 60);
        const count = pattern === "evenly" ? even : burst;
        if (count > 0) account.zendesk.limits?.neighbour("acme", bucket, count);
      };
      const turn = {
        streams: ["tickets", "organizations", "users"] satisfies StreamName[],
        options: { sleep: async (milliseconds: number) => live(milliseconds) },
      };
      let runs = 0;
      for (; at.now() < began + HOUR; runs++) {
        let outcome = await account.sync(turn);
        while (outcome.waitingUntil && at.now() < began + HOUR) {
          live(Math.max(1000, outcome.waitingUntil.getTime() - at.now()));
          outcome = await account.sync({ ...turn, runId: outcome.runId });
        }
        at.tickets.create({ subject: `Later ${runs}` });
        live(5000);
      }
      const refused = account.zendesk.journal.entries.filter(({ status }) => status === 429);
      expect(refused.length).toBeLessThanOrEqual(2);
      expect(runs).toBeGreaterThan(20);
    },
    240_000,
  );
});

describe("a clock", () => {
  /** What the next reading of each stream begins with, and what the stream claims. */
  const cursors = async ({ connectionId, read }: Account) => {
    const rows = await read((trx) =>
      trx
        .selectFrom("stream_state")
        .select(["stream", "resume_from", "fresh_through"])
        .where("connection_id", "=", connectionId)
        .where("purpose", "=", "incremental")
        .where("stream", "in", streams)
        .orderBy("stream")
        .execute(),
    );
    return rows.flatMap(({ stream, resume_from, fresh_through }) => [
      { cursor: `resume_from of ${stream}`, at: resume_from?.getTime() ?? 0 },
      { cursor: `fresh_through of ${stream}`, at: fresh_through?.getTime() ?? 0 },
    ]);
  };

  it("that steps back a day in the middle of a run moves no cursor back and loses nothing", async () => {
    for (const stream of streams) {
      const account = await connect(database, world());
      const at = account.world;
      let isBack = false;
      const clock = () => new Date(at.now() - (isBack ? DAY : 0));
      await syncThrough(account, { clock });
      for (let n = 0; n < 35; n++) {
        at.advance(MINUTE);
        at.organizations.create({ name: `Later ${n}` });
        at.users.create({ name: `Later ${n}` });
        at.tickets.create({ subject: `Later ${n}` });
      }
      await account.read((trx) =>
        trx.updateTable("stream_state").set({ page_size: 10 }).where("purpose", "=", "incremental").execute(),
      );
      const first = await cursors(account);
      const told = [first];
      account.zendesk.faults.after({ path: "/api/v2/" }, async () => void told.push(await cursors(account)));
      account.zendesk.journal.clear();
      const step = account.zendesk.faults.before({ path: paths[stream], page: 2 }, () => {
        isBack = true;
      });
      const { connectionFailure, streams: ends } = await syncThrough(account, { clock });
      step.remove();
      expect(step.strikes).toBeGreaterThan(0);
      expect(connectionFailure).toBeUndefined();
      expect(ends.filter(({ state }) => state !== "ok")).toEqual([]);
      // It was under way: one page was answered before the step, another after it.
      const pages = account.zendesk.journal.to(paths[stream] as string).map(({ page }) => page);
      expect(pages.slice(0, 2)).toEqual([1, 2]);
      at.advance(HOUR);
      at.tickets.create({ subject: "Afterwards" });
      at.advance(HOUR);
      await syncThrough(account, { clock });
      const last = await cursors(account);
      told.push(last);
      for (const [n, { cursor, at: claimed }] of last.entries()) {
        const moves = told.map((each) => each[n]?.at ?? 0);
        expect([stream, cursor, moves.toSorted((a, b) => a - b)]).toEqual([stream, cursor, moves]);
        expect(claimed).toBeGreaterThan(first[n]?.at ?? 0);
        expect(claimed).toBeLessThan(at.now());
      }
      await expectConverged(account);
    }
  }, 60_000);
});

describe("an access token that lives for twenty seconds", () => {
  it.each([20, null])("(told: %s) is renewed ahead of its end all through a run of three minutes", async (told) => {
    const at = world(80);
    at.access.accessTokenSeconds = 20;
    const account = await connect(database, at);
    await smallPages(account);
    if (told === null) {
      account.zendesk.faults.add(
        { path: "/oauth/tokens" },
        fault.changesBody("untold", ({ expires_in: _, ...body }) => body),
      );
    }
    account.zendesk.faults.after({ path: "/api/v2/" }, () => void at.advance(7000));
    const began = at.now();
    const outcome = await account.sync();
    expect(at.now() - began).toBeGreaterThan(180_000);
    expect(outcome.streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    expect(account.zendesk.journal.to("/oauth/tokens").length).toBeGreaterThan(5);
    const rejected = account.zendesk.journal.entries.filter(({ status }) => status === 401);
    if (told !== null) expect(rejected.length).toBeLessThanOrEqual(2);
    account.zendesk.faults.clear();
    at.access.accessTokenSeconds = 1800;
    await account.sync();
    await expectConverged(account);
  });
});
