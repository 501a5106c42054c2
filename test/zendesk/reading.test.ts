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
    for (const order of ["older-first", "older-last"] as const) {
      const world = worldOf({ tickets: 60, users: 60, organizations: 60 });
      for (const [n, id] of [...world.tickets.byId.keys()].entries())
        world.at(world.now() - DAY + n * MINUTE, () => world.tickets.update(id, { priority: "high", status: "open" }));
      const account = await connect(database, world);
      await smallPages(account);
      const names = { subject: "older", name: "older" };
      const older = (row: Record<string, unknown>) => ({
        ...row,
        ...("child_events" in row
          ? {}
          : { ...names, updated_at: "2020-01-01T00:00:00Z", ...("subject" in row && { generated_timestamp: 1 }) }),
      });
      const faults = Object.values(exports).flatMap(({ path }) => [
        account.zendesk.faults.add({ path }, fault.repeatsRows(5)),
        account.zendesk.faults.add({ path, page: 2 }, fault.sameRowTwice(older, order)),
      ]);
      const { runId } = await account.sync({ options: {} });
      for (const { strikes } of faults) expect(strikes).toBeGreaterThan(0);
      for (const { stream } of Object.values(exports))
        expect(Number((await runStream(account, runId, stream)).rows_read)).toBeGreaterThan(
          5 + (await countStored(account, stream)),
        );
      await expectConverged(account);
      expect(await eventsStored(account)).toEqual(eventsOf(world));
    }
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
      for (const { path, stream } of Object.values(exports)) {
        // One that an earlier turn has left, and one in the middle of a turn.
        for (const page of [2, 5]) {
          const account = await connect(database, worldOf({ [stream === "ticket_events" ? "tickets" : stream]: 120 }));
          await smallPages(account);
          const first = (account.world.now() - 2 * DAY) / 1000;
          const begun = page === 2 ? await account.sync({ streams: [stream], deadline: () => true }) : null;
          const invalid = { error: "InvalidValue", description: "Invalid cursor" };
          const refused = account.zendesk.faults.add({ path, page }, fault.status(code, invalid), { times: 1 });
          const claims: unknown[] = [];
          account.zendesk.faults.after({ path }, async () => {
            claims.push((await streamState(account, stream))?.fresh_through);
          });
          const outcome = await account.sync({ streams: [stream], ...(begun && { runId: begun.runId }) });
          expect(refused.strikes).toBe(1);
          expect(states(outcome)).toEqual({ [stream]: "ok" });
          // Rows are a minute apart; pages of fifteen, of which those by time begin with the last row of the one before.
          const committed = first + 60 * (path.endsWith("cursor") ? 15 * (page - 1) - 1 : 14 * (page - 1));
          const asked = account.zendesk.journal.to(path);
          const again = asked[asked.findIndex(({ status }) => status === code) + 1];
          expect([stream, page, again?.query.start_time]).toEqual([stream, page, String(committed - 30 * 60)]);
          expect(await runStream(account, outcome.runId, stream)).toMatchObject({ restarts: 1 });
          expect(claims.length).toBeGreaterThan(page);
          expect(new Set(claims)).toEqual(new Set([null]));
          expect((await streamState(account, stream))?.fresh_through).toBeInstanceOf(Date);
          if (stream === "ticket_events") expect(await eventsStored(account)).toEqual(eventsOf(account.world));
          else await expectConverged(account, [stream as "tickets" | "users" | "organizations"]);
        }
      }
    },
    60_000,
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
    const world = worldOf({ tickets: 20 });
    const account = await connect(database, world);
    await account.sync();
    world.showLate({ probability: 0.3, minimum: 5 * MINUTE, maximum: 20 * MINUTE, seed: 5 });
    for (let run = 0; run < 6; run++) {
      const before = world.now();
      for (let minute = 0; minute < 25; minute++) {
        world.advance(MINUTE);
        world.tickets.create({ subject: `Ticket ${run} ${minute}` });
        world.tickets.update(String(1 + ((7 * minute) % 20)), { priority: (run + minute) % 2 ? "high" : "low" });
      }
      await account.sync();
      const shown = ({ visibleFrom }: { visibleFrom: number }, at: number) =>
        visibleFrom <= world.now() && at <= world.now() - MINUTE;
      const versions = [...world.tickets.byId.values()].filter((row) => shown(row, row.generatedTimestamp * 1000));
      const audits = world.tickets.audits.all().filter((row) => shown(row, row.at));
      const rows = await stored(account);
      const known = new Map(rows.tickets.map((row) => [row.id, Number(row.generated_timestamp)]));
      const events = await eventsStored(account);
      expect(versions.filter((row) => known.get(row.id) !== row.generatedTimestamp)).toEqual([]);
      expect(audits.filter(({ id }) => !(id in events))).toEqual([]);
      // Some of both that the run before could not see, though they were there.
      const late = (row: { visibleFrom: number }, at: number) => row.visibleFrom > before && at <= before;
      if (run === 0) continue;
      expect(versions.filter((row) => late(row, row.generatedTimestamp * 1000))).not.toEqual([]);
      expect(audits.filter((row) => late(row, row.at))).not.toEqual([]);
    }
    world.advance(25 * MINUTE);
    world.showLate(null);
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
    const account = await connect(database, worldOf({ tickets: 25, users: 25, organizations: 25 }));
    await account.sync();
    await expectConverged(account);
    const lists = Object.values(exports);
    const count = async () =>
      Object.fromEntries(
        await Promise.all(lists.map(async ({ stream }) => [stream, await countStored(account, stream)])),
      );
    const whole = await count();
    // Those that pass by themselves four at a time on every export, the fifth attempt getting the page; of the others one on each.
    const passing = [408, 409, 421, 425, 429, ...range(500, 599)];
    const ending = range(400, 499).filter((status) => !passing.includes(status));
    const rounds = [
      ...fours(passing).map((four) => lists.map(() => four)),
      ...fours(ending).map((four) => lists.map((_, n) => four.slice(n, n + 1))),
    ];
    for (const statuses of rounds) {
      await forgetRows(account);
      await smallPages(account, 10, "full");
      const faults = lists.flatMap(({ path }, list) =>
        (statuses[list] ?? []).map((status, n) =>
          account.zendesk.faults.add({ path, page: 2, nth: n + 1 }, fault.status(status)),
        ),
      );
      // Events apart: what they name would be asked for by its id where the export of tickets had lost it.
      for (const some of [["tickets", "users", "organizations"], ["ticket_events"]] as StreamName[][]) {
        let isOver = false;
        // What ends a reading, or all of them, is made good by the run after it.
        for (let run = 0; run < 5 && !isOver; run++) {
          const outcome = await account.sync({ mode: "full", streams: some });
          const done = outcome.streams.filter(({ state }) => state === "ok").map(({ name }) => name);
          const there = await count();
          expect(
            done.filter((stream) => there[stream] !== whole[stream]),
            `statuses ${statuses}`,
          ).toEqual([]);
          isOver = done.length === some.length;
        }
      }
      expect(faults.map(({ label, strikes }) => [label, strikes])).toEqual(faults.map(({ label }) => [label, 1]));
      expect(await count()).toEqual(whole);
      account.zendesk.faults.clear();
    }
    await expectConverged(account);
  }, 120_000);

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

