import { expect, it } from "vitest";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { link } from "#test/webhooks/linked.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged, stored } from "#test/zendesk/stored.ts";

/* What is asked for beside the rows: when a ticket was solved, and how often it was reopened (zendesk-api section 3.6). */

const database = useDatabase();
const path = "/api/v2/incremental/tickets/cursor";

const without = fault.changesRows("without metric sets", (rows) => rows.map(({ metric_set, ...row }) => row));
const withoutOf = (id: string) =>
  fault.changesRows("one without", (rows) =>
    rows.map(({ metric_set, ...row }) => (String(row.id) === id ? row : { ...row, metric_set })),
  );
const ticketsOf = (outcome: Awaited<ReturnType<Account["sync"]>>) =>
  outcome.streams.find(({ name }) => name === "tickets");

const metricsOf = async (account: Account) =>
  (await stored(account)).tickets.map(({ id, solved_at, reopens }) => ({ id, solved_at, reopens }));
const differences = (account: Account, runId: string) =>
  account.read((trx) =>
    trx
      .selectFrom("drift_row")
      .select(["row_key", "difference", "repaired", "columns"])
      .where("run_id", "=", runId)
      .where("stream", "=", "tickets")
      .execute(),
  );
const missingMetrics = { name: "tickets", state: "degraded", failure: { code: "missing_metrics" } };

/** Solved tickets, as many as wanted. */
function worldOf(tickets: number, { age = 10 * MINUTE, exportPage = 1000 } = {}): World {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z", settings: { exportPage } });
  for (let n = 0; n < tickets; n++) world.tickets.solve(world.tickets.create({ subject: `Ticket ${n}` }).id);
  world.advance(age);
  return world;
}

/** Three solved tickets, a few minutes old and read. */
async function caughtUp(): Promise<Account> {
  const account = await connect(database, worldOf(3));
  await account.sync();
  await expectConverged(account);
  account.zendesk.journal.clear();
  return account;
}

it("that is missing in an answer takes nothing away from what is stored, and is said until it has come", async () => {
  const account = await caughtUp();
  const { world } = account;
  const before = await metricsOf(account);
  account.zendesk.faults.add({ path }, without);
  expect(ticketsOf(await account.sync())).toMatchObject(missingMetrics);
  expect(await metricsOf(account)).toEqual(before);
  const [first] = [...world.tickets.byId.keys()] as [string];
  world.tickets.update(first, { subject: "Another" });
  world.advance(10 * MINUTE);
  expect(ticketsOf(await account.sync())).toMatchObject(missingMetrics);
  expect(await metricsOf(account)).toEqual(before);
  expect((await stored(account)).tickets.find(({ id }) => id === first)?.subject).toBe("Another");
  account.zendesk.faults.clear();
  // What was read lately is read again.
  world.advance(MINUTE);
  expect(ticketsOf(await account.sync())).toEqual({ name: "tickets", state: "ok" });
  await expectConverged(account);
});

it.each([1, 2])("that is missing %i times is asked for again, and nothing of it is unknown", async (times) => {
  const account = await connect(database, worldOf(3));
  account.zendesk.faults.add({ path }, without, { times });
  expect(ticketsOf(await account.sync())).toEqual({ name: "tickets", state: "ok" });
  expect(account.zendesk.journal.to(path)).toHaveLength(1 + times);
  await expectConverged(account);
});

it("that cannot be asked for again keeps no page away", async () => {
  const account = await connect(database, worldOf(1001, { age: 3 * HOUR }));
  const { world, zendesk } = account;
  zendesk.faults.add({ path }, without, { times: 1 });
  zendesk.faults.add({ path, nth: 2 }, fault.tooManyRequests({ retryAfter: "3600", body: "incremental" }));
  const { runId, waitingUntil } = await account.sync();
  expect((await stored(account)).tickets).toHaveLength(1000);
  world.advance((waitingUntil as Date).getTime() - world.now());
  // The last page tells that the account has what the first one lacked.
  expect(ticketsOf(await account.sync({ runId }))).toMatchObject(missingMetrics);
  expect((await stored(account)).tickets).toHaveLength(1001);
  await account.sync();
  await expectConverged(account);
});

