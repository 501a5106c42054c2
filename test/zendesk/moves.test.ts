import pg from "pg";
import { describe, expect, it } from "vitest";
import { inWorkspace } from "#db/client.ts";
import type { SyncMode } from "#lib/connections/shapes.ts";
import { rebuildMetrics } from "#lib/metrics/rebuild.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import type { ApiRequest } from "#test/support/zendesk/server/request.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged } from "#test/zendesk/stored.ts";

const database = useDatabase();

const organizationsExport = "/api/v2/incremental/organizations";
const busy = fault.tooManyRequests({ retryAfter: "60", body: "incremental" });
const isLargePage = ({ path, query }: ApiRequest) =>
  path.startsWith("/api/v2/incremental/") && Number(query.get("per_page") ?? 0) > 250;

const newWorld = (settings = {}) => new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z", settings });

async function next(account: Account, mode: SyncMode = "incremental", after = HOUR) {
  account.world.advance(after);
  const outcome = await account.sync({ mode });
  expect(outcome.streams.map(({ name, state }) => [name, state])).toEqual(
    outcome.streams.map(({ name }) => [name, "ok"]),
  );
  return outcome;
}

/** The number of tickets that each organization counts, from the kept numbers; they agree with a count from scratch. */
async function counted(account: Account): Promise<Record<string, number>> {
  const rows = await account.read((trx) =>
    trx
      .selectFrom("org_metric")
      .select(["organization_id", "total"])
      .where("connection_id", "=", account.connectionId)
      .where("total", "<>", 0)
      .execute(),
  );
  const { differing } = await inWorkspace(database.db, account.workspaceId, (trx) =>
    rebuildMetrics(trx, account.workspaceId, new Date(account.world.now())),
  );
  expect(differing).toBe(0);
  return Object.fromEntries(rows.map((row) => [row.organization_id, Number(row.total)]));
}

/** Every row of every table there is, as text: by the owner's login, whose eyes no policy narrows. */
async function everything(): Promise<string> {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  const { rows: tables } = await owner.query<{ name: string }>(
    `select format('%I.%I', schemaname, tablename) as name from pg_tables
      where schemaname not in ('pg_catalog', 'information_schema')`,
  );
  const texts: string[] = [];
  for (const { name } of tables) {
    const { rows } = await owner.query<{ row: string }>(`select '${name} ' || x::text as row from ${name} x`);
    texts.push(...rows.map(({ row }) => row));
  }
  await owner.end();
  return texts.join("\n");
}

const timeline = (account: Account) =>
  account.read((trx) =>
    trx
      .selectFrom("timeline_entry")
      .select(["ticket_id", "kind", "occurred_at", "organization_id"])
      .where("connection_id", "=", account.connectionId)
      .orderBy("ticket_id")
      .orderBy("occurred_at")
      .orderBy("kind")
      .execute(),
  );

describe("a ticket that is deleted, scrubbed, restored and deleted again", () => {
  it("counts while it lives, and only then", async () => {
    const world = newWorld();
    const organization = world.organizations.create({ name: "A" });
    const [kept, moved] = [0, 1].map(() => world.tickets.create({ organizationId: organization.id }).id);
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    expect(await counted(account)).toEqual({ [organization.id]: 2 });
    world.tickets.delete(moved as string);
    await next(account);
    expect(await counted(account)).toEqual({ [organization.id]: 1 });
    world.tickets.restore(moved as string);
    await next(account);
    expect(await counted(account)).toEqual({ [organization.id]: 2 });
    world.tickets.scrub(moved as string);
    await next(account);
    expect(await counted(account)).toEqual({ [organization.id]: 1 });
    world.tickets.delete(kept as string);
    await next(account, "reconcile");
    expect(await counted(account)).toEqual({});
    await expectConverged(account);
  });

  it("leaves no word behind when it and its requester are gone for good", async () => {
    const world = newWorld({ ratingMode: "mutate" });
    const user = world.users.create({
      name: "Penelope Quince",
      email: "penelope@quince.example",
      externalId: "quince-7",
    });
    const ticket = world.tickets.create({
      subject: "My secret garden",
      description: "It has gooseberries",
      requesterId: user.id,
      tags: ["rhubarb"],
      customFields: { "360000000001": "elderflower" },
    });
    world.tickets.update(ticket.id, { status: "solved" });
    world.ratings.rate(ticket.id, "good", { comment: "Quince jam" });
    // What could not be read of it is held with all of its words.
    world.distort("ticket", ticket.id, { type: { medlar: true } });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    world.ratings.rate(ticket.id, "bad", { comment: "Marmalade, please" });
    world.advance(HOUR);
    await account.sync();
    const words = [/Penelope/, /quince-7/, /secret garden/, /gooseberr/, /rhubarb/, /elderflower/, /medlar/];
    const said = [...words, /Quince jam/, /Marmalade/];
    const before = await everything();
    for (const word of said) expect(before).toMatch(word);
    for (const table of ["ticket", "ticket_payload", "held_row", "former_rating", "satisfaction_rating"])
      expect(before).toMatch(new RegExp(`^public\\.${table} .*(quince|rhubarb|medlar|Marmalade)`, "im"));
    world.distortions.clear();
    world.tickets.scrub(ticket.id);
    world.users.delete(user.id);
    world.users.permanentlyDelete(user.id);
    await next(account);
    const left = async () => (await everything()).split("\n").filter((row) => said.some((word) => word.test(row)));
    expect(await left()).toEqual([]);
    await next(account, "reconcile");
    expect(await left()).toEqual([]);
  });
});

