import { describe, expect, it } from "vitest";
import type { SyncMode } from "#lib/connections/shapes.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { readAtNight } from "#test/zendesk/compared.ts";
import { expectConverged, stored } from "#test/zendesk/stored.ts";

const database = useDatabase();

const newWorld = () => new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });

async function next(account: Account, mode: SyncMode = "incremental", after = HOUR) {
  account.world.advance(after);
  const outcome = await account.sync({ mode });
  expect(outcome.streams.map(({ name, state }) => [name, state])).toEqual(
    outcome.streams.map(({ name }) => [name, "ok"]),
  );
  return outcome;
}

/** People who have left their second organization since the night that read it. */
async function leavers(count: number) {
  const world = newWorld();
  const [own, second] = ["Own", "Second"].map((name) => world.organizations.create({ name }).id) as [string, string];
  const people = Array.from({ length: count }, (_, n) =>
    world.users.create({ name: `User ${n}`, organizationId: own }),
  ).map(({ id }) => id);
  for (const id of people) world.users.join(id, second);
  world.advance(5 * MINUTE);
  const account = await connect(database, world);
  await next(account, "reconcile");
  for (const id of people) world.users.leave(id, second);
  world.advance(HOUR);
  const left = async () =>
    (await stored(account)).memberships.filter((row) => row.organization_id === second).map((row) => row.user_id);
  return { world, account, people, left };
}
const usersOf = (outcome: Awaited<ReturnType<Account["sync"]>>) => outcome.streams.find(({ name }) => name === "users");

