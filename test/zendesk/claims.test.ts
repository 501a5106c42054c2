import { describe, expect, it } from "vitest";
import { type StreamName, streamNames } from "#lib/connections/shapes.ts";
import { retryHeldRows } from "#lib/zendesk/held.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR, MINUTE, SECOND } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged, stored } from "#test/zendesk/stored.ts";

const database = useDatabase();
const exported = "/api/v2/incremental/tickets/cursor";

/** Ten tickets and as many organizations, an hour old and read. */
async function caughtUp(): Promise<Account> {
  const account = await connect(database, worldOfTen());
  await account.sync();
  return account;
}
function worldOfTen(): World {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  for (let n = 0; n < 10; n++) {
    world.organizations.create({ name: `Organization ${n}` });
    world.tickets.create({ subject: `Ticket ${n}` });
    world.advance(MINUTE);
  }
  world.advance(HOUR);
  return world;
}
const claimOf = async (account: Account, stream: StreamName) => {
  const { fresh_through } = await account.read((trx) =>
    trx
      .selectFrom("stream_state")
      .select("fresh_through")
      .where("connection_id", "=", account.connectionId)
      .where("stream", "=", stream)
      .where("purpose", "=", "incremental")
      .executeTakeFirstOrThrow(),
  );
  return fresh_through?.getTime() ?? null;
};
const dated = (date: (now: number) => Date, { world }: Account) =>
  fault.changes("another hour", (answer) => ({
    ...answer,
    headers: { ...answer.headers, date: date(world.now()).toUTCString() },
  }));
/** Of an instant that lies so far ahead, in Unix seconds. */
const ahead = (world: World, milliseconds: number) => Math.floor((world.now() + milliseconds) / 1000);
const endOf = (outcome: Awaited<ReturnType<Account["sync"]>>, stream: StreamName) =>
  outcome.streams.find(({ name }) => name === stream);

