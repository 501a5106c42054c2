import { describe, expect, test, vi } from "vitest";
import { getConnection } from "#lib/connections/list.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR, MINUTE, SECOND } from "#test/support/zendesk/world/clock.ts";
import { byIdRequests, type Linked, link, smallWorld } from "#test/webhooks/linked.ts";
import { readById } from "#test/zendesk/compared.ts";
import { expectConverged } from "#test/zendesk/stored.ts";

const database = useDatabase();

/** Read once, with its webhook in place. */
async function live(world = smallWorld()): Promise<Linked> {
  const linked = await link(database, world);
  await linked.check();
  expect(await linked.webhook()).toMatchObject({ state: "active", failure_code: null });
  await linked.sync();
  linked.zendesk.journal.clear();
  return linked;
}

const ticket = (linked: Linked, id: string) =>
  linked.read((trx) => trx.selectFrom("ticket").selectAll().where("id", "=", id).executeTakeFirst());
const organization = (linked: Linked, id: string) =>
  linked.read((trx) => trx.selectFrom("organization").selectAll().where("id", "=", id).executeTakeFirst());

/** All within one second. */
function rename({ tickets, organizations, users }: Linked["world"], name: string) {
  tickets.update("1", { subject: name });
  organizations.update([...organizations.byId.keys()][0] as string, { name });
  users.update(tickets.byId.get("1")?.requesterId as string, { name });
}

async function expectNamed({ world, read }: Linked, name: string) {
  const requester = world.tickets.byId.get("1")?.requesterId as string;
  const stored = await read(async (trx) => ({
    ticket: await trx.selectFrom("ticket").select("subject as name").where("id", "=", "1").execute(),
    organization: await trx.selectFrom("organization").select("name").execute(),
    user: await trx.selectFrom("zendesk_user").select("name").where("id", "=", requester).execute(),
  }));
  expect(stored).toEqual({ ticket: [{ name }], organization: [{ name }], user: [{ name }] });
}

const postponeRun = ({ read, world }: Linked) =>
  read((trx) =>
    trx
      .updateTable("connection")
      .set({ next_sync_at: new Date(world.now() + HOUR) })
      .execute(),
  );
const nextRun = async ({ read }: Linked) =>
  (await read((trx) => trx.selectFrom("connection").select("next_sync_at").executeTakeFirstOrThrow())).next_sync_at;

async function deliverAndDrain(linked: Linked) {
  const delivered = await linked.zendesk.webhooks.deliver();
  expect(delivered.filter(({ status }) => status !== 200)).toEqual([]);
  return linked.drain();
}

