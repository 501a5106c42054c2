import { describe, expect, it } from "vitest";
import type { StreamName } from "#lib/connections/shapes.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { randomWorld } from "#test/support/zendesk/random-world.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged, stored } from "#test/zendesk/stored.ts";

const database = useDatabase();

const exports: Record<string, { path: string; stream: StreamName }> = {
  tickets: { path: "/api/v2/incremental/tickets/cursor", stream: "tickets" },
  users: { path: "/api/v2/incremental/users/cursor", stream: "users" },
  organizations: { path: "/api/v2/incremental/organizations", stream: "organizations" },
  ticketEvents: { path: "/api/v2/incremental/ticket_events", stream: "ticket_events" },
};

/** A quiet world with so many rows, one a minute, a day ago. */
function worldOf(counts: { tickets?: number; organizations?: number; users?: number }, settings = {}): World {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z", settings });
  const start = world.now() - 2 * DAY;
  const at = (n: number) => new Date(start + n * MINUTE).toISOString();
  for (let n = 0; n < (counts.organizations ?? 0); n++)
    world.at(at(n), () => world.organizations.create({ name: `Org ${n}` }));
  for (let n = 0; n < (counts.users ?? 0); n++) world.at(at(n), () => world.users.create({ name: `User ${n}` }));
  for (let n = 0; n < (counts.tickets ?? 0); n++)
    world.at(at(n), () => world.tickets.create({ subject: `Ticket ${n}` }));
  return world;
}

const streamState = (account: Account, stream: StreamName) =>
  account.read((trx) =>
    trx
      .selectFrom("stream_state")
      .selectAll()
      .where("connection_id", "=", account.connectionId)
      .where("stream", "=", stream)
      .where("purpose", "=", "incremental")
      .executeTakeFirst(),
  );
const runStream = (account: Account, runId: string, stream: StreamName) =>
  account.read((trx) =>
    trx
      .selectFrom("sync_run_stream")
      .selectAll()
      .where("run_id", "=", runId)
      .where("stream", "=", stream)
      .executeTakeFirstOrThrow(),
  );
const states = (outcome: { streams: { name: string; state: string }[] }) =>
  Object.fromEntries(outcome.streams.map(({ name, state }) => [name, state]));