describe("claims of tickets", () => {
  const events = "/api/v2/incremental/ticket_events";
  const lookUps = "/api/v2/tickets/show_many";

  /** Two tickets that have changed, one of them again in the minute that the export withholds, and one that is new and has so too. */
  async function outrun() {
    const account = await caughtUp();
    const { world } = account;
    const before = (await claimOf(account, "tickets")) ?? 0;
    const [moved, quiet] = [...world.tickets.byId.keys()] as [string, string];
    world.tickets.update(moved, { priority: "urgent" });
    world.tickets.update(quiet, { priority: "urgent" });
    const made = world.tickets.create({ subject: "New", priority: "low" });
    world.advance(3 * MINUTE);
    const changed = world.now() - 90 * SECOND;
    for (const id of [moved, made.id]) world.tickets.update(id, { priority: "high" });
    world.advance(20 * SECOND);
    account.zendesk.journal.clear();
    const priorities = async () => {
      const { tickets } = await stored(account);
      return [moved, quiet, made.id].map((id) => tickets.find((row) => row.id === id)?.priority);
    };
    return { account, ...account, before, changed, moved, made, priorities };
  }

  it("hold for those that change again in the minute that is withheld: events tell of them", async () => {
    const { account, zendesk, changed, priorities } = await outrun();
    await account.sync();
    expect(await priorities()).toEqual(["high", "urgent", "high"]);
    expect(await claimOf(account, "tickets")).toBeGreaterThan(changed);
    expect(zendesk.journal.to(lookUps)).toHaveLength(1);
  });

  it("go no further than events whose newest minutes Zendesk refuses to show yet (row 13)", async () => {
    const { account, world, zendesk, priorities, changed } = await outrun();
    const read = await claimOf(account, "ticket_events");
    const refused = zendesk.faults.add(
      { path: events },
      fault.status(422, { error: "StartTimeTooRecent", description: "Too recent start_time" }),
    );
    expect(endOf(await account.sync(), "ticket_events")).toMatchObject({ state: "ok" });
    expect(refused.strikes).toBeGreaterThan(0);
    expect(await priorities()).not.toEqual(["high", "urgent", "high"]);
    expect(await claimOf(account, "ticket_events")).toBe(read);
    expect(await claimOf(account, "tickets")).toBeLessThanOrEqual(read ?? 0);
    refused.remove();
    world.advance(5 * MINUTE);
    await account.sync();
    expect(await priorities()).toEqual(["high", "urgent", "high"]);
    expect(await claimOf(account, "tickets")).toBeGreaterThan(changed);
  });

  it("go no further than the reading of tickets either, however late their events are read", async () => {
    const account = await caughtUp();
    const { world, zendesk } = account;
    world.advance(10 * MINUTE);
    const read = world.now();
    zendesk.faults.before({ path: events, nth: 1 }, () => {
      world.advance(3 * MINUTE);
    });
    await account.sync();
    const claimed = (await claimOf(account, "tickets")) ?? 0;
    expect(claimed).toBeGreaterThan(read - 2 * MINUTE);
    expect(claimed).toBeLessThanOrEqual(read);
    expect(await claimOf(account, "ticket_events")).toBeGreaterThan(read);
  });

  it("hold for those that go on changing until their events are read", async () => {
    const { account, world, zendesk, changed, moved, priorities } = await outrun();
    zendesk.faults.before({ path: events, nth: 1 }, () => {
      world.advance(30 * SECOND);
      world.tickets.update(moved, { priority: "low" });
      world.advance(65 * SECOND);
    });
    await account.sync();
    expect(await priorities()).toEqual(["low", "urgent", "high"]);
    expect(await claimOf(account, "tickets")).toBeGreaterThan(changed);
  });

  it("wait for the events of their time, and for the answers about those that they name", async () => {
    const { account, world, zendesk, before, changed, priorities } = await outrun();
    const claims: (number | null)[] = [];
    for (const path of [events, lookUps])
      zendesk.faults.before({ path, nth: 1 }, async () => {
        claims.push(await claimOf(account, "tickets"));
      });
    zendesk.faults.add({ path: lookUps }, fault.tooManyRequests({ retryAfter: "800" }), { times: 1 });
    const { waitingUntil, runId } = await account.sync();
    expect(await claimOf(account, "tickets")).toBe(before);
    world.advance((waitingUntil?.getTime() ?? 0) - world.now());
    await account.sync({ runId });
    expect(claims).toEqual([before, before]);
    expect(await priorities()).toEqual(["high", "urgent", "high"]);
    expect(await claimOf(account, "tickets")).toBeGreaterThan(changed);
  });

  it("stay where they were, and in doubt, in a run that was refused to ask", async () => {
    const { account, world, zendesk, before, changed, made } = await outrun();
    zendesk.faults.add({ path: lookUps }, fault.forbidden("scope"));
    expect(endOf(await account.sync(), "tickets")).toMatchObject({
      state: "degraded",
      failure: { code: "missing_scope", message: expect.stringContaining("by their ids") },
    });
    expect(await claimOf(account, "tickets")).toBe(before);
    zendesk.faults.clear();
    zendesk.faults.add({ path: `/api/v2/tickets/${made.id}` }, fault.status(500, {}));
    zendesk.faults.add(
      { path: lookUps },
      fault.changesRows("all but the new one", (rows) => rows.filter(({ id }) => String(id) !== made.id)),
    );
    await account.sync();
    expect(await claimOf(account, "tickets")).toBe(before);
    zendesk.faults.clear();
    world.advance(HOUR);
    await account.sync();
    await expectConverged(account);
    expect(await claimOf(account, "tickets")).toBeGreaterThan(changed);
  });

  it("stay where they were while their events cannot be read, unless they are refused for long", async () => {
    const { account, world, zendesk, before, changed, priorities } = await outrun();
    for (const broken of [fault.status(500, {}), fault.forbidden("scope")]) {
      zendesk.faults.clear();
      zendesk.faults.add({ path: events }, broken);
      expect(endOf(await account.sync(), "ticket_events")?.state).toBe("failed");
      expect(await claimOf(account, "tickets")).toBe(before);
    }
    zendesk.faults.clear();
    await account.sync();
    expect(await priorities()).toEqual(["high", "urgent", "high"]);
    const read = (await claimOf(account, "tickets")) ?? 0;
    expect(read).toBeGreaterThan(changed);
    zendesk.faults.add({ path: events }, fault.forbidden("scope"));
    for (const claimed of [false, true]) {
      world.advance(HOUR);
      expect(endOf(await account.sync(), "ticket_events")?.failure?.code).toBe("missing_scope");
      expect(((await claimOf(account, "tickets")) ?? 0) > read).toBe(claimed);
    }
  });

  it("stay before a change that the answer by id does not show yet, for ten minutes", async () => {
    const { account, world, zendesk, before, changed, moved } = await outrun();
    const older = fault.changesRows("as it was an hour ago", (rows) =>
      rows.map((row) => ({ ...row, updated_at: new Date(changed - HOUR).toISOString() })),
    );
    zendesk.faults.add({ path: lookUps }, older);
    await account.sync();
    const claim = (await claimOf(account, "tickets")) ?? 0;
    expect(claim).toBeGreaterThan(before);
    expect(claim).toBeLessThan(changed);
    world.advance(5 * SECOND);
    zendesk.faults.clear();
    await account.sync();
    expect(await claimOf(account, "tickets")).toBeGreaterThan(changed);
    world.tickets.update(moved, { priority: "low" });
    const again = world.now();
    world.advance(90 * SECOND);
    world.tickets.update(moved, { priority: "high" });
    world.advance(10 * SECOND);
    zendesk.faults.add({ path: lookUps }, older);
    await account.sync();
    expect(await claimOf(account, "tickets")).toBeLessThan(again);
    // Nothing but its events ever shows it.
    zendesk.faults.add(
      { path: exported },
      fault.changesRows("without it", (rows) => rows.filter(({ id }) => String(id) !== moved)),
    );
    world.advance(15 * MINUTE);
    await account.sync();
    expect(await claimOf(account, "tickets")).toBeGreaterThan(again);
  });

  it("leave tickets in doubt where an answer was refused before a wait", async () => {
    const account = await caughtUp();
    const { world, zendesk } = account;
    const ids = Array.from({ length: 101 }, () => world.tickets.create({ priority: "low" }).id);
    world.advance(3 * MINUTE);
    for (const id of ids) world.tickets.update(id, { priority: "high" });
    world.advance(20 * SECOND);
    zendesk.faults.add({ path: `/api/v2/tickets/${ids[0]}` }, fault.status(500, {}));
    zendesk.faults.add(
      { path: lookUps },
      fault.changesRows("all but the first", (rows) => rows.filter(({ id }) => String(id) !== ids[0])),
    );
    zendesk.faults.add({ path: lookUps, nth: 2 }, fault.tooManyRequests({ retryAfter: "800" }), { times: 1 });
    const { waitingUntil, runId } = await account.sync();
    world.advance((waitingUntil?.getTime() ?? 0) - world.now());
    expect(endOf(await account.sync({ runId }), "tickets")).toMatchObject({
      state: "degraded",
      failure: { code: "unavailable", message: expect.stringContaining("by their ids") },
    });
  });

  it("hold for what changed long before, showed late, and has changed again since", async () => {
    const account = await caughtUp();
    const { world } = account;
    const [id = ""] = world.tickets.byId.keys();
    const now = world.now();
    const ticket = world.tickets.update(id, { priority: "urgent" });
    ticket.visibleFrom = now + 20 * MINUTE;
    for (const audit of ticket.audits) if (audit.at === now) audit.visibleFrom = now + 20 * MINUTE;
    world.advance(15 * MINUTE);
    await account.sync();
    world.advance(25 * MINUTE);
    world.tickets.update(id, { priority: "high" });
    world.advance(20 * SECOND);
    await account.sync();
    const { tickets } = await stored(account);
    expect(tickets.find((row) => row.id === id)?.priority).toBe("high");
  });

  it("are none before the events of the first reading, which name what was touched while it was withheld", async () => {
    const account = await connect(database, worldOfTen());
    const { world, zendesk } = account;
    const [id = ""] = world.tickets.byId.keys();
    world.tickets.update(id, { priority: "urgent" });
    world.advance(20 * SECOND);
    const claims: (number | null)[] = [];
    zendesk.faults.before({ path: events, nth: 1 }, async () => {
      claims.push(await claimOf(account, "tickets"));
    });
    await account.sync();
    expect(claims).toEqual([null]);
    const { tickets } = await stored(account);
    expect(tickets.find((row) => row.id === id)?.priority).toBe("urgent");
    expect(await claimOf(account, "tickets")).toBeGreaterThan(world.now() - 5 * MINUTE);
  });
});