async function smallPages(account: Account, size = 10, purpose: "incremental" | "full" = "incremental"): Promise<void> {
  const streams = ["tickets", "users", "organizations", "ticket_events"];
  for (const stream of streams) {
    await account.read((trx) =>
      trx
        .insertInto("stream_state")
        .values({
          workspace_id: account.workspaceId,
          connection_id: account.connectionId,
          stream,
          purpose,
          caught_up: true,
          page_size: size,
          updated_at: new Date(),
        })
        .onConflict((conflict) =>
          conflict
            .columns(["workspace_id", "connection_id", "stream", "purpose"])
            .doUpdateSet({ caught_up: true, page_size: size }),
        )
        .execute(),
    );
  }
}

const tables = {
  tickets: "ticket",
  users: "zendesk_user",
  organizations: "organization",
  ticket_events: "ticket_event",
} as const;

/** Rows that are stored of an export, by their ids. */
async function countStored({ connectionId, read }: Account, stream: StreamName): Promise<number> {
  const table = tables[stream as keyof typeof tables];
  const rows = await read((trx) =>
    trx.selectFrom(table).select("id").distinct().where("connection_id", "=", connectionId).execute(),
  );
  return rows.length;
}

async function forgetRows({ connectionId, read }: Account): Promise<void> {
  for (const table of Object.values(tables))
    await read((trx) => trx.deleteFrom(table).where("connection_id", "=", connectionId).execute());
}

/** How many rows are stored of each event. */
async function eventsStored({ connectionId, read }: Account): Promise<Record<string, number>> {
  const rows = await read((trx) =>
    trx.selectFrom("ticket_event").select("id").where("connection_id", "=", connectionId).execute(),
  );
  return counted(rows.map(({ id }) => id));
}

/** As many as each audit has changes that the timeline reads, and one for a creation. */
function eventsOf(world: World): Record<string, number> {
  const read = /^(status|custom_status_id|priority|(organization|group|assignee|requester)_id)$/;
  const audits = world.tickets.audits.all();
  return counted(
    audits.flatMap(({ id, changes }) => [
      ...(changes.some(({ kind }) => kind === "Create") ? [String(id)] : []),
      ...changes.filter(({ field }) => read.test(field)).map(() => String(id)),
    ]),
  );
}

function counted(ids: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const id of ids) counts[id] = (counts[id] ?? 0) + 1;
  return counts;
}

const range = (first: number, last: number) => Array.from({ length: last - first + 1 }, (_, n) => first + n);
const fours = (statuses: readonly number[]) =>
  Array.from({ length: Math.ceil(statuses.length / 4) }, (_, n) => statuses.slice(4 * n, 4 * n + 4));
