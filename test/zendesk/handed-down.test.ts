import { describe, expect, it } from "vitest";
import type { StreamName } from "#lib/connections/shapes.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR, SECOND } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { readAtNight } from "#test/zendesk/compared.ts";
import { expectConverged } from "#test/zendesk/stored.ts";

const database = useDatabase();
const exported = "/api/v2/incremental/tickets/cursor";
const listed = "/api/v2/organization_memberships";

/** Pages of at most so many rows, whatever is asked for. */
const smallPages = (rows: number) =>
  fault.inTheMoment("small pages", ({ query }) => query.set("per_page", String(rows)));
const endOf = (outcome: Awaited<ReturnType<Account["sync"]>>, stream: StreamName) =>
  outcome.streams.find(({ name }) => name === stream);

function worldOf(tickets: number, members = 0): World {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  const organization = world.organizations.create({ name: "Acme" });
  for (let n = 0; n < tickets; n++) {
    world.tickets.create({ subject: `Ticket ${n}` });
    world.advance(SECOND);
  }
  for (let n = 0; n < members; n++) world.users.create({ name: `Member ${n}`, organizationId: organization.id });
  world.advance(HOUR);
  return world;
}
const night = (account: Account, after = DAY) => {
  account.world.advance(after);
  return account.sync({ mode: "reconcile" });
};
const memberships = (account: Account) =>
  account.read(async (trx) => {
    const rows = await trx.selectFrom("organization_membership").select("id").execute();
    return rows.length;
  });

describe("a place that one run hands down to the next", () => {
  it("is given up as often in each run as in the first, and does not fail its stream for good (rows 15, 20)", async () => {
    const account = await connect(database, worldOf(60));
    account.zendesk.faults.add({ path: exported }, smallPages(10));
    // Every second page loses its cursor: again and again, and each time a good page lies between.
    const forgetful = account.zendesk.faults.add(
      { path: exported, when: ({ query }) => query.has("cursor") },
      fault.cursorRejected(422),
    );
    expect(endOf(await account.sync(), "tickets")).toMatchObject({ state: "failed" });
    expect(endOf(await account.sync(), "tickets")).toMatchObject({ state: "failed" });
    forgetful.remove();
    // What the last run stored as its place is taken by nobody.
    account.zendesk.faults.add({ path: exported }, fault.cursorRejected(422), { times: 1 });
    expect(endOf(await account.sync(), "tickets")).toMatchObject({ state: "ok" });
    await expectConverged(account);
  });

  it("in the list of memberships is begun anew where Zendesk takes it no more (row 15)", async () => {
    const account = await connect(database, worldOf(3, 250));
    const second = { path: listed, when: ({ query }: { query: URLSearchParams }) => query.has("page[after]") };
    const closed = account.zendesk.faults.add(second, fault.forbidden("titled"));
    expect((await night(account)).verified).toBeUndefined();
    closed.remove();
    account.zendesk.faults.add(second, fault.cursorRejected(422), { times: 1 });
    const outcome = await night(account, 4 * DAY);
    expect(endOf(outcome, "users")).toMatchObject({ state: "ok" });
    expect(outcome.verified).toBeDefined();
    await expectConverged(account, readAtNight);
  });

  it("in the list of memberships that is taken no more goes with what was seen, whatever comes next (row 30)", async () => {
    const account = await connect(database, worldOf(3, 250));
    await night(account);
    const second = { path: listed, when: ({ query }: { query: URLSearchParams }) => query.has("page[after]") };
    const closed = account.zendesk.faults.add(second, fault.forbidden("titled"));
    await night(account);
    closed.remove();
    const unknown = account.zendesk.faults.add({ path: listed }, fault.status(404, { error: "InvalidEndpoint" }));
    expect((await night(account)).verified).toBeUndefined();
    unknown.remove();
    expect((await night(account)).verified).toBeDefined();
    expect(await memberships(account)).toBe(250);
    await expectConverged(account, readAtNight);
  });

  it("in the list of memberships keeps what the first run has seen: nobody leaves an organization for it (row 30)", async () => {
    const account = await connect(database, worldOf(3, 250));
    await night(account);
    const all = await memberships(account);
    expect(all).toBe(250);
    const closed = account.zendesk.faults.add(
      { path: listed, when: ({ query }) => query.has("page[after]") },
      fault.forbidden("titled"),
    );
    expect((await night(account)).verified).toBeUndefined();
    closed.remove();
    expect((await night(account)).verified).toBeDefined();
    expect(await memberships(account)).toBe(all);
    await expectConverged(account, readAtNight);
  });

  it("in the list of memberships is none: what changed since the first run is not verified unseen", async () => {
    const account = await connect(database, worldOf(3, 250));
    const { world } = account;
    await night(account);
    const closed = account.zendesk.faults.add(
      { path: listed, when: ({ query }) => query.has("page[after]") },
      fault.forbidden("titled"),
    );
    expect((await night(account)).verified).toBeUndefined();
    closed.remove();
    const [acme] = world.organizations.list();
    const other = world.organizations.create({ name: "Other" }).id;
    for (const { userId } of [...world.users.memberships.values()].slice(0, 20)) {
      world.users.join(userId, other);
      world.users.makeDefault(userId, other);
    }
    for (const { userId } of [...world.users.memberships.values()].slice(20, 40))
      world.users.leave(userId, acme?.id as string);
    expect((await night(account)).verified).toBeDefined();
    await expectConverged(account, readAtNight);
    const { position } = await account.read((trx) =>
      trx
        .selectFrom("stream_state")
        .select("position")
        .where("purpose", "=", "memberships")
        .where("connection_id", "=", account.connectionId)
        .executeTakeFirstOrThrow(),
    );
    // What was given up is recorded as begun again (INV-CURSOR).
    expect(JSON.parse(position ?? "")).toMatchObject({ restarts: 1, rows: 250 });
  });

  it("in a comparison keeps what the first run has seen: nothing looks absent for it, and all is counted (rows 23, 30)", async () => {
    const account = await connect(database, worldOf(60));
    await account.sync();
    account.zendesk.faults.add({ path: exported }, smallPages(20));
    const closed = account.zendesk.faults.add({ path: exported, page: 3 }, fault.forbidden("titled"));
    const refused = await night(account);
    expect(endOf(refused, "tickets")).toMatchObject({ state: "failed" });
    closed.remove();
    const outcome = await night(account);
    expect(endOf(outcome, "tickets")).toEqual({ name: "tickets", state: "ok" });
    expect(outcome.verified).toMatchObject({ tickets: 60, repaired: 0 });
    const extra = await account.read((trx) =>
      trx
        .selectFrom("drift_day")
        .select("extra")
        .where("run_id", "=", outcome.runId)
        .where("extra", ">", "0")
        .execute(),
    );
    expect(extra).toEqual([]);
    await expectConverged(account);
  });
});