it("of ratings end where the reading was asked to end, however long Zendesk kept the answer waiting", async () => {
  const account = await caughtUp();
  const { world, zendesk } = account;
  const path = "/api/v2/satisfaction_ratings";
  const ticket = world.tickets.solve(world.tickets.create({}).id);
  world.advance(HOUR);
  zendesk.faults.add({ path }, fault.tooManyRequests({ retryAfter: "28" }), { times: 3 });
  let given: number | null = null;
  zendesk.faults.before({ path, nth: 2 }, () => {
    world.ratings.rate(ticket.id, "bad");
    given = world.now();
  });
  await account.sync();
  const unread = await account.read((trx) => trx.selectFrom("satisfaction_rating").select("id").execute());
  expect(unread).toEqual([]);
  expect(await claimOf(account, "satisfaction_ratings")).toBeLessThan(given ?? 0);
});

describe("a clock that is ahead", () => {
  it.each([
    ["by millennia", () => new Date("9999-12-31T23:59:59Z")],
    ["by ten minutes", (now: number) => new Date(now + 10 * MINUTE)],
  ])("on one page, %s, claims nothing that was not read, and nothing is passed over (row 47)", async (_what, date) => {
    const account = await caughtUp();
    const { world, zendesk } = account;
    world.advance(HOUR);
    zendesk.faults.add({ path: exported }, dated(date, account), { times: 1 });
    await account.sync();
    expect(await claimOf(account, "tickets")).toBeLessThanOrEqual(world.now());
    zendesk.faults.clear();
    world.tickets.create({ subject: "Right after" });
    world.advance(10 * MINUTE);
    world.tickets.create({ subject: "A little later" });
    world.advance(3 * HOUR);
    await account.sync();
    await expectConverged(account);
    expect(await claimOf(account, "tickets")).toBeGreaterThan(world.now() - 5 * MINUTE);
  });

  it("from the first answer on, up to the first page of a stream, claims nothing by it (row 47)", async () => {
    const account = await caughtUp();
    const { world, zendesk } = account;
    world.advance(HOUR);
    let ahead = 10 * MINUTE;
    zendesk.faults.add(
      { path: "/api/v2" },
      dated((now) => new Date(now + ahead), account),
    );
    zendesk.faults.after({ path: "/api/v2/ticket_fields" }, () => {
      ahead = 0;
    });
    await account.sync();
    for (const stream of streamNames) {
      expect(await claimOf(account, stream)).toBeLessThanOrEqual(world.now());
      expect(await claimOf(account, stream)).toBeGreaterThan(world.now() - 5 * MINUTE);
    }
  });

  it("from the first answer on is not believed for good", async () => {
    const world = worldOfTen();
    const account = await connect(database, world);
    account.zendesk.faults.add(
      { path: "/api/v2" },
      dated(() => new Date("2031-01-01T00:00:00Z"), account),
    );
    await account.sync();
    account.zendesk.faults.clear();
    world.tickets.create({ subject: "Right after" });
    world.advance(HOUR);
    await account.sync();
    await expectConverged(account);
    expect(await claimOf(account, "tickets")).toBeLessThanOrEqual(world.now());
  });
});