describe("a ticket that events name and its own address does not show", () => {
  const gone = (error: string) => fault.status(404, { error, description: "Not found" });
  it.each([
    ["a record", /tickets\/\d+$/, gone("RecordNotFound")],
    ["an address", /tickets\/\d+$/, gone("InvalidEndpoint")],
    ["a page for people", /tickets\/\d+$/, fault.html(404, "Not found")],
    ["many together", /tickets\/show_many$/, gone("RecordNotFound")],
  ])(
    "(404 for %s) stops no stream: the others are read to their end, and it is asked for again",
    async (_what, path, kind) => {
      const world = newWorld();
      for (let n = 0; n < 3; n++) world.tickets.create({ subject: `Ticket ${n}` });
      world.advance(5 * MINUTE);
      const account = await connect(database, world);
      await account.sync();
      world.advance(HOUR);
      const child = world.tickets.create({ subject: "Child" }).id;
      world.tickets.hideFromExport(child);
      world.tickets.update("1", { priority: "urgent" });
      world.ratings.rate("2", "good");
      world.users.create({ name: "Una" });
      world.advance(5 * MINUTE);
      const isOther = ({ id }: Record<string, unknown>) => String(id) !== child;
      account.zendesk.faults.add(
        { path: /tickets\/show_many$/ },
        fault.changesRows("others", (rows) => rows.filter(isOther)),
      );
      const byId = account.zendesk.faults.add({ path }, kind);
      const outcome = await account.sync();
      expect(byId.strikes).toBeGreaterThan(0);
      expect(outcome.connectionFailure).toBeUndefined();
      expect(outcome.waitingUntil).toBeUndefined();
      expect(outcome.streams.map(({ name, state }) => [name, state === "failed"])).toEqual(
        outcome.streams.map(({ name }) => [name, false]),
      );
      expect(outcome.streams).toHaveLength(7);
      const rows = await account.read(async (trx) => ({
        tickets: await trx.selectFrom("ticket").select(["id", "priority", "rating"]).orderBy("id").execute(),
        events: await trx.selectFrom("ticket_event").select("id").where("ticket_id", "=", child).execute(),
        users: await trx.selectFrom("zendesk_user").select("id").where("name", "=", "Una").execute(),
      }));
      expect(rows.tickets.map(({ id }) => id)).toEqual(["1", "2", "3"]);
      expect(rows.tickets[0]?.priority).toBe("urgent");
      expect(rows.tickets[1]?.rating).toBe(3);
      expect(rows.events).not.toEqual([]);
      expect(rows.users).toHaveLength(1);
      account.zendesk.faults.clear();
      await next(account, "reconcile");
      await expectConverged(account);
    },
  );
});

