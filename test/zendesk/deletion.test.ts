import { describe, expect, it } from "vitest";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged, stored } from "#test/zendesk/stored.ts";

const database = useDatabase();

function newWorld(settings = {}): World {
  return new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z", settings });
}

const living = (rows: Record<string, unknown>[]) => rows.filter((row) => row.deleted_at === null).map((row) => row.id);
const tickets = async (account: Account) => (await stored(account)).tickets as unknown as Record<string, unknown>[];
const organizations = async (account: Account) =>
  (await stored(account)).organizations as unknown as Record<string, unknown>[];

const absences = (account: Account) =>
  account.read((trx) =>
    trx.selectFrom("absence").selectAll().where("connection_id", "=", account.connectionId).orderBy("row_id").execute(),
  );

async function next(account: Account, mode: "incremental" | "reconcile" | "full" = "incremental", after = HOUR) {
  account.world.advance(after);
  return account.sync({ mode });
}

describe("tickets", () => {
  it("deleted, scrubbed, restored and deleted again are tombstones and tickets in turn", async () => {
    const world = newWorld();
    const [kept, moved] = [
      world.tickets.create({ subject: "Kept" }),
      world.tickets.create({ subject: "Secret words" }),
    ];
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    expect(living(await tickets(account))).toEqual([kept.id, moved.id]);
    world.tickets.delete(moved.id);
    await next(account);
    expect(living(await tickets(account))).toEqual([kept.id]);
    world.tickets.restore(moved.id);
    await next(account);
    expect(living(await tickets(account))).toEqual([kept.id, moved.id]);
    world.tickets.delete(moved.id);
    world.advance(MINUTE);
    world.tickets.scrub(moved.id);
    await next(account);
    expect(living(await tickets(account))).toEqual([kept.id]);
    const payloads = await account.read((trx) => trx.selectFrom("ticket_payload").select("payload").execute());
    expect(JSON.stringify([await tickets(account), payloads])).not.toContain("Secret words");
    await expectConverged(account);
  });

  it("merged are flagged and the survivor is unaffected", async () => {
    const world = newWorld();
    const [target, ...sources] = Array.from({ length: 4 }, (_, n) => world.tickets.create({ subject: `T${n}` }));
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    world.tickets.merge(
      target?.id as string,
      sources.map(({ id }) => id),
    );
    world.tickets.update(target?.id as string, { priority: "urgent" });
    await next(account);
    const rows = await tickets(account);
    expect(rows.filter((row) => row.merged).map((row) => row.id)).toEqual(sources.map(({ id }) => id));
    expect(rows.find((row) => row.id === target?.id)).toMatchObject({ merged: false, priority: "urgent" });
    await expectConverged(account);
  });

  it("archived ones are read, since exports show what lists do not", async () => {
    const world = newWorld();
    const ids = Array.from(
      { length: 10 },
      () => world.at("2025-06-01T00:00:00Z", () => world.tickets.create({ status: "closed" })).id,
    );
    for (const id of ids.slice(0, 6)) world.tickets.archive(id);
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync({ mode: "reconcile" });
    expect(living(await tickets(account))).toHaveLength(10);
  });

  it("that the export hides are found in the first reading by what events name, and else by the night, which says how many", async () => {
    const world = newWorld();
    const all = Array.from(
      { length: 60 },
      (_, n) =>
        world.at(new Date(world.now() - (70 - n) * HOUR).toISOString(), () =>
          world.tickets.create({ subject: `T${n}` }),
        ).id,
    );
    for (const id of all.slice(0, 30)) world.tickets.hideFromExport(id);
    const account = await connect(database, world);
    const found = new Set(all.slice(0, 7));
    account.zendesk.faults.add(
      { path: "/api/v2/tickets/show_many" },
      fault.changesRows("not all at first", (rows) => rows.filter(({ id }) => found.has(String(id)))),
    );
    await account.sync();
    account.zendesk.faults.clear();
    expect(await tickets(account)).toHaveLength(37);
    const night = await next(account, "reconcile");
    expect(night.verified).toMatchObject({ repaired: 23, metricsDiffering: 0 });
    expect(await tickets(account)).toHaveLength(60);
    const calm = await next(account, "reconcile");
    expect(calm.verified).toMatchObject({ repaired: 0, metricsDiffering: 0 });
  });

  it("that were changed by hand in the database are put right by the night", async () => {
    const world = newWorld();
    const ticket = world.tickets.create({ subject: "True" });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    await account.read((trx) =>
      trx.updateTable("ticket").set({ subject: "False", content_hash: "1" }).where("id", "=", ticket.id).execute(),
    );
    const night = await next(account, "reconcile");
    expect(night.verified?.repaired).toBe(1);
    await expectConverged(account);
  });

  it("news since the last run is no repair", async () => {
    const world = newWorld();
    const ticket = world.tickets.create({});
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    world.advance(HOUR);
    world.tickets.update(ticket.id, { priority: "low" });
    world.tickets.create({});
    const night = await next(account, "reconcile", 5 * MINUTE);
    expect(night.verified).toMatchObject({ tickets: 2, repaired: 0 });
  });

  it("that vanished without a word are tombstoned only when they are missing twice, a day apart", async () => {
    const world = newWorld();
    const ids = Array.from({ length: 5 }, (_, n) => world.tickets.create({ subject: `T${n}` }).id);
    world.advance(HOUR);
    const account = await connect(database, world);
    await account.sync();
    const gone = ids[2] as string;
    world.tickets.vanish(gone);
    const night = await next(account, "reconcile");
    expect(night.streams.find(({ name }) => name === "tickets")?.state).toBe("ok");
    expect(await absences(account)).toMatchObject([{ stream: "tickets", row_id: gone, held: false }]);
    expect(living(await tickets(account))).toHaveLength(5);
    await next(account, "reconcile", 23 * HOUR);
    expect(living(await tickets(account))).toHaveLength(5);
    await next(account, "reconcile", HOUR);
    expect(living(await tickets(account))).toEqual(ids.filter((id) => id !== gone));
    expect(await absences(account)).toEqual([]);
  });
});