describe("what a delivery brings", () => {
  test("tickets, users and organizations are stored without a run, counted, and forgotten from the queue", async () => {
    const linked = await live();
    const { world } = linked;
    const { id: organizationId } = world.organizations.create({ name: "Contoso" });
    const { id: requesterId } = world.users.create({ name: "Bo", organizationId });
    const { id } = world.tickets.create({ subject: "New", priority: "urgent", requesterId });
    world.tickets.solve("1");
    expect(await deliverAndDrain(linked)).toMatchObject({ fetched: 4, left: 0 });
    expect(await ticket(linked, id)).toMatchObject({ organization_id: organizationId, priority: "urgent" });
    expect(await ticket(linked, "1")).toMatchObject({ status: "solved", reopens: 0 });
    expect(byIdRequests(linked).map(({ path }) => path)).toEqual([
      "/api/v2/organizations/show_many",
      "/api/v2/tickets/show_many",
      "/api/v2/users/show_many",
    ]);
    expect((await linked.webhook()).changed_at).toEqual(linked.clock());
    const { streams } = await linked.read((trx) => getConnection(trx, linked.scope));
    const rows = Object.fromEntries(streams.map(({ name, rows }) => [name, rows]));
    const count = (table: "ticket" | "zendesk_user" | "organization") =>
      linked.read(async (trx) => (await trx.selectFrom(table).select("id").execute()).length);
    expect(rows).toMatchObject({
      tickets: await count("ticket"),
      users: await count("zendesk_user"),
      organizations: await count("organization"),
    });
    await expectConverged(linked, readById);
  });

  test("the counts follow at once", async () => {
    const linked = await live();
    linked.world.tickets.update("1", { status: "solved" });
    await deliverAndDrain(linked);
    const counted = await linked.read((trx) =>
      trx.selectFrom("org_metric").select(["total", "unsolved"]).executeTakeFirstOrThrow(),
    );
    expect(counted).toEqual({ total: 5, unsolved: 4 });
  });

  test("a ticket that does not exist is asked for once by its id, and is no tombstone (row 94)", async () => {
    const linked = await live();
    await linked.take(linked.signed('{"type":"zen:event-type:ticket.created","detail":{"id":"424242"}}'));
    await linked.drain();
    await linked.drain();
    expect(linked.zendesk.journal.to("/api/v2/tickets/424242")).toMatchObject([{ status: 404 }]);
    expect(await ticket(linked, "424242")).toBeUndefined();
    expect(await linked.hints()).toEqual([]);
  });

  test("a deleted ticket stays until the export tells of it, in a run that comes soon", async () => {
    const linked = await live();
    await postponeRun(linked);
    linked.world.tickets.delete("2");
    await deliverAndDrain(linked);
    expect((await ticket(linked, "2"))?.deleted_at).toBeNull();
    expect(await nextRun(linked)).toEqual(new Date(linked.world.now() + 2 * MINUTE));
    linked.world.advance(2 * MINUTE);
    await linked.sync();
    expect((await ticket(linked, "2"))?.deleted_at).not.toBeNull();
  });

  test("an organization that was merged away is gone when its tickets arrive in the other one (row 40)", async () => {
    const linked = await live();
    const { world } = linked;
    const [loser] = world.organizations.list();
    const winner = world.organizations.create({ name: "Winner" });
    world.organizations.merge(loser?.id as string, winner.id);
    await deliverAndDrain(linked);
    expect(await organization(linked, loser?.id as string)).toMatchObject({ merged_into: winner.id });
    expect((await organization(linked, loser?.id as string))?.deleted_at).not.toBeNull();
    world.advance(5 * MINUTE);
    await linked.sync();
    await expectConverged(linked, readById);
  });

  test.each([
    [
      "the account asks for silence",
      async (linked: Linked) => {
        const path = "/api/v2/incremental/organizations";
        linked.zendesk.faults.add({ path }, fault.tooManyRequests({ retryAfter: "30", body: "incremental" }), {
          times: 2,
        });
      },
    ],
    [
      "it was renamed a moment before",
      async (linked: Linked) => {
        const [loser] = linked.world.organizations.list();
        linked.world.organizations.update(loser?.id as string, { name: "Merge me" });
        await deliverAndDrain(linked);
        linked.world.advance(30_000);
      },
    ],
  ])(
    "an organization that was merged away while %s is gone with the next run, with its pointer (row 40)",
    async (_when, trouble) => {
      const linked = await live();
      const { world } = linked;
      const [loser] = world.organizations.list();
      const winner = world.organizations.create({ name: "Winner" });
      await trouble(linked);
      await postponeRun(linked);
      world.organizations.merge(loser?.id as string, winner.id);
      await deliverAndDrain(linked);
      expect(await organization(linked, loser?.id as string)).toMatchObject({ deleted_at: null });
      expect(await nextRun(linked)).toEqual(new Date(world.now() + 2 * MINUTE));
      linked.zendesk.faults.clear();
      world.advance(35 * MINUTE);
      await linked.sync();
      expect(await organization(linked, loser?.id as string)).toMatchObject({
        merged_into: winner.id,
        deleted_at: expect.any(Date),
      });
      expect(await linked.read((trx) => trx.selectFrom("departure").selectAll().execute())).toEqual([]);
      await expectConverged(linked, readById);
    },
  );

  test("an organization that everybody left and that is not found by id stays while the export shows it (row 30)", async () => {
    const linked = await live();
    const { world } = linked;
    const [left] = world.organizations.list();
    const next = world.organizations.create({ name: "Next" });
    linked.zendesk.faults.add(
      { path: `/api/v2/organizations/${left?.id}` },
      fault.status(404, { error: "RecordNotFound" }),
    );
    linked.zendesk.faults.add(
      { path: "/api/v2/organizations/show_many" },
      fault.changesRows("not this one", (rows) => rows.filter(({ id }) => String(id) !== left?.id)),
    );
    for (const user of [...world.users.byId.values()].filter(({ organizationId }) => organizationId === left?.id))
      world.users.update(user.id, { organizationId: next.id });
    for (const { id } of [...world.tickets.byId.values()].filter(({ organizationId }) => organizationId === left?.id))
      world.tickets.update(id, { organizationId: next.id });
    await deliverAndDrain(linked);
    expect(await organization(linked, left?.id as string)).toMatchObject({ deleted_at: null });
    world.advance(5 * MINUTE);
    await linked.sync();
    await expectConverged(linked, readById);
  });

  test("a row that cannot be stored is held, and healed by the next delivery (row 55)", async () => {
    const linked = await live();
    const { world } = linked;
    const held = () => linked.read((trx) => trx.selectFrom("held_row").select("row_key").execute());
    const tickets = async () => {
      const { streams } = await linked.read((trx) => getConnection(trx, linked.scope));
      return streams.find(({ name }) => name === "tickets");
    };
    world.distort("ticket", "3", { updated_at: null });
    world.tickets.update("3", { priority: "low" });
    await deliverAndDrain(linked);
    expect(await held()).toMatchObject([{ row_key: "3" }]);
    expect(await tickets()).toMatchObject({ state: "degraded", held: 1, failure: { code: "held_rows" } });
    world.distortions.clear();
    world.advance(1000);
    world.tickets.update("3", { priority: "urgent" });
    await deliverAndDrain(linked);
    expect(await held()).toEqual([]);
    expect(await tickets()).toMatchObject({ state: "ok", held: 0, failure: null });
    expect(await ticket(linked, "3")).toMatchObject({ priority: "urgent" });
  });
});