describe("people on the move", () => {
  it("merged during a run are inactive, and their tickets follow the requester", async () => {
    const world = newWorld();
    const [a, b] = ["A", "B"].map((name) => world.users.create({ name }).id) as [string, string];
    for (let n = 0; n < 5; n++) world.tickets.create({ requesterId: a });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    world.advance(HOUR);
    account.zendesk.faults.before({ path: "/api/v2/incremental/tickets/cursor" }, () => world.users.merge(a, b), {
      times: 1,
    });
    await account.sync();
    world.users.delete(b);
    await next(account);
    await expectConverged(account);
  });

  it.each(["null", "default"] as const)(
    "that leave an organization take their working tickets to where Zendesk says (%s); closed ones stay",
    async (leaverTickets) => {
      const world = newWorld({ leaverTickets });
      const [old, later] = ["Old", "Later"].map((name) => world.organizations.create({ name }).id) as [string, string];
      const user = world.users.create({ name: "Una", organizationId: old });
      world.users.join(user.id, later);
      const working = world.tickets.create({ requesterId: user.id, organizationId: old });
      const closed = world.tickets.create({ requesterId: user.id, organizationId: old, status: "closed" });
      world.advance(5 * MINUTE);
      const account = await connect(database, world);
      await account.sync();
      expect(await counted(account)).toEqual({ [old]: 2 });
      world.users.leave(user.id, old);
      await next(account);
      await expectConverged(account);
      expect(await counted(account)).toEqual(leaverTickets === "null" ? { [old]: 1 } : { [old]: 1, [later]: 1 });
      const history = await account.read((trx) =>
        trx
          .selectFrom("ticket_event")
          .select(["ticket_id", "previous", "value"])
          .where("connection_id", "=", account.connectionId)
          .where("field", "=", "organization_id")
          .orderBy("occurred_at")
          .orderBy("ticket_id")
          .execute(),
      );
      expect(history).toEqual([
        { ticket_id: working.id, previous: null, value: old },
        { ticket_id: closed.id, previous: null, value: old },
        { ticket_id: working.id, previous: old, value: leaverTickets === "null" ? null : later },
      ]);
    },
  );

  it("that become end-users change no ticket, no number and nothing of the past", async () => {
    const world = newWorld();
    const organization = world.organizations.create({ name: "A" });
    const agent = world.users.create({ name: "Agent", role: "agent" });
    const ticket = world.tickets.create({ organizationId: organization.id, assigneeId: agent.id });
    world.advance(MINUTE);
    world.tickets.update(ticket.id, { status: "solved" }, { by: agent.id });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    const before = [await counted(account), await timeline(account)];
    world.users.changeRole(agent.id, "end-user");
    await next(account);
    await next(account, "reconcile");
    expect([await counted(account), await timeline(account)]).toEqual(before);
    await expectConverged(account);
  });
});