describe("pages", () => {
  it.each([0, 1, 9, 10, 11, 99, 100, 101])("bring exactly %i rows, whatever the size of a page", async (rows) => {
    const world = worldOf({ tickets: rows, organizations: rows, users: rows });
    const account = await connect(database, world);
    await account.read((trx) =>
      trx
        .insertInto("stream_state")
        .values(
          ["tickets", "users", "organizations", "ticket_events"].map((stream) => ({
            workspace_id: account.workspaceId,
            connection_id: account.connectionId,
            stream,
            purpose: "incremental",
            caught_up: true,
            page_size: 10,
            updated_at: new Date(),
          })),
        )
        .execute(),
    );
    await account.sync();
    await expectConverged(account);
  });

  it("that overlap, or hold one row twice, are stored once and in the highest version", async () => {
    const account = await connect(database, worldOf({ tickets: 60 }));
    account.zendesk.faults.add({}, fault.repeatsRows(20));
    const older = (row: Record<string, unknown>) => ({
      ...row,
      subject: "older",
      generated_timestamp: 1,
      updated_at: "2020-01-01T00:00:00Z",
    });
    account.zendesk.faults.add({ path: exports.tickets?.path }, fault.sameRowTwice(older, "older-last"));
    await account.sync({ options: {} });
    await expectConverged(account);
  });

  it("without an end flag are an error, and nothing claims to be fresh", async () => {
    for (const { path, stream } of Object.values(exports)) {
      const account = await connect(database, worldOf({ tickets: 3, users: 3, organizations: 3 }));
      const active = account.zendesk.faults.add({ path }, fault.withoutKeys("end_of_stream"));
      const outcome = await account.sync();
      expect(states(outcome)[stream]).toBe("failed");
      expect(outcome.streams.find(({ name }) => name === stream)?.failure).toMatchObject({ code: "protocol" });
      expect((await streamState(account, stream))?.fresh_through).toBeNull();
      active.remove();
      await account.sync();
      await expectConverged(account);
    }
    const account = await connect(database, worldOf({}));
    account.zendesk.faults.add({ path: "/api/v2/groups" }, fault.withoutKeys("meta"));
    expect(states(await account.sync()).groups).toBe("failed");
  });

  it("that are empty without being the last never count as the end", async () => {
    for (const { path, stream } of Object.values(exports)) {
      const account = await connect(database, worldOf({ tickets: 30, users: 30, organizations: 30 }));
      await smallPages(account);
      const active = account.zendesk.faults.add({ path, page: 2 }, fault.emptyPage());
      expect(states(await account.sync())[stream]).toBe("failed");
      expect((await streamState(account, stream))?.caught_up).toBe(false);
      expect(account.zendesk.journal.to(path).length).toBeLessThan(20);
      active.remove();
      account.zendesk.faults.add({ path, page: 3 }, fault.emptyPage(), { times: 2 });
      expect(states(await account.sync())[stream]).toBe("ok");
      await expectConverged(account);
    }
  });

  it("are asked for by our own cursor: an address in a body leads nowhere", async () => {
    const account = await connect(database, worldOf({ tickets: 30, users: 30, organizations: 30 }));
    const canary = await connect(database, worldOf({}));
    const foreign = `${canary.zendesk.origin}/acme/api/v2/incremental/tickets/cursor.json?cursor=x`;
    const change = (body: Record<string, unknown>) => ({
      ...body,
      after_url: foreign,
      next_page: foreign,
      links: { next: foreign },
    });
    account.zendesk.faults.add({}, fault.changesBody("foreign addresses", change));
    await account.sync();
    await expectConverged(account);
    expect(canary.zendesk.journal.entries).toEqual([]);
    const offset = account.zendesk.journal.entries.filter(({ query }) => "page" in query);
    expect(offset).toEqual([]);
  });

  it("shrink when they are too heavy and grow again", async () => {
    const account = await connect(database, worldOf({ tickets: 80, users: 40, organizations: 40 }));
    account.zendesk.faults.add({ path: "/api/v2/incremental" }, fault.tooHeavy(60));
    await account.sync();
    await expectConverged(account);
    const size = (await streamState(account, "tickets"))?.page_size ?? 0;
    expect(size).toBeLessThanOrEqual(60);
    account.zendesk.faults.clear();
    for (let n = 0; n < 12; n++) await account.sync({ streams: ["tickets"] });
    expect((await streamState(account, "tickets"))?.page_size).toBeGreaterThan(size);
  });

  it("refused by size with 413 or 422 are asked for in smaller pieces", async () => {
    for (const code of [413, 422]) {
      const account = await connect(database, worldOf({ tickets: 30 }));
      account.zendesk.faults.add({ path: exports.tickets?.path, query: { per_page: "1000" } }, fault.status(code));
      expect(states(await account.sync()).tickets).toBe("ok");
      await expectConverged(account);
    }
  });
});

