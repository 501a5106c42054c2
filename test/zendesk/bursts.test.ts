import { describe, expect, it } from "vitest";
import type { StreamName } from "#lib/connections/shapes.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { randomWorld } from "#test/support/zendesk/random-world.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import { HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { seededRandom } from "#test/support/zendesk/world/random.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import type { ComparedTable } from "#test/zendesk/compared.ts";
import { expectConverged } from "#test/zendesk/stored.ts";

const database = useDatabase();
const listed = ["groups", "organizations", "users", "tickets"] as const satisfies (StreamName & ComparedTable)[];
const heavyStreams = { path: "/api/v2/incremental" };

function emptyWorld(settings = {}): World {
  return new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z", settings });
}

/** So many organizations, users and tickets, all of one second, and one of each a little later. */
function burst(rows: number): World {
  const world = emptyWorld();
  const imported = (count: number, name: string) => {
    for (let n = 0; n < count; n++) {
      world.organizations.create({ name: `${name} ${n}` });
      world.users.create({ name: `${name} ${n}` });
      world.tickets.create({ subject: `${name} ${n}` });
    }
  };
  world.at(new Date(world.now() - HOUR).toISOString(), () => imported(rows, "At once"));
  world.at(new Date(world.now() - HOUR / 2).toISOString(), () => imported(1, "After"));
  return world;
}

/** `rows` of everything that comes in pages, one a second. */
function steady(rows: number): World {
  const world = emptyWorld();
  for (let n = 0; n < rows; n++) {
    world.at(new Date(world.now() - 3 * HOUR + n * 1000).toISOString(), () => {
      world.organizations.create({ name: `Organization ${n}` });
      world.users.create({ name: `User ${n}` });
      world.definitions.createGroup({ name: `Group ${n}` });
      const { id } = world.tickets.create({ subject: `Ticket ${n}` });
      world.tickets.solve(id);
      world.ratings.rate(id, "good");
    });
  }
  return world;
}

const countsOf = (account: Account) =>
  account.read(async (trx) => {
    const count = async (table: "ticket_event" | "satisfaction_rating") =>
      (
        await trx
          .selectFrom(table)
          .select((eb) => eb.fn.countAll<string>().as("n"))
          .where("connection_id", "=", account.connectionId)
          .executeTakeFirstOrThrow()
      ).n;
    return { events: Number(await count("ticket_event")), ratings: Number(await count("satisfaction_rating")) };
  });

/** Of the audits that left an event. */
const eventIds = (account: Account) =>
  account.read(async (trx) => {
    const events = trx.selectFrom("ticket_event").where("connection_id", "=", account.connectionId);
    return (await events.select("id").distinct().execute()).map(({ id }) => id).toSorted();
  });

// Thousands of rows take their time on a busy machine.
const timeout = 120_000;

describe("a second", { timeout }, () => {
  it.each([
    [1000, 1000],
    [1001, 1000],
    [1001, 100],
    [2500, 1000],
    [2500, 100],
  ])(
    "of %i organizations, users, tickets and their events is read to its last row in pages of %i",
    async (rows, size) => {
      const account = await connect(database, burst(rows));
      if (size < 1000) account.zendesk.faults.add(heavyStreams, fault.tooHeavy(size));
      const streams: StreamName[] = [...listed, "ticket_events"];
      const outcome = await account.sync({ streams });
      expect(outcome.streams.map(({ state }) => state)).toEqual(streams.map(() => "ok"));
      await expectConverged(account, listed);
      const audits = account.world.tickets.audits.all().map(({ id }) => String(id));
      expect(audits).toHaveLength(rows + 1);
      expect(await eventIds(account)).toEqual(audits.toSorted());
    },
  );

  it("of 2,500 organizations is read through the list where the export makes no progress, while the list shifts", async () => {
    const world = burst(2500);
    world.settings.overflowPage = false;
    const account = await connect(database, world);
    const ids = [...world.organizations.byId.keys()];
    account.zendesk.faults.before(
      { path: "/api/v2/organizations", every: 3 },
      () => {
        world.organizations.delete(ids.shift() as string);
        world.organizations.create({ name: `Meanwhile ${ids.length}` });
        world.advance(1000);
      },
      { times: 8 },
    );
    await account.sync({ streams: listed });
    expect(account.zendesk.journal.to("/api/v2/organizations").length).toBeGreaterThan(20);
    expect(account.zendesk.journal.entries.filter(({ query }) => "page" in query)).toEqual([]);
    world.settings.deletedOrganizationsInExport = true;
    world.advance(5 * MINUTE);
    await account.sync({ streams: listed });
    const gone = new Set(truth(world).goneOrganizations.map(({ id }) => id));
    const stored = await account.read((trx) =>
      trx
        .selectFrom("organization")
        .select("id")
        .where("deleted_at", "is", null)
        .where("connection_id", "=", account.connectionId)
        .execute(),
    );
    expect(new Set(stored.map(({ id }) => id).filter((id) => !gone.has(id)))).toEqual(
      new Set(truth(world).organizations.map(({ id }) => id)),
    );
  });
});