describe("memberships of people in organizations", () => {
  it("of several organizations have all their memberships stored, the default one marked", async () => {
    const world = newWorld();
    const [a, b, c] = ["A", "B", "C"].map((name) => world.organizations.create({ name }).id) as [
      string,
      string,
      string,
    ];
    const user = world.users.create({ name: "Una", organizationId: a });
    for (const id of [b, c]) world.users.join(user.id, id);
    for (let n = 0; n < 150; n++) world.users.create({ name: `User ${n}`, organizationId: a });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    const memberships = async () => {
      const rows = await account.read((trx) =>
        trx
          .selectFrom("organization_membership")
          .select(["organization_id", "is_default"])
          .where("connection_id", "=", account.connectionId)
          .where("user_id", "=", user.id)
          .orderBy("organization_id")
          .execute(),
      );
      return rows.map((row) => [row.organization_id, row.is_default]);
    };
    await next(account, "reconcile");
    expect(await memberships()).toEqual([
      [a, true],
      [b, false],
      [c, false],
    ]);
    world.users.makeDefault(user.id, b);
    world.users.leave(user.id, c);
    await next(account, "reconcile");
    expect(await memberships()).toEqual([
      [a, false],
      [b, true],
    ]);
    await expectConverged(account, readAtNight);
    const empty = account.zendesk.faults.add(
      { path: "/api/v2/organization_memberships" },
      fault.changesRows("empty", () => []),
    );
    world.advance(HOUR);
    const doubted = await account.sync({ mode: "reconcile" });
    expect(doubted.streams.find(({ name }) => name === "users")).toMatchObject({
      state: "degraded",
      failure: {
        code: "protocol",
        message: expect.stringMatching(/^Memberships .* it is empty, though people like \d+ belong to an organization/),
      },
    });
    expect(doubted.verified).toBeUndefined();
    expect(await memberships()).toEqual([
      [a, false],
      [b, true],
    ]);
    empty.remove();
    expect((await next(account, "reconcile")).verified).toBeDefined();
    await expectConverged(account, readAtNight);
  });

  it("that left their own organization and came back keep the newer membership alone", async () => {
    const world = newWorld();
    const { id: own } = world.organizations.create({ name: "Own" });
    const { id: user } = world.users.create({ name: "Una", organizationId: own });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await next(account, "reconcile");
    world.users.update(user, { organizationId: own });
    world.advance(5 * MINUTE);
    expect((await next(account, "reconcile")).verified).toBeDefined();
    const [back] = world.users.membershipsOf(user);
    expect((await stored(account)).memberships.map(({ id }) => id)).toEqual([back?.id]);
    await expectConverged(account, readAtNight);
  });

  it("keep the memberships that a role which has fallen in the night is not shown (row 63)", async () => {
    const world = newWorld();
    const [a, b] = ["A", "B"].map((name) => world.organizations.create({ name }).id) as [string, string];
    const user = world.users.create({ name: "Una", organizationId: a });
    world.users.join(user.id, b);
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await next(account, "reconcile");
    const { memberships } = await stored(account);
    expect(memberships).toHaveLength(2);
    account.zendesk.faults.before({ path: "/api/v2/organization_memberships" }, () => {
      world.users.changeRole(world.adminId, "agent");
    });
    // Neither is what they have by themselves.
    account.zendesk.faults.add(
      { path: /organization_memberships$/ },
      fault.changesRows("less", (rows) => rows.slice(0, 1)),
    );
    world.advance(HOUR);
    expect((await account.sync({ mode: "reconcile" })).verified).toBeUndefined();
    expect((await stored(account)).memberships).toEqual(memberships);
  });

  it.each([
    ["ends after an empty page", 3, 0],
    ["ends after half a page", 2, 60],
    ["is shorter by one in its midst", 2, 99],
  ])("keep all their memberships where the list of them %s (rows 16, 30)", async (_how, page, shown) => {
    const world = newWorld();
    const { id: organizationId } = world.organizations.create({ name: "A" });
    for (let n = 0; n < 350; n++) world.users.create({ name: `User ${n}`, organizationId });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await next(account, "reconcile");
    const { memberships } = await stored(account);
    expect(memberships).toHaveLength(350);
    const short = account.zendesk.faults.add(
      { path: "/api/v2/organization_memberships", page },
      fault.changesBody("cut", (body) => ({
        ...body,
        organization_memberships: (body.organization_memberships as unknown[]).slice(0, shown),
        ...(shown < 99 && { meta: { has_more: false, after_cursor: null, before_cursor: null } }),
      })),
    );
    world.advance(HOUR);
    const outcome = await account.sync({ mode: "reconcile" });
    expect(short.strikes).toBeGreaterThan(0);
    expect(outcome.streams.find(({ name }) => name === "users")).toMatchObject({ state: "degraded" });
    expect(outcome.verified).toBeUndefined();
    expect((await stored(account)).memberships).toEqual(memberships);
    short.remove();
    expect((await next(account, "reconcile")).verified).toBeDefined();
    await expectConverged(account, readAtNight);
  });

  it("by the hundreds lose their memberships with their organization, or by their own lists, in one night", async () => {
    const world = newWorld();
    const [gone, left] = ["Gone", "Left"].map((name) => world.organizations.create({ name }).id) as [string, string];
    const people = Array.from({ length: 350 }, (_, n) =>
      world.users.create({ name: `User ${n}`, organizationId: gone }),
    );
    for (const { id } of people.slice(0, 340)) world.users.join(id, left);
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await next(account, "reconcile");
    world.organizations.delete(gone);
    for (const { id } of people.slice(0, 320)) world.users.leave(id, left);
    world.advance(HOUR);
    const outcome = await account.sync({ mode: "reconcile" });
    expect(outcome.verified).toBeDefined();
    await expectConverged(account, readAtNight);
  });

  it.each([
    ["is empty", () => [], /it is empty, though people like \d+ belong to an organization/],
    [
      "shows next to nothing",
      (rows: Record<string, unknown>[]) => (rows.length > 10 ? rows.slice(0, 1) : []),
      /neither it nor their own list shows where people like \d+ belong/,
    ],
  ])("keep their memberships where everything that should list them %s (rows 30, 123)", async (_how, left, said) => {
    const { account } = await leavers(30);
    const { memberships } = await stored(account);
    const empty = account.zendesk.faults.add({ path: /organization_memberships$/ }, fault.changesRows("empty", left));
    const outcome = await account.sync({ mode: "reconcile" });
    expect(usersOf(outcome)).toMatchObject({
      state: "degraded",
      failure: { message: expect.stringMatching(said) },
    });
    expect(outcome.verified).toBeUndefined();
    expect((await stored(account)).memberships).toEqual(memberships);
    empty.remove();
    expect((await next(account, "reconcile")).verified).toBeDefined();
    await expectConverged(account, readAtNight);
  });

  it.each([
    ["is refused", fault.forbidden("titled")],
    ["fails", fault.status(500, {})],
    ["is a page for people", fault.html(404)],
    ["is a page of somebody else's", fault.notAPage("html")],
    ["breaks off", fault.reset("accept")],
    ["has moved", fault.redirect(302, "http://127.0.0.1:1")],
    ["wants to be paid for", fault.status(402, {})],
    ["is a colleague's", fault.changesRows("another's", (rows) => rows.map((row) => ({ ...row, id: 1, user_id: 2 })))],
    [
      "leads in a circle",
      fault.changesBody("circle", (body) => ({
        ...body,
        organization_memberships: [],
        meta: { has_more: true, after_cursor: "round" },
      })),
    ],
    [
      "does not end",
      fault.answers("endless", ({ query }) => ({
        status: 200,
        json: {
          organization_memberships: [{ id: 1, user_id: 2, organization_id: 3 }],
          meta: { has_more: true, after_cursor: `${query.get("page[after]") ?? ""}on` },
          links: {},
        },
      })),
    ],
  ])("lose what is over though one person's own list %s, which leaves that one in doubt", async (_how, broken) => {
    const { account, people, left } = await leavers(30);
    const one = people[3] as string;
    const active = account.zendesk.faults.add({ path: `/api/v2/users/${one}/organization_memberships` }, broken);
    const outcome = await account.sync({ mode: "reconcile" });
    expect(active.strikes).toBeLessThanOrEqual(10);
    expect(outcome.connectionFailure).toBeFalsy();
    expect(usersOf(outcome)).toMatchObject({
      state: "degraded",
      failure: { message: expect.stringContaining("it lacks what cannot be asked for otherwise") },
    });
    expect(outcome.verified).toBeUndefined();
    expect(await left()).toEqual([one]);
    active.remove();
    expect((await next(account, "reconcile")).verified).toBeDefined();
    await expectConverged(account, readAtNight);
  });

  it("are asked for once each, however often the asking has to wait", async () => {
    const { account, world, left } = await leavers(70);
    const own = /\/users\/\d+\/organization_memberships$/;
    account.zendesk.journal.clear();
    for (const nth of [30, 55])
      account.zendesk.faults.add({ path: own, nth }, fault.tooManyRequests({ retryAfter: "800" }), { times: 1 });
    let outcome = await account.sync({ mode: "reconcile" });
    const { runId } = outcome;
    let waits = 0;
    while (outcome.waitingUntil) {
      waits++;
      expect((await left()).length).toBeLessThan(70);
      world.advance(outcome.waitingUntil.getTime() - world.now());
      outcome = await account.sync({ mode: "reconcile", runId });
    }
    expect(waits).toBe(2);
    expect(outcome.verified).toBeDefined();
    expect(await left()).toEqual([]);
    const asked = account.zendesk.journal.entries.filter(({ path, status }) => own.test(path) && status === 200);
    // No more than those between two commits are asked for again.
    expect(asked.length).toBeLessThan(70 + 2 * 20);
  });

  it("are kept where a short list and the person's own agree, and the organization they have says otherwise", async () => {
    const world = newWorld();
    const [own, second] = ["Own", "Second"].map((name) => world.organizations.create({ name }).id) as [string, string];
    const { id: user } = world.users.create({ name: "Una", organizationId: own });
    world.users.join(user, second);
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await next(account, "reconcile");
    const { memberships } = await stored(account);
    expect(memberships).toHaveLength(2);
    const faults = [
      account.zendesk.faults.add(
        { path: "/api/v2/organization_memberships" },
        fault.changesRows("without the second", (rows) => rows.filter((row) => String(row.organization_id) === own)),
      ),
      account.zendesk.faults.add(
        { path: `/api/v2/users/${user}/organization_memberships` },
        fault.changesRows("empty", () => []),
      ),
    ];
    world.advance(HOUR);
    const outcome = await account.sync({ mode: "reconcile" });
    expect(usersOf(outcome)).toMatchObject({ state: "degraded" });
    expect(outcome.verified).toBeUndefined();
    expect((await stored(account)).memberships).toEqual(memberships);
    for (const active of faults) active.remove();
    expect((await next(account, "reconcile")).verified).toBeDefined();
  });

  it("are over with a person who is gone for good, and where the organization has ended without a new version", async () => {
    const { account, world, people } = await leavers(3);
    const [gone, silent] = people as [string, string];
    const drop = (user: string) => {
      for (const { id } of world.users.membershipsOf(user)) world.users.memberships.delete(id);
    };
    drop(gone);
    for (const path of [`/api/v2/users/${gone}`, `/api/v2/users/${gone}/organization_memberships`]) {
      const json = { error: "RecordNotFound", description: "Not found" };
      account.zendesk.faults.add({ path: new RegExp(`^${path}$`) }, fault.status(404, json));
    }
    account.zendesk.faults.add(
      { path: "/api/v2/users/show_many" },
      fault.changesRows("gone", (rows) => rows.filter((row) => String(row.id) !== gone)),
    );
    drop(silent);
    world.users.existing(silent).organizationId = null;
    expect((await next(account, "reconcile")).verified).toBeDefined();
    const members = (await stored(account)).memberships.map((row) => row.user_id);
    expect(members).toEqual([people[2]]);
  });

  it("are let go though a row without an id is in the list each night", async () => {
    const { account, left } = await leavers(3);
    account.zendesk.faults.add(
      { path: "/api/v2/organization_memberships" },
      fault.changesRows("nameless", (rows) => [{ ...rows[0], id: null }, ...rows]),
    );
    const outcome = await account.sync({ mode: "reconcile" });
    expect(outcome.connectionFailure).toBeFalsy();
    expect(await left()).toEqual([]);
  });

  it("are let go in the end though the list lacks those of many others each night", async () => {
    const { account, people, left, world } = await leavers(120);
    const hidden = new Set(people.slice(5));
    account.zendesk.faults.add(
      { path: "/api/v2/organization_memberships" },
      fault.changesRows("short", (rows) => rows.filter((row) => !hidden.has(String(row.user_id)))),
    );
    const own = () => account.zendesk.journal.entries.filter(({ path }) => /users\/\d+\/org/.test(path)).length;
    for (let night = 0; night < 12 && (await left()).length > 0; night++) {
      const before = own();
      const outcome = await account.sync({ mode: "reconcile" });
      expect(outcome.verified).toBeUndefined();
      expect(own() - before).toBeLessThan(80);
      world.advance(DAY);
    }
    expect(await left()).toEqual([]);
  });

  it("are settled by the turn that has its role back, before anything is called verified (row 63)", async () => {
    const { account, world, left } = await leavers(3);
    const own = { path: /\/users\/\d+\/organization_memberships$/ };
    account.zendesk.faults.before(own, () => void world.users.changeRole(world.adminId, "agent"), { times: 1 });
    const wait = fault.tooManyRequests({ retryAfter: "800" });
    // The first such question finds that the role has fallen; the last of the night waits.
    let asked = 0;
    const when = () => world.users.existing(world.adminId).role === "agent" && ++asked === 2;
    account.zendesk.faults.add({ path: "/api/v2/users/me", when }, wait, { times: 1 });
    const first = await account.sync({ mode: "reconcile" });
    expect(first.waitingUntil).toBeDefined();
    expect(await left()).toHaveLength(3);
    world.users.changeRole(world.adminId, "admin");
    world.advance((first.waitingUntil?.getTime() ?? 0) - world.now());
    const second = await account.sync({ mode: "reconcile", runId: first.runId });
    expect(second.waitingUntil).toBeFalsy();
    expect(await left()).toEqual([]);
  });

  it("that the list lacks and their own list shows are stored, and the list is in doubt", async () => {
    const world = newWorld();
    const { id: own } = world.organizations.create({ name: "Own" });
    const { id: user } = world.users.create({ name: "Una", organizationId: own });
    world.users.create({ name: "Neighbour", organizationId: own });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await next(account, "reconcile");
    world.users.update(user, { organizationId: own });
    const [back] = world.users.membershipsOf(user);
    world.advance(5 * MINUTE);
    const short = account.zendesk.faults.add(
      { path: "/api/v2/organization_memberships" },
      fault.changesRows("short", (rows) => rows.filter((row) => String(row.user_id) !== user)),
    );
    world.advance(HOUR);
    const outcome = await account.sync({ mode: "reconcile" });
    expect(outcome.verified).toBeUndefined();
    expect(usersOf(outcome)).toMatchObject({
      state: "degraded",
      failure: { message: expect.stringContaining(`it lacks membership ${back?.id}, which is there`) },
    });
    await expectConverged(account, readAtNight);
    short.remove();
    expect((await next(account, "reconcile")).verified).toBeDefined();
  });

  it("that begin in the midst of the night are stored with those that are asked for, and nothing is in doubt", async () => {
    const { account, world, people } = await leavers(3);
    const [user] = people as [string];
    const later = world.organizations.create({ name: "Later" }).id;
    world.advance(HOUR);
    account.zendesk.faults.before(
      { path: `/api/v2/users/${user}/organization_memberships` },
      () => void world.users.join(user, later),
      { times: 1 },
    );
    expect((await account.sync({ mode: "reconcile" })).verified).toBeDefined();
    const rows = (await stored(account)).memberships.filter((row) => row.user_id === user);
    expect(rows.map((row) => row.organization_id)).toContain(later);
  });

  it("that the list shows without an id stay, also where their own list is short", async () => {
    const world = newWorld();
    const [own, second] = ["Own", "Second"].map((name) => world.organizations.create({ name }).id) as [string, string];
    const { id: user } = world.users.create({ name: "Una", organizationId: own });
    world.users.join(user, second);
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await next(account, "reconcile");
    const { memberships } = await stored(account);
    const isSecond = (row: Record<string, unknown>) => String(row.organization_id) === second;
    account.zendesk.faults.add(
      { path: "/api/v2/organization_memberships" },
      fault.changesRows("nameless", (rows) => rows.map((row) => (isSecond(row) ? { ...row, id: null } : row))),
    );
    account.zendesk.faults.add(
      { path: `/api/v2/users/${user}/organization_memberships` },
      fault.changesRows("short", (rows) => rows.filter((row) => !isSecond(row))),
    );
    world.advance(HOUR);
    await account.sync({ mode: "reconcile" });
    expect((await stored(account)).memberships).toEqual(memberships);
  });

  it.each([
    ["nothing", 2],
    ["another organization alone", 1],
  ])(
    "of people who have no organization as stored, and show %s, are let go only where their own address agrees",
    async (_what, hide) => {
      const world = newWorld();
      const [own, second, third] = ["Own", "Second", "Third"].map(
        (name) => world.organizations.create({ name }).id,
      ) as [string, string, string];
      const hidden = [own, second].slice(0, hide);
      const old = () => world.users.create({ name: "Una", organizationId: own });
      const { id: user } = world.at("2024-05-01T00:00:00Z", old);
      world.at("2024-05-01T00:00:01Z", () => world.users.join(user, second));
      world.users.create({ name: "Neighbour", organizationId: third });
      world.advance(5 * MINUTE);
      const account = await connect(database, world);
      await next(account, "reconcile");
      const { memberships } = await stored(account);
      // Somebody whose present version never came, and who is too old to be compared.
      await account.read((trx) =>
        trx.updateTable("zendesk_user").set({ organization_id: null }).where("id", "=", user).execute(),
      );
      account.zendesk.faults.add(
        { path: /organization_memberships$/ },
        fault.changesRows("without", (rows) => rows.filter((row) => !hidden.includes(String(row.organization_id)))),
      );
      world.advance(HOUR);
      expect((await account.sync({ mode: "reconcile" })).verified).toBeUndefined();
      expect((await stored(account)).memberships).toEqual(memberships);
    },
  );

  it("are let go bit by bit where no turn has the time for more than one person", async () => {
    const { account, world, left } = await leavers(7);
    const own = /\/users\/\d+\/organization_memberships$/;
    let isLate = false;
    account.zendesk.faults.before({ path: own }, () => {
      isLate = true;
    });
    let outcome = await account.sync({ mode: "reconcile", deadline: () => isLate });
    for (let turns = 1; outcome.waitingUntil && turns < 10; turns++) {
      expect(await left()).toHaveLength(7 - turns);
      isLate = false;
      world.advance(MINUTE);
      outcome = await account.sync({ mode: "reconcile", runId: outcome.runId, deadline: () => isLate });
    }
    expect(outcome.verified).toBeDefined();
    expect(await left()).toEqual([]);
  });

  it("are over where the list is rightly empty, though somebody's stored version says otherwise", async () => {
    const world = newWorld();
    const { id: own } = world.organizations.create({ name: "Own" });
    const { id: user } = world.at("2024-05-01T00:00:00Z", () =>
      world.users.create({ name: "Una", organizationId: own }),
    );
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await next(account, "reconcile");
    expect((await stored(account)).memberships).toHaveLength(1);
    // Ended without a new version of the person.
    for (const { id } of world.users.membershipsOf(user)) world.users.memberships.delete(id);
    world.users.existing(user).organizationId = null;
    expect((await next(account, "reconcile")).verified).toBeDefined();
    expect((await stored(account)).memberships).toEqual([]);
  });
});
