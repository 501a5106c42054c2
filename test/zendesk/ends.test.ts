import { describe, expect, it } from "vitest";
import type { StreamName } from "#lib/connections/shapes.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged } from "#test/zendesk/stored.ts";

/* Where a list says that it ends (rows 14, 16). */

const database = useDatabase();
/** Rows of a page: a reading begins with one half as large again as was kept. */
const size = 15;
const kept = 10;

const exports = {
  tickets: { path: "/api/v2/incremental/tickets/cursor", stream: "tickets" },
  users: { path: "/api/v2/incremental/users/cursor", stream: "users" },
  organizations: { path: "/api/v2/incremental/organizations", stream: "organizations" },
  "ticket events": { path: "/api/v2/incremental/ticket_events", stream: "ticket_events" },
} as const satisfies Record<string, { path: string; stream: StreamName }>;
const lists = {
  groups: { path: "/api/v2/groups", stream: "groups" },
  "satisfaction ratings": { path: "/api/v2/satisfaction_ratings", stream: "satisfaction_ratings" },
} as const satisfies Record<string, { path: string; stream: StreamName }>;

/** So many rows of everything, one a minute, two days ago; the administrator is one of the users. */
function worldOf(rows: number): World {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  const start = world.now() - 2 * DAY;
  for (let n = 0; n < rows; n++) {
    world.at(new Date(start + n * MINUTE).toISOString(), () => {
      world.definitions.createGroup({ name: `Group ${n}` });
      world.organizations.create({ name: `Organization ${n}` });
      if (n > 0) world.users.create({ name: `User ${n}` });
      const { id } = world.tickets.create({ subject: `Ticket ${n}`, requesterId: world.adminId });
      world.ratings.rate(id, "good");
    });
  }
  return world;
}

async function withPages(world: World): Promise<Account> {
  const account = await connect(database, world);
  await account.read((trx) =>
    trx
      .insertInto("stream_state")
      .values(
        [...Object.values(exports), ...Object.values(lists)].map(({ stream }) => ({
          workspace_id: account.workspaceId,
          connection_id: account.connectionId,
          stream,
          purpose: "incremental",
          caught_up: true,
          page_size: kept,
          updated_at: new Date(),
        })),
      )
      .execute(),
  );
  return account;
}
const claimOf = (account: Account, stream: StreamName) =>
  account.read((trx) =>
    trx
      .selectFrom("stream_state")
      .select(["state", "caught_up", "fresh_through"])
      .where("stream", "=", stream)
      .where("purpose", "=", "incremental")
      .executeTakeFirstOrThrow(),
  );
const ratings = (account: Account) =>
  account.read((trx) => trx.selectFrom("satisfaction_rating").select("id").execute());
const events = (account: Account) =>
  account.read((trx) => trx.selectFrom("ticket_event").select("id").where("field", "=", "created").execute());

describe("an end that comes too early", () => {
  const rows = 70;

  it.each(Object.keys(exports) as (keyof typeof exports)[])("on a full page of %s is not believed", async (what) => {
    const { path, stream } = exports[what];
    const account = await withPages(worldOf(rows));
    const early = account.zendesk.faults.add(
      { path, page: 3 },
      fault.changesBody("the end", (body) => ({ ...body, end_of_stream: true })),
      { times: 1 },
    );
    await account.sync();
    expect(early.strikes).toBe(1);
    await expectConverged(account);
    expect(await events(account)).toHaveLength(rows);
    expect(await claimOf(account, stream)).toMatchObject({ state: "ok", caught_up: true });
  });

  it.each(Object.keys(lists) as (keyof typeof lists)[])("on a full page of %s is not believed", async (what) => {
    const { path, stream } = lists[what];
    const account = await withPages(worldOf(rows));
    const early = account.zendesk.faults.add(
      { path, page: 2 },
      fault.changesBody("the end", (body) => ({ ...body, meta: { ...(body.meta as object), has_more: false } })),
      { times: 1 },
    );
    await account.sync();
    expect(early.strikes).toBe(1);
    await expectConverged(account);
    expect(await ratings(account)).toHaveLength(rows);
    expect(await claimOf(account, stream)).toMatchObject({ state: "ok", caught_up: true });
  });
});

describe("an account whose last page is exactly full", () => {
  it.each(["exact", "late"] as const)(
    "ends, whether it says so on that page or on the next (%s)",
    async (endOfStream) => {
      const world = worldOf(3 * size);
      world.settings.endOfStream = endOfStream;
      const account = await withPages(world);
      const { streams } = await account.sync();
      expect(streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
      await expectConverged(account);
      expect(await ratings(account)).toHaveLength(3 * size);
    },
  );

  it("ends where it says so and gives no place to go on from", async () => {
    const account = await withPages(worldOf(3 * size));
    account.zendesk.faults.add(
      { path: "/api/v2/incremental" },
      fault.changesBody("nowhere", (body) =>
        body.end_of_stream === true ? { ...body, after_cursor: null, end_time: null } : body,
      ),
    );
    const { streams } = await account.sync();
    expect(streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    await expectConverged(account);
  });

  it("ends with a second that fills a page by itself", async () => {
    const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z", settings: { overflowPage: false } });
    world.at(new Date(world.now() - DAY).toISOString(), () => {
      for (let n = 0; n < size; n++) {
        world.organizations.create({ name: `Organization ${n}` });
        world.tickets.create({ subject: `Ticket ${n}` });
      }
    });
    const account = await withPages(world);
    const { streams } = await account.sync();
    expect(streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
    await expectConverged(account);
  });
});

it("costs no request where the last page is not full", async () => {
  const account = await withPages(worldOf(40));
  await account.sync();
  // Two full pages and a shorter one.
  const asked = (path: string) => account.zendesk.journal.to(path).length;
  const { tickets, users, organizations } = exports;
  expect([tickets, users, organizations].map(({ path }) => asked(path))).toEqual([3, 3, 3]);
  expect(asked(lists.groups.path)).toBe(3);
});