describe("a clock that was ahead for a whole run", () => {
  it("is noticed in the next one, although its first answer is ahead once more", async () => {
    const account = await caughtUp();
    const { world, zendesk } = account;
    const early = (now: number) => new Date(now + 2 * HOUR);
    zendesk.faults.add({ path: "/api/v2" }, dated(early, account));
    await account.sync();
    zendesk.faults.clear();
    world.advance(20 * MINUTE);
    world.tickets.create({ subject: "Behind the claim" });
    world.advance(40 * MINUTE);
    zendesk.faults.add({ path: "/api/v2/users/me" }, dated(early, account), { times: 1 });
    await account.sync();
    expect(await claimOf(account, "tickets")).toBeLessThanOrEqual(world.now());
    await expectConverged(account);
  });
});

describe("answers without a date", () => {
  // A bare number would be taken for a year.
  it.each(["", "0"])("(%j) to a machine whose clock is an hour behind hold no row and fail no stream", async (date) => {
    const world = worldOfTen();
    const account = await connect(database, world);
    const undated = fault.changes("no date", (answer) => ({ ...answer, headers: { ...answer.headers, date } }));
    account.zendesk.faults.add({ path: "/api/v2" }, undated);
    const clock = () => new Date(world.now() - HOUR);
    for (let run = 0; run < 3; run++) {
      world.tickets.create({ subject: `Run ${run}` });
      world.advance(2 * MINUTE);
      const outcome = await account.sync({ clock });
      expect(outcome.streams.filter(({ state }) => state === "failed" || state === "degraded")).toEqual([]);
      world.advance(HOUR);
    }
    await account.sync({ clock });
    await expectConverged(account);
  });
});