it("that a reading missed lately is asked for by the next run, however long ago that was", async () => {
  const account = await connect(database, worldOf(3, { age: 3 * HOUR }));
  const { world, zendesk } = account;
  zendesk.faults.add({ path }, without, { times: 3 });
  // Nothing tells yet that the account has it at all.
  expect(ticketsOf(await account.sync())?.state).toBe("ok");
  expect((await metricsOf(account))[0]).toMatchObject({ solved_at: null, reopens: null });
  world.advance(4 * HOUR);
  expect(ticketsOf(await account.sync())).toEqual({ name: "tickets", state: "ok" });
  await expectConverged(account);
});

it("that a reading missed of what is older is said until the night, or a full reading, has brought it", async () => {
  const account = await connect(database, worldOf(3, { age: 3 * DAY }));
  const { world, zendesk } = account;
  for (const mode of ["reconcile", "full"] as const) {
    zendesk.faults.add({ path }, without, { times: 3 });
    await account.sync({ mode: "full" });
    world.advance(3 * HOUR);
    world.tickets.solve(world.tickets.create({ subject: "Later" }).id);
    world.advance(HOUR);
    expect(ticketsOf(await account.sync())).toMatchObject(missingMetrics);
    world.advance(HOUR);
    expect(ticketsOf(await account.sync({ mode }))).toEqual({ name: "tickets", state: "ok" });
    await expectConverged(account);
    world.advance(2 * DAY);
  }
});

it("that a reading missed is not made good by one of what is older still", async () => {
  const world = worldOf(1, { age: HOUR, exportPage: 1 });
  const solvedAt = (when: string, subject: string) =>
    world.at(when, () => world.tickets.solve(world.tickets.create({ subject }).id));
  solvedAt("2025-11-02T09:00:00Z", "Long ago");
  solvedAt("2026-02-27T09:00:00Z", "Three days ago");
  world.advance(2 * DAY);
  const account = await connect(database, world, { history: { history_days: 30 } });
  await account.sync();
  const bare = account.zendesk.faults.add({ path }, without);
  await account.sync({ mode: "full" });
  bare.remove();
  world.advance(3 * HOUR);
  expect(ticketsOf(await account.sync({ connection: { history_days: 365 } }))).toMatchObject(missingMetrics);
  expect((await stored(account)).tickets).toHaveLength(3);
});

it("that an account has never told is unknown, keeps no ticket away, and is asked for again twice a reading (row 56)", async () => {
  const account = await connect(database, worldOf(2001));
  account.zendesk.faults.add({ path }, without);
  expect(ticketsOf(await account.sync())).toEqual({ name: "tickets", state: "ok" });
  expect(account.zendesk.journal.to(path)).toHaveLength(3 + 2);
  const { tickets } = await stored(account);
  expect(tickets).toHaveLength(2001);
  expect(tickets[0]).toMatchObject({ status: "solved", solved_at: null, reopens: null });
});

it("that is null in an answer is no word either (row 56)", async () => {
  const account = await caughtUp();
  const before = await metricsOf(account);
  const empty = fault.changesRows("null metric sets", (rows) => rows.map((row) => ({ ...row, metric_set: null })));
  account.zendesk.faults.add({ path }, empty);
  expect(ticketsOf(await account.sync({ mode: "full" }))).toMatchObject(missingMetrics);
  expect(await metricsOf(account)).toEqual(before);
});

it("that one row of a page lacks is kept of that row alone", async () => {
  const account = await caughtUp();
  const { world } = account;
  const [first, second] = [...world.tickets.byId.keys()] as [string, string];
  const before = await metricsOf(account);
  account.zendesk.faults.add({ path }, withoutOf(first));
  world.tickets.update(first, { subject: "Another" });
  world.tickets.update(second, { status: "open" });
  world.advance(HOUR);
  expect(ticketsOf(await account.sync())).toEqual({ name: "tickets", state: "ok" });
  const after = await metricsOf(account);
  expect((await stored(account)).tickets.map(({ subject }) => subject)).toContain("Another");
  expect(after.find(({ id }) => id === first)).toEqual(before.find(({ id }) => id === first));
  expect(after.find(({ id }) => id === second)).toMatchObject({ reopens: 1 });
});