describe("organizations", () => {
  it("that the export calls deleted are gone", async () => {
    const world = newWorld({ deletedOrganizationsInExport: true });
    const [a, b] = [world.organizations.create({ name: "A" }), world.organizations.create({ name: "B" })];
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    world.organizations.delete(a.id);
    await next(account);
    expect(living(await organizations(account))).toEqual([b.id]);
  });

  it.each(["users", "tickets"])(
    "that were merged are gone with the next run, with a pointer, when their %s moved",
    async (what) => {
      const world = newWorld();
      const [loser, winner] = [
        world.organizations.create({ name: "Loser" }),
        world.organizations.create({ name: "Winner" }),
      ];
      if (what === "users") world.users.create({ name: "U", organizationId: loser.id });
      world.tickets.create({ organizationId: loser.id });
      world.advance(5 * MINUTE);
      const account = await connect(database, world);
      await account.sync();
      world.organizations.merge(loser.id, winner.id);
      const outcome = await next(account);
      expect(outcome.streams.find(({ name }) => name === "organizations")?.state).toBe("ok");
      expect(living(await organizations(account))).toEqual([winner.id]);
      expect((await organizations(account)).find((row) => row.id === loser.id)).toMatchObject({
        merged_into: winner.id,
      });
      await expectConverged(account);
    },
  );

  it("that a person merely left stay", async () => {
    const world = newWorld();
    const [a, b] = [world.organizations.create({ name: "A" }), world.organizations.create({ name: "B" })];
    const user = world.users.create({ name: "U", organizationId: a.id });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    world.users.update(user.id, { organizationId: b.id });
    await next(account);
    expect(living(await organizations(account))).toEqual([a.id, b.id]);
  });

  it("that nobody is left in and no answer by id finds stay while the export shows them (row 30)", async () => {
    const world = newWorld();
    const [quiet, renamed, winner] = ["Quiet", "Renamed", "Winner"].map(
      (name) => world.organizations.create({ name }).id,
    );
    const user = (name: string, organizationId = quiet) =>
      world.users.create({ name, organizationId: organizationId ?? null }).id;
    const leavers = [user("U"), user("V", renamed)];
    world.advance(HOUR);
    const account = await connect(database, world);
    await account.sync();
    const unfound = [
      account.zendesk.faults.add({ path: /organizations\/\d+$/ }, fault.status(404, { error: "RecordNotFound" })),
      account.zendesk.faults.add(
        { path: "/api/v2/organizations/show_many" },
        fault.changesRows("empty", () => []),
      ),
    ];
    world.organizations.update(renamed as string, { name: "Of another name" });
    for (const id of leavers) world.users.update(id, { organizationId: winner ?? null });
    await next(account);
    expect(living(await organizations(account))).toEqual([quiet, renamed, winner]);
    for (const one of unfound) one.remove();
    await next(account);
    await expectConverged(account);
  });

  it("that vanished without a word are gone when they are missing twice, a day apart, and come back when they are found", async () => {
    const world = newWorld();
    const [a, b, c] = ["A", "B", "C"].map((name) => world.organizations.create({ name }));
    world.advance(HOUR);
    const account = await connect(database, world);
    await account.sync();
    world.organizations.delete(a?.id as string);
    const hidden = [
      account.zendesk.faults.add(
        { path: "/api/v2/incremental/organizations" },
        fault.changesRows("hidden", (rows) => rows.filter((row) => String(row.id) !== b?.id)),
      ),
      account.zendesk.faults.add(
        { path: "/api/v2/organizations/show_many" },
        fault.changesRows("hidden", (rows) => rows.filter((row) => String(row.id) !== b?.id)),
      ),
      account.zendesk.faults.add(
        { path: `/api/v2/organizations/${b?.id}` },
        fault.status(404, { error: "RecordNotFound" }),
      ),
    ];
    const night = await next(account, "reconcile");
    expect(night.streams.find(({ name }) => name === "organizations")?.state).toBe("ok");
    expect((await absences(account)).map((row) => row.row_id)).toEqual([a?.id, b?.id]);
    for (const one of hidden) one.remove();
    await next(account, "reconcile", DAY);
    expect(living(await organizations(account))).toEqual([b?.id, c?.id]);
    expect(await absences(account)).toEqual([]);
    expect((await next(account, "reconcile")).verified).toMatchObject({ repaired: 0 });
  });

  it("are all kept when too many are missing, and a person is asked", async () => {
    const world = newWorld();
    for (let n = 0; n < 150; n++) world.organizations.create({ name: `O${n}` });
    world.advance(HOUR);
    const account = await connect(database, world);
    await account.sync();
    const nothing = [
      account.zendesk.faults.add(
        { path: "/api/v2/incremental/organizations" },
        fault.changesRows("cut", (rows) => rows.slice(0, 1)),
      ),
      account.zendesk.faults.add(
        { path: "/api/v2/organizations/show_many" },
        fault.changesRows("empty", () => []),
      ),
      account.zendesk.faults.add({ path: /organizations\/\d+$/ }, fault.status(404, { error: "RecordNotFound" })),
    ];
    for (const after of [HOUR, DAY, 2 * DAY]) {
      account.zendesk.journal.clear();
      const night = await next(account, "reconcile", after);
      expect(night.streams.find(({ name }) => name === "organizations")).toMatchObject({
        state: "degraded",
        failure: { code: "many_missing" },
      });
      expect(account.zendesk.journal.to(/^\/api\/v2\/organizations\/\d+$/)).toEqual([]);
    }
    expect((await next(account)).streams.find(({ name }) => name === "organizations")).toMatchObject({
      state: "degraded",
      failure: { code: "many_missing" },
    });
    for (const f of nothing) f.remove();
    expect(living(await organizations(account))).toHaveLength(150);
    const back = await next(account, "reconcile");
    expect(back.streams.find(({ name }) => name === "organizations")?.state).toBe("ok");
    expect(await absences(account)).toEqual([]);
    for (const kind of [fault.forbidden(), fault.status(500), fault.html(502), fault.truncate(0.5)]) {
      const active = account.zendesk.faults.add({ path: /organizations/ }, kind);
      await next(account, "reconcile", DAY).catch(() => {});
      active.remove();
      expect(living(await organizations(account))).toHaveLength(150);
      expect(await absences(account)).toEqual([]);
    }
  });
});