describe("organizations on the move", () => {
  it("merged during an hourly run are gone with a pointer, also where closed tickets are left behind", async () => {
    const world = newWorld();
    const [loser, winner] = ["Loser", "Winner"].map((name) => world.organizations.create({ name }).id) as [
      string,
      string,
    ];
    const user = world.users.create({ name: "U", organizationId: loser });
    for (let n = 0; n < 3; n++) world.tickets.create({ requesterId: user.id, organizationId: loser });
    world.tickets.create({ requesterId: user.id, organizationId: loser, status: "closed" });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    world.advance(HOUR);
    account.zendesk.faults.before(
      { path: "/api/v2/incremental/users/cursor" },
      () => world.organizations.merge(loser, winner, { leaveClosed: true }),
      { times: 1 },
    );
    await account.sync();
    await next(account);
    await expectConverged(account);
    const row = await account.read((trx) =>
      trx.selectFrom("organization").select(["deleted_at", "merged_into"]).where("id", "=", loser).executeTakeFirst(),
    );
    expect(row).toEqual({ deleted_at: expect.any(Date), merged_into: winner });
    expect(await counted(account)).toEqual({ [winner]: 3, [loser]: 1 });
    await next(account, "reconcile", DAY);
    await expectConverged(account);
  });

  it.each([
    ["only small pages come through", 1, { when: isLargePage }, fault.status(504)],
    ["the run is told to wait", 2, { path: organizationsExport, nth: 2 }, busy],
    ["nothing is said of them in time", 2, { path: /^\/api\/v2\/organizations\/show_many$/ }, busy],
  ] as const)("merged when %s are gone with a pointer all the same", async (_when, runs, match, kind) => {
    const world = newWorld();
    const [loser, winner] = ["Loser", "Winner"].map((name) => world.organizations.create({ name }).id) as [
      string,
      string,
    ];
    const user = world.users.create({ name: "U", organizationId: loser });
    world.tickets.create({ requesterId: user.id, organizationId: loser });
    world.advance(HOUR);
    const account = await connect(database, world);
    await account.sync();
    world.advance(HOUR);
    world.organizations.merge(loser, winner);
    world.advance(10 * MINUTE);
    const trouble = account.zendesk.faults.add(match, kind, runs === 1 ? {} : { times: 1 });
    for (let run = 1; run <= runs; run++) {
      // The streams wait for no judgement: the next run goes on with it.
      const outcome = await account.sync();
      expect(outcome.waitingUntil).toBeUndefined();
      expect(outcome.streams.filter(({ state }) => state !== "ok")).toEqual([]);
      world.advance(2 * MINUTE);
    }
    trouble.remove();
    const row = await account.read((trx) =>
      trx.selectFrom("organization").select(["deleted_at", "merged_into"]).where("id", "=", loser).executeTakeFirst(),
    );
    expect(row).toEqual({ deleted_at: expect.any(Date), merged_into: winner });
    await expectConverged(account);
  });

  it("whose merge failed half-way stay, though people and tickets have left them", async () => {
    const world = newWorld();
    const [loser, winner] = ["Loser", "Winner"].map((name) => world.organizations.create({ name }).id) as [
      string,
      string,
    ];
    const users = ["U", "V"].map((name) => world.users.create({ name, organizationId: loser }).id);
    const ticket = world.tickets.create({ requesterId: users[0] as string, organizationId: loser });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    world.users.update(users[0] as string, { organizationId: winner });
    world.tickets.update(ticket.id, { organizationId: winner });
    await next(account);
    await next(account, "reconcile", DAY);
    await next(account, "reconcile", DAY);
    await expectConverged(account);
  });

  it.each(["null", "keep"] as const)(
    "deleted with hundreds of tickets leave them stored, without a failure (%s)",
    async (deletedOrganizationTickets) => {
      const world = newWorld({ deletedOrganizationTickets });
      const organization = world.organizations.create({ name: "Gone" });
      world.organizations.create({ name: "Stays" });
      for (let n = 0; n < 500; n++)
        world.tickets.create({ organizationId: organization.id, status: n % 2 === 0 ? "open" : "closed" });
      world.advance(5 * MINUTE);
      const account = await connect(database, world);
      await account.sync();
      world.organizations.delete(organization.id);
      await next(account, "reconcile");
      await next(account, "reconcile", DAY);
      await expectConverged(account);
      expect(await counted(account)).toEqual({
        [organization.id]: deletedOrganizationTickets === "null" ? 250 : 500,
      });
    },
  );

  it("that exchange their names in one hour exchange their accounts, and keep their own tickets", async () => {
    const world = newWorld();
    const [a, b] = ["Alpha", "Beta"].map((name) => world.organizations.create({ name }).id) as [string, string];
    world.tickets.create({ organizationId: a });
    for (let n = 0; n < 2; n++) world.tickets.create({ organizationId: b });
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    const key = { workspace_id: account.workspaceId, connection_id: account.connectionId, position: 1 };
    await account.read(async (trx) => {
      await trx
        .insertInto("match_key")
        .values({ ...key, organization_field: "name", account_field: "name" })
        .execute();
      for (const name of ["Alpha", "Beta"]) {
        const at = new Date();
        const row = { workspace_id: account.workspaceId, external_id: name, name, created_at: at, updated_at: at };
        await trx
          .insertInto("account")
          .values({ ...row, owner_email: null })
          .execute();
      }
    });
    await account.sync();
    const accounts = async () => {
      const rows = await account.read((trx) =>
        trx
          .selectFrom("organization as o")
          .innerJoin("account as a", "a.id", "o.account_id")
          .select(["o.id", "a.name"])
          .where("o.connection_id", "=", account.connectionId)
          .execute(),
      );
      return Object.fromEntries(rows.map((row) => [row.id, row.name]));
    };
    expect(await accounts()).toEqual({ [a]: "Alpha", [b]: "Beta" });
    world.organizations.swapNames(a, b);
    await next(account);
    expect(await accounts()).toEqual({ [a]: "Beta", [b]: "Alpha" });
    expect(await counted(account)).toEqual({ [a]: 1, [b]: 2 });
    await expectConverged(account);
  });
});

describe("search and counts", () => {
  it("are never asked, whatever the run looks for", async () => {
    const world = newWorld();
    const ids = Array.from({ length: 30 }, () => world.tickets.create({}).id);
    const organization = world.organizations.create({ name: "Gone" });
    world.organizations.create({ name: "Stays" });
    world.advance(HOUR);
    const account = await connect(database, world);
    for (const id of ids.slice(0, 5)) world.tickets.hideFromExport(id);
    await account.sync();
    world.tickets.vanish(ids[10] as string);
    world.organizations.delete(organization.id);
    for (const mode of ["incremental", "reconcile", "full", "reconcile"] as const) await next(account, mode, DAY);
    expect(account.zendesk.journal.entries.filter(({ path }) => /search|count/.test(path))).toEqual([]);
  });
});