describe("nothing depends on deliveries", () => {
  test("with every delivery lost the hourly run repairs all of it (row 87)", async () => {
    const linked = await live();
    const { world } = linked;
    world.webhooks.setWeather({ lost: 1 });
    for (const id of ["1", "2", "3"]) world.tickets.update(id, { priority: "low" });
    world.tickets.create({ subject: "Unheard of" });
    world.users.create({ name: "Nobody told" });
    expect(await deliverAndDrain(linked)).toMatchObject({ fetched: 0 });
    world.advance(HOUR);
    await linked.sync();
    await expectConverged(linked, readById);
  });

  test("shuffled, doubled and four hours late they leave the tables equal to Zendesk (row 89)", async () => {
    const linked = await live();
    const { world } = linked;
    const delayed = { probability: 0.5, minimum: MINUTE, maximum: 4 * HOUR };
    world.webhooks.setWeather({ seed: 7, duplicated: 0.3, delayed, shuffled: true });
    for (let hour = 0; hour < 6; hour++) {
      for (const id of ["1", "2", "3", "4", "5"]) world.tickets.update(id, { priority: hour % 2 ? "low" : "urgent" });
      world.users.update(world.adminId, { name: `Ada ${hour}` });
      world.organizations.update(world.organizations.list()[0]?.id as string, { name: `Northwind ${hour}` });
      await deliverAndDrain(linked);
      if (hour % 2) await linked.sync();
      world.advance(HOUR);
    }
    await deliverAndDrain(linked);
    world.advance(5 * HOUR);
    await deliverAndDrain(linked);
    expect(await linked.hints()).toEqual([]);
    await linked.sync();
    await expectConverged(linked, readById);
  }, 120_000);

  test("deliveries late by hours make no row look different from the one that the export brought (row 23)", async () => {
    const linked = await live();
    linked.world.tickets.update("1", { priority: "low" });
    linked.world.advance(5 * MINUTE);
    await linked.sync();
    const before = await ticket(linked, "1");
    linked.world.advance(3 * HOUR);
    expect(await deliverAndDrain(linked)).toMatchObject({ fetched: 1, changed: 0 });
    expect(await ticket(linked, "1")).toEqual(before);
  });
});