describe("places", () => {
  it("are committed page by page: a run that stops anywhere goes on there", async () => {
    const account = await connect(database, worldOf({ tickets: 120, users: 50, organizations: 50 }));
    await smallPages(account);
    const { runId } = await account.sync({ deadline: () => true });
    let outcome = await account.sync({ runId, deadline: () => true });
    for (let n = 0; n < 60 && outcome.waitingUntil; n++) outcome = await account.sync({ runId, deadline: () => true });
    expect(outcome.waitingUntil).toBeUndefined();
    await expectConverged(account);
    expect(Number((await runStream(account, runId, "tickets")).rows_read)).toBe(120);
    const pages = account.zendesk.journal
      .to(exports.tickets?.path ?? "")
      .map(({ query }) => query.cursor ?? query.start_time);
    expect(new Set(pages).size).toBe(pages.length);
  });

  it("never pass what was not committed, and are never moved by somebody who lost the lease", async () => {
    const account = await connect(database, worldOf({ tickets: 120 }));
    await smallPages(account);
    let commits = 0;
    const lost = new Error("the lease was taken over");
    const fence = async () => {
      if (++commits > 7) throw lost;
    };
    await expect(account.sync({ streams: ["tickets"], fence })).rejects.toBe(lost);
    const { tickets } = await stored(account);
    const position = JSON.parse((await streamState(account, "tickets"))?.position ?? "{}") as { rows: number };
    expect(position.rows).toBe(tickets.length);
    expect(tickets.length).toBeLessThan(120);
    await account.sync();
    await expectConverged(account);
  });

  it.each([400, 404, 422] as const)(
    "that Zendesk refuses (%i) begin again at the committed time, and say nothing is fresh before",
    async (code) => {
      const account = await connect(database, worldOf({ tickets: 120, users: 60 }));
      await smallPages(account);
      const { runId } = await account.sync({ streams: ["users", "tickets"], deadline: () => true });
      const refused = account.zendesk.faults.add({ path: "/api/v2/incremental" }, fault.cursorRejected(code), {
        times: 3,
      });
      const outcome = await account.sync({ runId, streams: ["users", "tickets"] });
      expect(refused.strikes).toBeGreaterThan(0);
      expect(states(outcome)).toEqual({ users: "ok", tickets: "ok" });
      await account.sync();
      await expectConverged(account);
    },
  );

  it("that Zendesk refuses are counted in the run, each new beginning once", async () => {
    const account = await connect(database, worldOf({ tickets: 120, users: 60 }));
    await smallPages(account);
    const { runId } = await account.sync({ streams: ["users", "tickets"], deadline: () => true });
    const committed = Math.max(...(await stored(account)).users.map((user) => Number(user.updated_at) / 1000));
    // The first of three requests has a cursor, the second begins again, the third has the cursor of that.
    account.zendesk.faults.add({ path: exports.users?.path }, fault.cursorRejected(404), { times: 3 });
    await account.sync({ runId, streams: ["users", "tickets"] });
    // From the committed time on, less half an hour.
    const again = String(committed - 30 * 60);
    const starts = account.zendesk.journal.to(exports.users?.path ?? "").flatMap(({ query }) => query.start_time ?? []);
    expect(starts).toEqual(["0", again, again]);
    expect(await runStream(account, runId, "users")).toMatchObject({ restarts: 2 });
    expect(await runStream(account, runId, "tickets")).toMatchObject({ restarts: 0 });
    expect(await runStream(account, (await account.sync()).runId, "users")).toMatchObject({ restarts: 0 });
  });

  it("that Zendesk always refuses end as a failure, never as success", async () => {
    const account = await connect(database, worldOf({ tickets: 120 }));
    await smallPages(account);
    account.zendesk.faults.add({ path: exports.tickets?.path }, fault.cursorRejected(400));
    expect(states(await account.sync({ streams: ["tickets"] }))).toEqual({ tickets: "failed" });
    expect((await streamState(account, "tickets"))?.fresh_through).toBeNull();
  });

  it("of one stream do not move when another is read alone", async () => {
    const account = await connect(database, worldOf({ tickets: 5, users: 5, organizations: 5 }));
    await account.sync();
    const before = await streamState(account, "users");
    account.world.advance(HOUR);
    await account.sync({ streams: ["tickets"] });
    expect(await streamState(account, "users")).toEqual(before);
  });

  it("too recent for Zendesk mean nothing yet", async () => {
    const account = await connect(database, worldOf({ tickets: 5 }));
    await account.sync();
    const tooRecent = {
      error: "InvalidValue",
      description: "Too recent start_time. Use a start_time older than 60 seconds",
    };
    account.zendesk.faults.add({ path: "/api/v2/incremental" }, fault.status(422, tooRecent));
    const outcome = await account.sync();
    expect(new Set(Object.values(states(outcome)))).toEqual(new Set(["ok"]));
    account.zendesk.faults.clear();
    account.world.advance(HOUR);
    await account.sync();
    await expectConverged(account);
  });

  it.each([-DAY, -10 * MINUTE, 10 * MINUTE, DAY])("follow Zendesk's clock when ours is %i ms off", async (skew) => {
    const world = randomWorld(7, { tickets: 60, days: 20, turmoil: false });
    const account = await connect(database, world);
    const clock = () => new Date(world.now() + skew);
    await account.sync({ clock });
    world.advance(HOUR);
    await account.sync({ clock });
    world.advance(5 * 1000);
    await account.sync({ clock });
    await expectConverged(account);
    for (const { query } of account.zendesk.journal.to("/api/v2/incremental")) {
      if (query.start_time) expect(Number(query.start_time)).toBeLessThanOrEqual(world.now() / 1000 - 60);
    }
    const fresh = (await streamState(account, "tickets"))?.fresh_through?.getTime() ?? 0;
    expect(fresh).toBeLessThanOrEqual(world.now());
    expect(fresh).toBeGreaterThan(world.now() - 5 * MINUTE);
  });
});