it("that answers by id lack leaves the ticket as the export told it", async () => {
  const linked = await link(database, worldOf(3));
  const { world } = linked;
  await linked.check();
  await linked.sync();
  const before = await metricsOf(linked);
  expect(before[0]?.solved_at).not.toBeNull();
  const [first] = [...world.tickets.byId.keys()] as [string];
  linked.zendesk.faults.add({ path: /^\/api\/v2\/tickets\// }, without);
  world.tickets.update(first, { subject: "Another" });
  await linked.zendesk.webhooks.deliver();
  await linked.drain();
  expect((await stored(linked)).tickets.find(({ id }) => id === first)?.subject).toBe("Another");
  expect(await metricsOf(linked)).toEqual(before);
  world.advance(HOUR);
  await linked.sync();
  await expectConverged(linked);
  // In the version that the export has brought it is the same ticket.
  const told = (await stored(linked)).tickets;
  await linked.take(linked.signed(`{"type":"zen:event-type:ticket.created","detail":{"id":"${first}"}}`));
  await linked.drain();
  expect((await stored(linked)).tickets).toEqual(told);
  world.advance(HOUR);
  expect((await linked.sync({ mode: "reconcile" })).verified).toMatchObject({ repaired: 0 });
});

it("that a night misses is no difference, and is not vouched for; the next one reads it", async () => {
  const account = await caughtUp();
  const { world, zendesk } = account;
  const [first] = [...world.tickets.byId.keys()] as [string];
  const before = (await stored(account)).tickets;
  for (let n = 0; n < 2; n++) {
    world.advance(DAY);
    zendesk.faults.add({ path }, without);
    const night = await account.sync({ mode: "reconcile" });
    expect(ticketsOf(night)).toMatchObject(missingMetrics);
    expect(night.verified).toBeUndefined();
    expect(await differences(account, night.runId)).toEqual([]);
    expect((await stored(account)).tickets).toEqual(before);
  }
  // What else differs is put right.
  await account.read((trx) => trx.updateTable("ticket").set({ priority: "urgent" }).where("id", "=", first).execute());
  world.advance(DAY);
  const mending = await account.sync({ mode: "reconcile" });
  expect(await differences(account, mending.runId)).toEqual([
    { row_key: first, difference: "different", repaired: true, columns: ["priority"] },
  ]);
  zendesk.faults.clear();
  world.advance(DAY);
  const whole = await account.sync({ mode: "reconcile" });
  expect(ticketsOf(whole)).toEqual({ name: "tickets", state: "ok" });
  expect(whole.verified).toMatchObject({ tickets: 3 });
  await expectConverged(account);
});

it("that is missing leaves the solve in the timeline of a ticket without events", async () => {
  const account = await connect(database, worldOf(2));
  const { world, zendesk } = account;
  zendesk.faults.add({ path: "/api/v2/incremental/ticket_events" }, fault.status(403));
  await account.sync();
  const solves = () =>
    account.read((trx) =>
      trx.selectFrom("timeline_entry").select("occurred_at").where("kind", "=", "ticket_solved").execute(),
    );
  const before = await solves();
  expect(before).toHaveLength(2);
  const [first] = [...world.tickets.byId.keys()] as [string];
  zendesk.faults.add({ path }, withoutOf(first));
  world.tickets.update(first, { priority: "high" });
  world.advance(HOUR);
  await account.sync();
  expect((await stored(account)).tickets[0]?.priority).toBe("high");
  expect(await solves()).toEqual(before);
});

it("is not missed of tickets that are deleted, nor of a row that is hardly one (rows 25, 56)", async () => {
  const account = await caughtUp();
  const { world } = account;
  const [gone, odd] = [...world.tickets.byId.keys()] as [string, string];
  // What is read again of the past is over, too.
  world.advance(HOUR);
  await account.sync();
  world.tickets.delete(gone);
  world.tickets.systemTouch(odd);
  world.distort("ticket", odd, ({ id, generated_timestamp }) => ({ id, generated_timestamp }));
  world.advance(HOUR);
  account.zendesk.faults.add({ path }, without);
  expect(ticketsOf(await account.sync())).toEqual({ name: "tickets", state: "ok" });
  expect((await stored(account)).tickets.find(({ id }) => id === gone)?.deleted_at).not.toBeNull();
});
