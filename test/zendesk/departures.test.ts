import { expect, it } from "vitest";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged } from "#test/zendesk/stored.ts";

/* Organizations that rows have left: what is noted of them until it is known whether they live (rows 40, 41). */

const database = useDatabase();
const organizationsExport = "/api/v2/incremental/organizations";

/** Organizations, an hour apart, each with a person in it; read by pages of so many rows. */
async function read(count: number, { exportPage = 1000 } = {}) {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z", settings: { exportPage } });
  const winner = world.organizations.create({ name: "Winner" }).id;
  const ids = Array.from({ length: count }, (_, n) => {
    world.advance(HOUR);
    const { id } = world.organizations.create({ name: `Of ${n}` });
    world.users.create({ name: `U${n}`, organizationId: id });
    return id;
  });
  world.advance(HOUR);
  const account = await connect(database, world);
  await account.sync();
  return { world, account, winner, ids };
}

const noted = (account: Account) =>
  account.read((trx) => trx.selectFrom("departure").select("organization_id").orderBy("organization_id").execute());

const gone = (account: Account) =>
  account.read((trx) =>
    trx
      .selectFrom("organization")
      .select(["id", "merged_into"])
      .where("connection_id", "=", account.connectionId)
      .where("deleted_at", "is not", null)
      .orderBy("id")
      .execute(),
  );

async function next(account: Account, after = HOUR) {
  account.world.advance(after);
  account.zendesk.journal.clear();
  return account.sync();
}

/** A merge as it goes: whoever was in it moves at once, and it ends later. */
function empty(world: World, from: string, to: string): void {
  for (const user of world.users.byId.values())
    if (user.organizationId === from) world.users.update(user.id, { organizationId: to });
}

it("are asked about again while they live, since a merge takes its time", async () => {
  const { world, account, winner, ids } = await read(3);
  const [loser] = ids as [string];
  empty(world, loser, winner);
  await next(account);
  expect(await gone(account)).toEqual([]);
  expect(await noted(account)).toEqual([{ organization_id: loser }]);
  world.organizations.merge(loser, winner);
  await next(account);
  expect(await gone(account)).toEqual([{ id: loser, merged_into: winner }]);
  expect(await noted(account)).toEqual([]);
  await expectConverged(account);
});

it("count until somebody is left in it no more: the pointer follows most rows, not those that came last", async () => {
  const { world, account, winner, ids } = await read(1);
  const [loser] = ids as [string];
  const people = Array.from({ length: 6 }, (_, n) => world.users.create({ name: `P${n}`, organizationId: loser }).id);
  world.advance(HOUR);
  await account.sync();
  const late = account.zendesk.faults.add(
    { path: "/api/v2/incremental/users" },
    fault.changesRows("one not yet", (rows) => rows.filter(({ id }) => String(id) !== people[0])),
  );
  world.organizations.delete(loser);
  await next(account);
  expect(await gone(account)).toEqual([]);
  expect(await noted(account)).toContainEqual({ organization_id: loser });
  late.remove();
  world.users.update(people[0] as string, { organizationId: winner });
  await next(account);
  await next(account);
  expect(await gone(account)).toEqual([{ id: loser, merged_into: null }]);
  await expectConverged(account);
});

it("of organizations that are known to be gone are asked about no more, though somebody leaves them later", async () => {
  const world = new World({
    subdomain: "acme",
    clock: "2026-03-02T09:00:00Z",
    settings: { deletedOrganizationsInExport: true },
  });
  const { id } = world.organizations.create({ name: "Gone" });
  world.users.create({ name: "U", organizationId: id });
  world.advance(HOUR);
  const account = await connect(database, world);
  await account.sync();
  world.organizations.delete(id);
  await next(account);
  expect(await gone(account)).toMatchObject([{ id }]);
  await next(account);
  expect(await noted(account)).toEqual([]);
  account.zendesk.journal.clear();
  await next(account);
  expect(account.zendesk.journal.to(`/api/v2/organizations/${id}`)).toEqual([]);
});