describe("streams", { timeout }, () => {
  it.each([99, 100, 101, 999, 1000, 1001])("of exactly %i rows arrive whole", async (rows) => {
    const account = await connect(database, steady(rows));
    const outcome = await account.sync();
    expect(outcome.streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    await expectConverged(account);
    const { events, ratings } = await countsOf(account);
    expect(ratings).toBe(rows);
    expect(events).toBeGreaterThanOrEqual(2 * rows);
  });

  it("are read alike where an export does not say how many rows its page has", async () => {
    const account = await connect(database, steady(20));
    account.zendesk.faults.add(heavyStreams, fault.withoutKeys("count"));
    expect((await account.sync()).streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    await expectConverged(account);
  });
});

describe("a run that is killed between tickets and their events", { timeout }, () => {
  it("leaves both to be read on from their own places, with what changed meanwhile", async () => {
    const world = randomWorld(18, { tickets: 60, days: 20, turmoil: false });
    const broken = await connect(database, world);
    await broken.sync();
    world.advance(HOUR);
    const ids = [...world.tickets.byId.keys()].slice(0, 20);
    const changeAll = (priority: string) => {
      for (const id of ids) if (canChange(world, id)) world.tickets.update(id, { priority });
    };
    changeAll("urgent");
    world.advance(5 * MINUTE);
    const killed = new Error("killed");
    let reachedEvents = false;
    broken.zendesk.faults.before({ path: "/api/v2/incremental/ticket_events" }, () => {
      reachedEvents = true;
      changeAll("low");
      world.advance(5 * MINUTE);
    });
    const fence = async () => {
      if (reachedEvents) throw killed;
    };
    await expect(broken.sync({ fence })).rejects.toBe(killed);
    broken.zendesk.faults.clear();
    await broken.sync();
    const whole = await connect(database, world);
    await whole.sync();
    await expectConverged(broken);
    expect(await historyOf(broken)).toEqual(await historyOf(whole));
    expect((await historyOf(whole)).events.length).toBeGreaterThan(40);
  });
});

function canChange(world: World, id: string): boolean {
  const ticket = world.tickets.byId.get(id);
  return ticket !== undefined && !ticket.deleted && ticket.status !== "closed";
}

function historyOf(account: Account) {
  return account.read(async (trx) => ({
    events: await trx
      .selectFrom("ticket_event")
      .select(["ticket_id", "id"])
      .where("connection_id", "=", account.connectionId)
      .orderBy("ticket_id")
      .orderBy("id")
      .execute(),
    moments: await trx
      .selectFrom("timeline_entry")
      .select(["ticket_id", "kind", "occurred_at"])
      .where("connection_id", "=", account.connectionId)
      .orderBy("ticket_id")
      .orderBy("occurred_at")
      .orderBy("kind")
      .execute(),
  }));
}

describe("a first reading of 300 pages", { timeout: 300_000 }, () => {
  // A page is on its way while the one before it is stored, so that Zendesk and the database work at the same time: a kill
  // costs the answers of two pages, where row 20 has one a kill in mind. Nothing is stored twice, whatever is asked for again.
  it("that is killed at 20 moments stores every page once, and asks again for the two at most that were under way", async () => {
    const world = emptyWorld();
    for (let n = 0; n < 2999; n++)
      world.at(new Date(world.now() - 10 * HOUR + n * 5000).toISOString(), () =>
        world.tickets.create({ subject: `Ticket ${n}` }),
      );
    const account = await connect(database, world);
    const { journal, faults } = account.zendesk;
    faults.add({ path: "/api/v2/incremental/tickets" }, fault.tooHeavy(10));
    const random = seededRandom(20);
    const killed = new Error("killed");
    const places = () =>
      journal
        .to("/api/v2/incremental/tickets")
        .filter(({ query }) => query.per_page === "10")
        .map(({ query }) => query.cursor ?? query.start_time);
    for (let kill = 0; kill < 20; kill++) {
      let left = 4 + Math.floor(random.next() * 32);
      const fence = async () => {
        if (left-- === 0) throw killed;
      };
      await expect(account.sync({ streams: ["tickets"], fence })).rejects.toBe(killed);
    }
    // The kills are spread over most of the way.
    expect(new Set(places()).size).toBeGreaterThan(200);
    expect(new Set(places()).size).toBeLessThan(300);
    await account.sync();
    expect(new Set(places()).size).toBe(300);
    expect(places().length - 300).toBeLessThanOrEqual(2 * 20);
    const read = await account.read((trx) =>
      trx
        .selectFrom("sync_run_stream")
        .select(["rows_read", "inserted", "pages"])
        .where("connection_id", "=", account.connectionId)
        .where("stream", "=", "tickets")
        .execute(),
    );
    const sum = (count: (row: (typeof read)[number]) => number | string) =>
      read.reduce((total, row) => total + Number(count(row)), 0);
    expect([sum((row) => row.rows_read), sum((row) => row.inserted), sum((row) => row.pages)]).toEqual([
      2999, 2999, 300,
    ]);
    await expectConverged(account);
  });
});