describe("a clock that is behind", () => {
  it.each([
    ["the first", 1],
    ["the one that closes the reading of users", 5],
  ])(
    "in one answer, %s, takes nothing back that was claimed, and reads no history again (row 47)",
    async (_which, nth) => {
      const account = await caughtUp();
      const { world, zendesk } = account;
      const before = (await claimOf(account, "tickets")) ?? 0;
      const ofUsers = (await claimOf(account, "users")) ?? 0;
      world.advance(HOUR);
      zendesk.faults.add(
        { path: "/api/v2/users/me", nth },
        dated((now) => new Date(now - 3 * DAY), account),
      );
      zendesk.journal.clear();
      await account.sync();
      expect(await claimOf(account, "tickets")).toBeGreaterThanOrEqual(before);
      expect(await claimOf(account, "users")).toBeGreaterThanOrEqual(ofUsers);
      const starts = zendesk.journal
        .to(exported)
        .map(({ query }) => Number(query.start_time ?? Number.POSITIVE_INFINITY));
      // No further back than that clock says, with the minutes that any start leaves to late rows.
      expect(Math.min(...starts) * 1000).toBeGreaterThan(world.now() - 3 * DAY - 5 * MINUTE);
      world.advance(HOUR);
      await account.sync();
      expect(await claimOf(account, "tickets")).toBeGreaterThan(world.now() - 5 * MINUTE);
      await expectConverged(account);
    },
  );
});

describe("a page by time", () => {
  it.each([
    ["in the future", DAY, "lies in the future"],
    ["before its start", -DAY, "lies before its start"],
  ])("that ends %s fails its stream, and the next run reads what it left out", async (_where, away, says) => {
    const account = await caughtUp();
    const { world, zendesk } = account;
    world.organizations.create({ name: "Left out" });
    world.advance(HOUR);
    zendesk.faults.add(
      { path: "/api/v2/incremental/organizations" },
      fault.changesBody("another end_time", (body) => ({
        ...body,
        organizations: [],
        count: 0,
        end_of_stream: false,
        end_time: Math.floor((world.now() + away) / 1000),
      })),
      { times: 1 },
    );
    const outcome = await account.sync();
    expect(endOf(outcome, "organizations")).toMatchObject({
      state: "failed",
      failure: { code: "protocol", message: expect.stringContaining(says) },
    });
    await account.sync();
    await expectConverged(account);
  });
});

it("a start that is refused as too recent although it is old fails its stream, and claims nothing (row 13)", async () => {
  const account = await caughtUp();
  const { world, zendesk } = account;
  const before = await claimOf(account, "tickets");
  world.advance(20 * MINUTE);
  world.tickets.create({ subject: "Behind the refused start" });
  world.advance(40 * MINUTE);
  const tooRecent = {
    error: "StartTimeTooRecent",
    description: "Too recent start_time. Use a start_time older than 1 minute",
  };
  zendesk.faults.add({ path: exported }, fault.status(422, tooRecent));
  expect(endOf(await account.sync(), "tickets")).toMatchObject({ state: "failed", failure: { code: "rejected" } });
  expect(await claimOf(account, "tickets")).toBe(before);
  zendesk.faults.clear();
  world.advance(HOUR);
  await account.sync();
  await expectConverged(account);
});

it("a page that is refused as too recent is not claimed, however young it is (row 13)", async () => {
  const account = await caughtUp();
  const { world, zendesk } = account;
  for (let n = 0; n < 30; n++) {
    world.organizations.create({ name: `Young ${n}` });
    world.advance(10 * SECOND);
  }
  world.advance(4 * MINUTE);
  const path = "/api/v2/incremental/organizations";
  zendesk.faults.add(
    { path },
    fault.inTheMoment("small pages", ({ query }) => query.set("per_page", "12")),
  );
  zendesk.faults.add(
    { path, page: 2 },
    fault.status(422, { error: "StartTimeTooRecent", description: "Too recent start_time" }),
  );
  await account.sync();
  const claimed = (await claimOf(account, "organizations")) ?? 0;
  const stored = await account.read((trx) => trx.selectFrom("organization").select("id").execute());
  const missing = [...world.organizations.byId.values()].filter(({ id }) => !stored.some((row) => row.id === id));
  expect(missing.length).toBeGreaterThan(0);
  for (const { updatedAt } of missing) expect(new Date(updatedAt).getTime()).toBeGreaterThan(claimed);
  zendesk.faults.clear();
  world.advance(HOUR);
  await account.sync();
  await expectConverged(account);
});