describe("people", () => {
  it("deleted or merged stay as inactive, and tickets follow their requester", async () => {
    const world = newWorld();
    const [a, b, c] = ["A", "B", "C"].map((name) => world.users.create({ name }));
    world.tickets.create({ requesterId: a?.id as string });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    world.users.merge(a?.id as string, b?.id as string);
    world.users.delete(c?.id as string);
    await next(account);
    await expectConverged(account);
    const { users } = await stored(account);
    expect(users.filter(({ active }) => active === false).map(({ id }) => id)).toEqual([a?.id, c?.id]);
  });
});

describe("a role that sees less", () => {
  it("removes nothing and claims nothing; back in power it reads what it missed", async () => {
    const world = newWorld({ agentSees: 0.1 });
    for (let n = 0; n < 150; n++) world.organizations.create({ name: `O${n}` });
    for (let n = 0; n < 50; n++) world.tickets.create({ subject: `T${n}` });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    const fresh = async () =>
      account.read((trx) =>
        trx
          .selectFrom("stream_state")
          .select(["stream", "fresh_through"])
          .where("purpose", "=", "incremental")
          .orderBy("stream")
          .execute(),
      );
    const before = await fresh();
    world.users.changeRole(world.adminId, "agent");
    world.advance(10 * MINUTE);
    for (let n = 0; n < 50; n++) world.tickets.create({ subject: `Later ${n}` });
    for (const mode of ["incremental", "reconcile", "full"] as const) {
      const outcome = await next(account, mode, DAY);
      expect(outcome.streams.map(({ state }) => state)).not.toContain("ok");
      expect(outcome.streams.find(({ name }) => name === "tickets")).toMatchObject({
        state: "degraded",
        failure: { code: "role_changed" },
      });
    }
    expect(living(await organizations(account))).toHaveLength(150);
    expect(await fresh()).toEqual(before);
    world.users.changeRole(world.adminId, "admin");
    await next(account);
    await expectConverged(account);
  });
});