describe("what comes late or at once", () => {
  it("rows that appear up to twenty minutes after their stamp are found by the next run", async () => {
    const world = randomWorld(11, { tickets: 150, days: 10, futureDays: 10, turmoil: false });
    const account = await connect(database, world);
    world.showLate({ probability: 0.3, minimum: 5 * MINUTE, maximum: 20 * MINUTE, seed: 5 });
    for (let n = 0; n < 6; n++) {
      world.advance(25 * MINUTE);
      await account.sync();
    }
    world.advance(25 * MINUTE);
    world.showLate(null);
    await account.sync();
    world.advance(25 * MINUTE);
    await account.sync();
    await expectConverged(account);
  });

  it.each([
    [true, 1000],
    [true, 10],
    [false, 10],
  ])(
    "a second with more organizations than a page is passed without losing one (page grows: %s, size %i)",
    async (overflowPage, size) => {
      const world = worldOf({ organizations: 15 }, { overflowPage });
      world.at(new Date(world.now() - HOUR).toISOString(), () => {
        for (let n = 0; n < 45; n++) world.organizations.create({ name: `Imported ${n}` });
      });
      world.at(new Date(world.now() - 30 * MINUTE).toISOString(), () => world.organizations.create({ name: "After" }));
      const account = await connect(database, world);
      await smallPages(account, size);
      const outcome = await account.sync();
      expect(states(outcome).organizations).toBe("ok");
      await expectConverged(account);
    },
  );

  it("a second with more events than a page fails loudly, naming the second", async () => {
    const world = worldOf({ tickets: 3 }, { overflowPage: false });
    const second = new Date(world.now() - HOUR).toISOString();
    world.at(second, () => {
      for (let n = 0; n < 30; n++) world.tickets.create({ subject: `At once ${n}` });
    });
    const account = await connect(database, world);
    await smallPages(account);
    const outcome = await account.sync();
    const failure = outcome.streams.find(({ name }) => name === "ticket_events")?.failure;
    expect(failure).toMatchObject({ code: "crowded_second", message: expect.stringContaining(second.slice(0, 19)) });
    expect(states(outcome).tickets).toBe("ok");
  });

  it("tickets that change between two pages end in their newest version", async () => {
    const account = await connect(database, worldOf({ tickets: 60 }));
    await smallPages(account);
    account.zendesk.faults.before(
      { path: exports.tickets?.path },
      () => {
        const ids = [...account.world.tickets.byId.keys()];
        account.world.tickets.update(ids[Math.floor(ids.length / 2)] as string, { priority: "urgent" });
        account.world.advance(1000);
      },
      { times: 4 },
    );
    await account.sync();
    account.world.advance(5 * MINUTE);
    await account.sync();
    await expectConverged(account);
  });

  it("changes that leave updated_at alone arrive, and two changes in one second end in the second one", async () => {
    const account = await connect(database, worldOf({ tickets: 5 }));
    await account.sync();
    account.world.advance(10 * MINUTE);
    const [first, second] = account.world.tickets.byId.values();
    account.world.tickets.systemTouch(first?.id as string);
    account.world.tickets.update(second?.id as string, { priority: "low" });
    account.world.tickets.update(second?.id as string, { priority: "high" });
    account.world.advance(5 * MINUTE);
    await account.sync();
    await expectConverged(account);
  });
});

describe("a moved start", () => {
  it("opens the gap and reads it without reading the rest again", async () => {
    const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
    for (let day = 1; day <= 40; day++)
      world.at(new Date(world.now() - day * DAY).toISOString(), () => world.tickets.create({ subject: `Day ${day}` }));
    const account = await connect(database, world, { history: { history_days: 10, event_history_days: 5 } });
    await account.sync();
    expect((await stored(account)).tickets).toHaveLength(10);
    await account.read((trx) =>
      trx
        .updateTable("connection")
        .set({ history_days: 0, event_history_days: 0 })
        .where("id", "=", account.connectionId)
        .execute(),
    );
    account.zendesk.journal.clear();
    await account.sync();
    expect((await stored(account)).tickets).toHaveLength(40);
    await expectConverged(account);
    account.zendesk.journal.clear();
    await account.sync();
    expect(account.zendesk.journal.to(exports.tickets?.path ?? "")).toHaveLength(1);
  });
});