describe("versions", () => {
  test("a page that was asked for before a newer delivery does not bring the older version back (row 19)", async () => {
    const linked = await live();
    const { world } = linked;
    world.tickets.update("1", { subject: "as the page saw it" });
    world.advance(5 * MINUTE);
    // The page is read, and then held back until the delivery has been fetched.
    linked.zendesk.faults.after({ path: "/api/v2/incremental/tickets/cursor", nth: 1 }, async () => {
      world.tickets.update("1", { subject: "newer" });
      await deliverAndDrain(linked);
      expect(await ticket(linked, "1")).toMatchObject({ subject: "newer" });
    });
    await linked.sync();
    expect(await ticket(linked, "1")).toMatchObject({ subject: "newer" });
  });

  test("of two changes in one second the one fetched later holds, whichever is stored last (row 19)", async () => {
    const linked = await live();
    const { world } = linked;
    const [northwind] = world.organizations.list();
    const id = northwind?.id as string;
    const [ada] = world.users.list().filter(({ name }) => name === "Ada");
    world.organizations.update(id, { name: "first" });
    world.users.update(ada?.id as string, { name: "first" });
    linked.zendesk.faults.after({ path: "/api/v2/incremental/organizations", nth: 1 }, async () => {
      world.organizations.update(id, { name: "second" });
      await deliverAndDrain(linked);
    });
    linked.zendesk.faults.after({ path: "/api/v2/incremental/users/cursor", nth: 1 }, async () => {
      world.users.update(ada?.id as string, { name: "second" });
      await deliverAndDrain(linked);
    });
    await linked.sync();
    expect(await organization(linked, id)).toMatchObject({ name: "second" });
    const user = await linked.read((trx) =>
      trx
        .selectFrom("zendesk_user")
        .select("name")
        .where("id", "=", ada?.id as string)
        .executeTakeFirst(),
    );
    expect(user).toEqual({ name: "second" });
  });

  test("of two changes in one second the later is asked for again, though the export withholds the ticket: no claim is made without it", async () => {
    const linked = await live();
    const { world } = linked;
    await linked.sync();
    world.tickets.update("1", { priority: "urgent" });
    const changed = new Date(world.now());
    await deliverAndDrain(linked);
    // Fetched within that second, by the database's clock as well.
    await linked.read((trx) => trx.updateTable("ticket").set({ fetched_at: changed }).where("id", "=", "1").execute());
    world.tickets.update("1", { priority: "low" });
    world.advance(100 * SECOND);
    world.tickets.update("1", { subject: "Once more" });
    world.advance(20 * SECOND);
    await linked.sync();
    expect(await ticket(linked, "1")).toMatchObject({ priority: "low", subject: "Once more" });
  });

  test("what was not asked for is not stored, whatever stands beside it", async () => {
    const linked = await live();
    const { world, zendesk } = linked;
    world.tickets.update("1", { subject: "asked for" });
    zendesk.faults.add(
      { path: "/api/v2/tickets/show_many" },
      fault.changesRows("one more", (rows) => [...rows, ...rows.map((row) => ({ ...row, id: 999_001 }))]),
    );
    zendesk.faults.add(
      { path: /^\/api\/v2\/tickets\/2$/ },
      fault.changesBody("another one", (body) => ({ ...body, ticket: { ...(body.ticket as object), id: 999_002 } })),
    );
    await deliverAndDrain(linked);
    expect(await ticket(linked, "1")).toMatchObject({ subject: "asked for" });
    expect(await ticket(linked, "999001")).toBeUndefined();
    zendesk.faults.add(
      { path: "/api/v2/tickets/show_many" },
      fault.changesRows("none", () => []),
    );
    world.tickets.update("2", { subject: "asked for, too" });
    await deliverAndDrain(linked);
    expect(await ticket(linked, "999002")).toBeUndefined();
    expect((await linked.hints()).map(({ id }) => id)).toContain("2");
  });

  test("of two answers by id with one version the one asked for later holds, whichever is stored last (row 19)", async () => {
    const linked = await live();
    const { world } = linked;
    world.tickets.update("1", { subject: "first" });
    linked.zendesk.faults.after({ path: "/api/v2/tickets/show_many", nth: 1 }, async () => {
      world.tickets.update("1", { subject: "second" });
      await linked.zendesk.webhooks.deliver();
      // Another process fetches it while the first answer is still on its way.
      await linked.read((trx) => trx.updateTable("webhook_hint").set({ claimed_until: null }).execute());
      await linked.drain();
    });
    await deliverAndDrain(linked);
    expect(await ticket(linked, "1")).toMatchObject({ subject: "second" });
  });

  test("what another process asked for later holds, however far behind its clock is (rows 19, 47)", async () => {
    const linked = await live();
    const { world } = linked;
    rename(world, "first");
    await deliverAndDrain(linked);
    const now = performance.now.bind(performance);
    const behind = vi.spyOn(performance, "now").mockImplementation(() => now() - 10 * MINUTE);
    try {
      rename(world, "second");
      await deliverAndDrain(linked);
    } finally {
      behind.mockRestore();
    }
    await expectNamed(linked, "second");
  });

  test("what was stored before the database's clock was set back does not stand in the way of the same second (row 47)", async () => {
    const linked = await live();
    const { world } = linked;
    rename(world, "first");
    await deliverAndDrain(linked);
    const ahead = { fetched_at: new Date(Date.now() + DAY) };
    for (const table of ["ticket", "organization", "zendesk_user"] as const)
      await linked.read((trx) => trx.updateTable(table).set(ahead).execute());
    rename(world, "second");
    await deliverAndDrain(linked);
    await expectNamed(linked, "second");
  });

  test("a second change in the same second that only the export shows is stored (row 19)", async () => {
    const linked = await live();
    const { world } = linked;
    world.tickets.update("1", { priority: "low" });
    await deliverAndDrain(linked);
    world.webhooks.setWeather({ lost: 1 });
    world.tickets.update("1", { priority: "normal" });
    world.advance(5 * MINUTE);
    await linked.sync();
    expect(await ticket(linked, "1")).toMatchObject({ priority: "normal" });
  });
});