describe("another account behind the subdomain", () => {
  it("gives us nothing", async () => {
    const world = newWorld();
    world.tickets.create({ subject: "Ours" });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    const other = new World({ subdomain: "acme", clock: new Date(world.now()), ids: { user: 500 } as never });
    other.tickets.create({ subject: "Theirs", id: "77" });
    other.users.update(other.adminId, { email: "stranger@elsewhere.example" });
    Object.assign(other.credentials, world.credentials);
    for (const [id, client] of world.access.clients) other.access.clients.set(id, client);
    other.advance(HOUR);
    account.zendesk.serve(other);
    const outcome = await account.sync({ clock: () => new Date(other.now()) });
    expect(outcome.connectionFailure).toMatchObject({ code: "different_account", transient: false });
    expect(outcome.streams).toEqual([]);
    expect((await tickets(account)).map((row) => row.subject)).toEqual(["Ours"]);
  });

  it("or none at all, or a web page, ends everything and keeps the rows", async () => {
    const world = newWorld();
    world.tickets.create({});
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    for (const [kind, code] of [
      [fault.html(404), "unknown_subdomain"],
      [fault.html(200), "not_zendesk"],
      [fault.redirect(301, "https://elsewhere.example"), "account_moved"],
      [fault.unauthorized("token"), "credentials_rejected"],
    ] as const) {
      const active = account.zendesk.faults.add({ path: "/api/v2/" }, kind);
      const outcome = await account.sync();
      expect(outcome.connectionFailure).toMatchObject({ code });
      expect(outcome.connectionFailure?.action).toBeTruthy();
      active.remove();
    }
    expect(await tickets(account)).toHaveLength(1);
    expect((await account.sync()).connectionFailure).toBeUndefined();
  });

  it("in mid-run stops the streams after it", async () => {
    const world = newWorld();
    world.tickets.create({});
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    account.zendesk.faults.add({ path: "/api/v2/incremental/users" }, fault.html(404));
    const outcome = await account.sync();
    expect(outcome.connectionFailure).toMatchObject({ code: "unknown_subdomain" });
    expect(outcome.streams.map(({ name }) => name)).toEqual(["fields", "groups", "organizations"]);
    expect(account.zendesk.journal.to("/api/v2/incremental/tickets")).toEqual([]);
  });
});