describe("streams", () => {
  it.each(["scope", "titled", "listed"] as const)(
    "that the credentials may not read (403 %s) fail alone",
    async (envelope) => {
      for (const { path, stream } of Object.values(exports)) {
        const account = await connect(database, worldOf({ tickets: 3, users: 3, organizations: 3 }));
        account.zendesk.faults.add({ path }, fault.forbidden(envelope));
        const outcome = await account.sync();
        expect(outcome.connectionFailure).toBeUndefined();
        for (const [name, state] of Object.entries(states(outcome)))
          expect(`${name} ${state}`).toBe(`${name} ${name === stream ? "failed" : "ok"}`);
        expect(outcome.streams.find(({ name }) => name === stream)?.failure?.action).toBeTruthy();
        expect(await streamState(account, stream)).toMatchObject({
          state: "failed",
          fresh_through: null,
          caught_up: false,
        });
      }
    },
  );

  it("survive every status once on their second page, losing nothing", async () => {
    const account = await connect(database, worldOf({ tickets: 40, users: 40, organizations: 40 }));
    await smallPages(account);
    for (const status of [408, 409, 425, 500, 502, 503, 504, 520, 524]) {
      account.zendesk.faults.add({ path: "/api/v2/incremental", page: 2 }, fault.status(status), { times: 1 });
      await account.sync({ mode: "full" });
    }
    await expectConverged(account);
  });

  it("take an endpoint that the plan lacks as absent, as long as what they need is there", async () => {
    const account = await connect(database, worldOf({ tickets: 3 }));
    account.zendesk.faults.add({ path: "/api/v2/custom_statuses" }, fault.status(404, { error: "InvalidEndpoint" }));
    account.zendesk.faults.add({ path: "/api/v2/user_fields" }, fault.forbidden());
    expect(states(await account.sync()).fields).toBe("ok");
    account.zendesk.faults.add({ path: /_fields$/ }, fault.forbidden("scope"));
    expect(states(await account.sync()).fields).toBe("failed");
  });

  it.each(["organizations", "ticketEvents"])(
    "of %s with fewer rows than they say are an error (row 16)",
    async (what) => {
      const { path, stream } = exports[what] as { path: string; stream: StreamName };
      const account = await connect(database, worldOf({ tickets: 10, organizations: 10 }));
      const short = account.zendesk.faults.add(
        { path },
        fault.changesBody("half of the rows", (body) => ({
          ...body,
          [stream]: (body[stream] as unknown[]).slice(0, 5),
        })),
      );
      const outcome = await account.sync();
      expect(outcome.streams.find(({ name }) => name === stream)).toMatchObject({
        state: "failed",
        failure: { code: "protocol", message: expect.stringContaining("5 of") },
      });
      expect((await streamState(account, stream))?.fresh_through).toBeNull();
      short.remove();
      expect(states(await account.sync())).toMatchObject({ [stream]: "ok" });
      await expectConverged(account);
    },
  );

  it("do not take an empty listing for an empty account", async () => {
    const account = await connect(database, worldOf({ tickets: 5, organizations: 5, users: 5 }));
    account.world.definitions.createGroup({ name: "Support" });
    await account.sync();
    account.zendesk.faults.add(
      {},
      fault.changesRows("nothing at all", () => []),
    );
    const incremental = await account.sync();
    expect(states(incremental)).toMatchObject({ groups: "degraded", tickets: "ok" });
    expect(incremental.streams.find(({ name }) => name === "groups")?.failure?.code).toBe("empty_listing");
    const full = await account.sync({ mode: "full" });
    expect(states(full)).toMatchObject({ tickets: "degraded", users: "degraded", organizations: "degraded" });
    account.zendesk.faults.clear();
    await account.sync();
    await expectConverged(account);
  });
});

describe("waiting", () => {
  it("for a time that is too long to sleep ends the turn, and the next one sends nothing before", async () => {
    const account = await connect(database, worldOf({ tickets: 3 }));
    account.zendesk.faults.add(
      { path: exports.tickets?.path },
      fault.tooManyRequests({ retryAfter: "60", body: "incremental" }),
      { times: 1 },
    );
    const first = await account.sync();
    expect(first.waitingUntil?.getTime()).toBeGreaterThanOrEqual(account.world.now() + 60_000);
    expect(states(first)).not.toHaveProperty("tickets");
    expect(await streamState(account, "tickets")).toMatchObject({ state: "waiting" });
    account.zendesk.journal.clear();
    const second = await account.sync({ runId: first.runId });
    expect(second.waitingUntil).toBeDefined();
    expect(account.zendesk.journal.entries).toEqual([]);
  });

  it("keeps below announced limits: a burst of runs sees no 429", async () => {
    const world = worldOf({ tickets: 30, users: 10 });
    const account = await connect(database, world, { limits: { now: () => world.now() } });
    for (let n = 0; n < 4; n++) {
      let outcome = await account.sync();
      while (outcome.waitingUntil) outcome = await account.sync({ runId: outcome.runId });
    }
    expect(account.zendesk.journal.entries.filter(({ status }) => status === 429)).toEqual([]);
    await expectConverged(account);
  });
});

async function smallPages(account: Account, size = 10): Promise<void> {
  const streams = ["tickets", "users", "organizations", "ticket_events"];
  for (const stream of streams) {
    await account.read((trx) =>
      trx
        .insertInto("stream_state")
        .values({
          workspace_id: account.workspaceId,
          connection_id: account.connectionId,
          stream,
          purpose: "incremental",
          caught_up: true,
          page_size: size,
          updated_at: new Date(),
        })
        .execute(),
    );
  }
}