it("a full reading whose history holds nothing new is no empty listing, though older rows are stored (row 123)", async () => {
  const account = await caughtUp();
  account.world.advance(20 * DAY);
  const connection = { history_days: 7 };
  expect(endOf(await account.sync({ mode: "full", connection }), "tickets")).toEqual({ name: "tickets", state: "ok" });
  account.zendesk.faults.add(
    { path: exported },
    fault.changesRows("nothing", () => []),
  );
  expect(endOf(await account.sync({ mode: "full" }), "tickets")).toMatchObject({ failure: { code: "empty_listing" } });
});

it("cursors that lead in a circle end their stream, and the others go on", async () => {
  const account = await caughtUp();
  const { world, zendesk } = account;
  world.tickets.create({ subject: "News" });
  world.advance(HOUR);
  const start = Math.floor((world.now() - 2 * HOUR) / 1000);
  let asked = 0;
  zendesk.faults.add(
    { path: exported },
    fault.inTheMoment("any place is the same", ({ query }) => {
      query.delete("cursor");
      query.set("start_time", String(start));
    }),
  );
  zendesk.faults.add(
    { path: exported },
    fault.changesBody("a circle", (body) => ({
      ...body,
      end_of_stream: false,
      after_cursor: asked++ % 2 === 0 ? "one" : "two",
    })),
  );
  const outcome = await account.sync();
  expect(endOf(outcome, "tickets")).toMatchObject({ state: "failed", failure: { code: "protocol" } });
  expect(endOf(outcome, "ticket_events")).toMatchObject({ state: "ok" });
  expect(asked).toBeLessThan(10);
  zendesk.faults.clear();
  await account.sync();
  await expectConverged(account);
});

it.each(["ticket", "user", "organization"] as const)(
  "a %s with a version of the future is held, so that its next one counts",
  async (kind) => {
    const world = worldOfTen();
    const row = {
      ticket: world.tickets.create({ subject: "Sound" }),
      user: world.users.create({ name: "Sound" }),
      organization: world.organizations.create({ name: "Sound" }),
    }[kind];
    world.advance(HOUR);
    const future = { ticket: { generated_timestamp: 4_000_000_000 }, user: {}, organization: {} }[kind];
    world.distort(kind, row.id, { updated_at: "2099-01-01T00:00:00Z", ...future });
    const account = await connect(database, world);
    await account.sync();
    const held = () => account.read((trx) => trx.selectFrom("held_row").select(["row_key", "reason"]).execute());
    expect(await held()).toEqual([{ row_key: row.id, reason: expect.stringContaining("lies in the future") }]);
    world.heal(kind, row.id);
    world.advance(HOUR);
    await account.sync();
    expect(await held()).toEqual([]);
    await expectConverged(account);
  },
);

it("a version that is a little ahead hides no change that comes before it (INV-CONV)", async () => {
  const account = await caughtUp();
  const { world, zendesk } = account;
  const ticket = world.tickets.create({ subject: "Soon solved" });
  world.advance(5 * MINUTE);
  zendesk.faults.add(
    { path: exported },
    fault.changesRows("two hours ahead", (rows) =>
      rows.map((row) => (String(row.id) === ticket.id ? { ...row, generated_timestamp: ahead(world, 2 * HOUR) } : row)),
    ),
    { times: 1 },
  );
  await account.sync();
  world.advance(30 * MINUTE);
  world.tickets.update(ticket.id, { status: "solved" });
  world.advance(HOUR);
  await account.sync();
  await expectConverged(account);
});