describe("when it cannot be done now", () => {
  test.each([
    ["429", () => fault.tooManyRequests({ retryAfter: "300" })],
    ["500", () => fault.status(500)],
    ["401", () => fault.unauthorized("bearer")],
  ] as const)("after %s the hint stays, waits, and is fetched when Zendesk answers again", async (_name, kind) => {
    const linked = await live();
    const broken = linked.zendesk.faults.add({ path: "/api/v2/tickets" }, kind());
    linked.world.tickets.update("1", { priority: "low" });
    expect(await deliverAndDrain(linked)).toMatchObject({ fetched: 0, left: 1 });
    const asked = linked.zendesk.journal.to("/api/v2/tickets").length;
    await linked.drain();
    await linked.drain();
    expect(linked.zendesk.journal.to("/api/v2/tickets")).toHaveLength(asked);
    broken.remove();
    linked.world.advance(20 * MINUTE);
    expect(await linked.drain()).toMatchObject({ fetched: 1, left: 0 });
    expect(await ticket(linked, "1")).toMatchObject({ priority: "low" });
  });

  test("a paused connection keeps what comes and fetches it when it goes on", async () => {
    const linked = await live();
    const move = (state: string) =>
      linked.read(async (trx) => void (await trx.updateTable("connection").set({ state }).execute()));
    await move("paused");
    linked.world.tickets.update("1", { priority: "low" });
    expect(await deliverAndDrain(linked)).toMatchObject({ fetched: 0, left: 1 });
    expect(byIdRequests(linked)).toEqual([]);
    await move("active");
    expect(await linked.drain()).toMatchObject({ fetched: 1, left: 0 });
  });

  test.each(["disconnected", "paused"])(
    "nothing more is asked for a connection that is %s meanwhile (row 121)",
    async (state) => {
      const linked = await live();
      for (let n = 0; n < 250; n++) linked.world.tickets.create({ subject: `Burst ${n}` });
      await linked.zendesk.webhooks.deliver();
      linked.zendesk.faults.after({ path: "/api/v2/tickets/show_many", nth: 1 }, () =>
        linked.read(async (trx) => void (await trx.updateTable("connection").set({ state }).execute())),
      );
      expect(await linked.drain()).toMatchObject({ fetched: 0, left: 251 });
      expect(byIdRequests(linked)).toHaveLength(1);
    },
  );

  test("a hint that grows while it is fetched is fetched again", async () => {
    const linked = await live();
    linked.zendesk.faults.after({ path: "/api/v2/tickets/show_many", nth: 1 }, async () => {
      linked.world.advance(1000);
      linked.world.tickets.update("1", { priority: "urgent" });
      await linked.zendesk.webhooks.deliver();
    });
    linked.world.tickets.update("1", { priority: "low" });
    expect(await deliverAndDrain(linked)).toMatchObject({ left: 1 });
    expect(await linked.drain()).toMatchObject({ fetched: 1, left: 0 });
    expect(await ticket(linked, "1")).toMatchObject({ priority: "urgent" });
  });

  test("two processes drain beside a nightly run over the same tickets, and nothing is stuck or lost (row 80)", async () => {
    const world = smallWorld();
    for (let n = 0; n < 500; n++) world.tickets.create({ subject: `More ${n}` });
    world.advance(DAY);
    const linked = await live(world);
    const running = linked.sync({ mode: "reconcile" });
    for (let round = 0; round < 10; round++) {
      world.advance(1000);
      const ids = [...world.tickets.byId.keys()].filter((_, n) => n % 10 === round);
      for (const id of round % 2 ? ids : ids.reverse()) world.tickets.update(id, { subject: `Round ${round}` });
      await linked.zendesk.webhooks.deliver();
      await Promise.all([linked.drain(), linked.drain()]);
    }
    await running;
    await linked.drain();
    expect(await linked.hints()).toEqual([]);
    world.advance(HOUR);
    await linked.sync();
    await expectConverged(linked, readById);
  }, 120_000);
});

test("who left an organization that is gone stays noted until nobody is left in it (row 40)", async () => {
  const linked = await live();
  const { world } = linked;
  const loser = world.organizations.list()[0]?.id as string;
  const winner = world.organizations.create({ name: "Winner" });
  world.organizations.delete(loser);
  for (const id of ["1", "2"]) {
    world.tickets.update(id, { organizationId: winner.id });
    await linked.take(linked.signed(`{"type":"zen:event-type:ticket.created","detail":{"id":"${id}"}}`));
  }
  await linked.drain();
  const noted = await linked.read((trx) =>
    trx.selectFrom("departure").select(["organization_id", "went_to", "rows"]).orderBy("rows").execute(),
  );
  expect(noted).toContainEqual({ organization_id: loser, went_to: winner.id, rows: 2 });
});
