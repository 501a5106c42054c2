import { expect, it } from "vitest";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged, stored } from "#test/zendesk/stored.ts";

/* What is asked for beside the rows: when a ticket was solved, and how often it was reopened (zendesk-api section 3.6). */

const database = useDatabase();
const path = "/api/v2/incremental/tickets/cursor";

const without = fault.changesRows("without metric sets", (rows) => rows.map(({ metric_set, ...row }) => row));
const ticketsOf = (outcome: Awaited<ReturnType<Account["sync"]>>) =>
  outcome.streams.find(({ name }) => name === "tickets");

/** Three solved tickets, a few minutes old and read. */
async function caughtUp(): Promise<Account> {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  for (let n = 0; n < 3; n++) world.tickets.solve(world.tickets.create({ subject: `Ticket ${n}` }).id);
  world.advance(10 * MINUTE);
  const account = await connect(database, world);
  await account.sync();
  await expectConverged(account);
  account.zendesk.journal.clear();
  return account;
}

it("that is missing in an answer takes nothing away from what is stored", async () => {
  const account = await caughtUp();
  const { world } = account;
  const before = (await stored(account)).tickets;
  account.zendesk.faults.add({ path }, without);
  expect(ticketsOf(await account.sync())).toEqual({ name: "tickets", state: "ok" });
  expect(account.zendesk.journal.to(path)).toHaveLength(1);
  const metrics = ({ id, solved_at, reopens }: (typeof before)[number]) => ({ id, solved_at, reopens });
  expect((await stored(account)).tickets.map(metrics)).toEqual(before.map(metrics));
  const [first] = [...world.tickets.byId.keys()] as [string];
  world.tickets.update(first, { subject: "Another" });
  world.advance(10 * MINUTE);
  expect(ticketsOf(await account.sync())?.state).toBe("ok");
  const after = (await stored(account)).tickets;
  expect(after.map(metrics)).toEqual(before.map(metrics));
  expect(after.find(({ id }) => id === first)?.subject).toBe("Another");
  account.zendesk.faults.clear();
  // What was read lately is read again.
  world.advance(MINUTE);
  await account.sync();
  await expectConverged(account);
});

it("that an account has never told is unknown, and keeps no ticket away (row 56)", async () => {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  world.tickets.solve(world.tickets.create({ subject: "Solved some time" }).id);
  world.advance(10 * MINUTE);
  const account = await connect(database, world);
  account.zendesk.faults.add({ path }, without);
  expect(ticketsOf(await account.sync())).toEqual({ name: "tickets", state: "ok" });
  expect((await stored(account)).tickets).toMatchObject([{ status: "solved", solved_at: null, reopens: null }]);
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