it("are judged a few in each run, however far apart the export has them, and no run waits for the others", async () => {
  const { world, account, winner, ids } = await read(104, { exportPage: 5 });
  const losers = ids.filter((_, n) => n % 8 === 0);
  for (const id of losers) world.organizations.merge(id, winner);
  const left: number[] = [];
  for (let run = 0; run < 8 && left.at(-1) !== 0; run++) {
    const { waitingUntil } = await next(account, 20 * MINUTE);
    expect(waitingUntil).toBeUndefined();
    // The stream itself reads its newest pages; the looks at the past come on top.
    expect(account.zendesk.journal.to(organizationsExport).length).toBeLessThanOrEqual(16);
    left.push(losers.length - (await gone(account)).length);
  }
  expect(left.at(-1)).toBe(0);
  expect(left.length).toBeGreaterThan(1);
  for (const [at, count] of left.entries()) expect(count).toBeLessThan(left[at - 1] ?? losers.length);
  expect((await gone(account)).map((row) => row.merged_into)).toEqual(losers.map(() => winner));
  await expectConverged(account);
});

it("wait for the next run when Zendesk asks for a wait after some were judged", async () => {
  const { world, account, winner, ids } = await read(40, { exportPage: 5 });
  const [first, second] = [ids[4], ids[30]] as [string, string];
  for (const id of [first, second, ...ids.slice(10, 12)]) world.organizations.merge(id, winner);
  let pages = 0;
  const busy = account.zendesk.faults.add(
    { path: organizationsExport, when: () => ++pages > 4 },
    fault.tooManyRequests({ retryAfter: "600", body: "incremental" }),
  );
  const outcome = await next(account, 20 * MINUTE);
  expect(outcome.waitingUntil).toBeUndefined();
  expect(outcome.streams.filter(({ state }) => state !== "ok")).toEqual([]);
  expect((await gone(account)).length).toBeGreaterThan(0);
  expect((await noted(account)).length).toBeGreaterThan(0);
  busy.remove();
  await next(account);
  expect(await noted(account)).toEqual([]);
  await expectConverged(account);
});

it("of which one is never answered for keep their turn", async () => {
  const { world, account, winner, ids } = await read(30);
  const [stuck, ...others] = ids as [string, ...string[]];
  for (const id of ids) world.organizations.merge(id, winner);
  const silent = account.zendesk.faults.add({ path: `/api/v2/organizations/${stuck}` }, fault.status(500));
  const outcome = await next(account);
  expect(await gone(account)).toEqual(others.map((id) => ({ id, merged_into: winner })));
  expect(outcome.streams.find(({ name }) => name === "organizations")).toMatchObject({ state: "degraded" });
  expect(await noted(account)).toEqual([{ organization_id: stuck }]);
  silent.remove();
  await next(account);
  expect(await gone(account)).toHaveLength(30);
});

it("are kept until they were asked about, however long nobody could ask", async () => {
  const { world, account, winner, ids } = await read(3);
  const [loser] = ids as [string];
  const deaf = account.zendesk.faults.add({ path: "/api/v2/organizations/show_many" }, fault.unauthorized());
  world.organizations.merge(loser, winner);
  expect((await next(account)).connectionFailure).toBeDefined();
  deaf.remove();
  await next(account, 5 * DAY);
  expect(await gone(account)).toEqual([{ id: loser, merged_into: winner }]);
  await expectConverged(account);
});

it("of organizations that are young are judged later: a replica that lags shows them neither by id nor in the export", async () => {
  const { world, account, winner } = await read(1);
  const { id } = world.organizations.create({ name: "Young" });
  const user = world.users.create({ name: "Only one", organizationId: id });
  await next(account, 5 * MINUTE);
  world.users.update(user.id, { organizationId: winner });
  const lagging = [
    account.zendesk.faults.add({ path: organizationsExport }, without(id)),
    account.zendesk.faults.add({ path: "/api/v2/organizations/show_many" }, without(id)),
    account.zendesk.faults.add({ path: `/api/v2/organizations/${id}` }, fault.status(404, { error: "RecordNotFound" })),
  ];
  await next(account, 5 * MINUTE);
  expect(await gone(account)).toEqual([]);
  for (const one of lagging) one.remove();
  await next(account);
  await expectConverged(account);
});

const without = (id: string) => fault.changesRows("without one", (rows) => rows.filter((row) => String(row.id) !== id));