it("a stamp of the future ends no reading, and leads none (INV-CURSOR)", async () => {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  const first = world.now();
  for (let n = 0; n < 60; n++) {
    world.tickets.create({ subject: `Ticket ${n}` });
    world.advance(DAY);
  }
  const account = await connect(database, world, { history: { history_days: 10 } });
  await account.sync();
  const widened = { history_days: Math.ceil((world.now() - first) / DAY) + 10 };
  account.zendesk.faults.add(
    { path: exported },
    fault.inTheMoment("small pages", ({ query }) => query.set("per_page", "10")),
  );
  account.zendesk.faults.add(
    { path: exported, page: 1 },
    fault.changesRows("the last one is of next year", (rows) =>
      rows.map((row, n) => (n === rows.length - 1 ? { ...row, generated_timestamp: ahead(world, 400 * DAY) } : row)),
    ),
    { times: 1 },
  );
  await account.sync({ connection: widened });
  account.zendesk.faults.clear();
  const stored = await account.read((trx) => trx.selectFrom("ticket").select("id").execute());
  expect(stored).toHaveLength(59);
  world.advance(HOUR);
  await account.sync({ connection: widened, mode: "full" });
  await expectConverged(account);
});

it("one answer that is dated by millennia ahead makes no version of the future believable (rows 47, 58a)", async () => {
  const world = worldOfTen();
  const { id } = world.organizations.create({ name: "Early" });
  const account = await connect(database, world);
  account.zendesk.faults.add(
    { path: "/api/v2/groups" },
    dated(() => new Date("9999-12-31T23:59:59Z"), account),
  );
  world.distort("organization", id, { updated_at: "2035-05-05T05:05:05Z" });
  const outcome = await account.sync();
  expect(endOf(outcome, "organizations")).toMatchObject({ state: "degraded", failure: { code: "held_rows" } });
  account.zendesk.faults.clear();
  world.heal("organization", id);
  world.advance(HOUR);
  expect(endOf(await account.sync(), "organizations")).toMatchObject({ state: "ok" });
  await expectConverged(account);
});

it("a row whose version lay in the future is stored when it is tried again after that time", async () => {
  const world = worldOfTen();
  const { id } = world.organizations.create({ name: "Early" });
  const account = await connect(database, world);
  const soon = new Date(Date.now() + 3 * DAY);
  world.distort("organization", id, { updated_at: soon.toISOString() });
  await account.sync();
  const tryAgain = (now: Date) => retryHeldRows(database, account, now, "organizations");
  expect(await tryAgain(new Date(world.now()))).toEqual({ released: 0, held: 1 });
  expect(await tryAgain(soon)).toEqual({ released: 1, held: 0 });
});

describe("a login that loses its rights while it reads (row 63)", () => {
  /** While tickets are exported from an instant that lies so far back (milliseconds), or more: then lists are short. */
  const fallsAt = ({ world, zendesk }: Account, back: number) => {
    const isAgent = fault.changesBody("an agent", ({ user, ...body }) => ({
      ...body,
      user: { ...(user as object), role: "agent" },
    }));
    let hasFallen = false;
    const shorter = fault.changesRows("shorter", (rows, { query }) => {
      if (Number(query.get("start_time") ?? Number.POSITIVE_INFINITY) * 1000 > world.now() - back) return rows;
      if (!hasFallen) zendesk.faults.add({ path: "/api/v2/users/me" }, isAgent);
      hasFallen = true;
      return rows.slice(0, 1);
    });
    zendesk.faults.add({ path: exported }, shorter);
  };

  it("claims nothing of what it read last, and all of it once it has them again", async () => {
    const account = await caughtUp();
    const { world, zendesk } = account;
    const before = await claimOf(account, "tickets");
    for (let n = 0; n < 3; n++) world.tickets.create({ subject: "Not all are shown to an agent" });
    world.advance(HOUR);
    fallsAt(account, 0);
    const outcome = await account.sync();
    expect(endOf(outcome, "tickets")).toMatchObject({ state: "degraded", failure: { code: "role_changed" } });
    expect(await claimOf(account, "tickets")).toBe(before);
    zendesk.faults.clear();
    await account.sync();
    await expectConverged(account);
  });

  it("verifies nothing", async () => {
    const account = await caughtUp();
    account.world.advance(HOUR);
    fallsAt(account, 300 * DAY);
    const outcome = await account.sync({ mode: "reconcile" });
    expect([outcome.verified, endOf(outcome, "tickets")?.failure?.code]).toEqual([undefined, "not_administrator"]);
    account.zendesk.faults.clear();
    expect((await account.sync({ mode: "reconcile" })).verified).toMatchObject({ tickets: 10, repaired: 0 });
  });
});
