import { describe, expect, it } from "vitest";
import type { StreamName } from "#lib/connections/shapes.ts";
import { settleDepartures } from "#lib/zendesk/departed.ts";
import { retryHeldRows, setHeldRowAside } from "#lib/zendesk/held.ts";
import { tombstoneTickets } from "#lib/zendesk/store/tickets.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { poison } from "#test/support/zendesk/poison.ts";
import { DAY, HOUR } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { stored } from "#test/zendesk/stored.ts";

const database = useDatabase();

const newWorld = (settings = {}) => new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z", settings });
/** Stored, and held with a note. */
const noted = { created_at: "0001-01-01T00:00:00Z" };

const heldRows = (account: Account) =>
  account.read((trx) =>
    trx
      .selectFrom("held_row")
      .selectAll()
      .where("connection_id", "=", account.connectionId)
      .orderBy("row_key")
      .execute(),
  );
const scopeOf = ({ workspaceId, connectionId }: Account) => ({ workspaceId, connectionId });
const tryAll = (account: Account) => retryHeldRows(database, scopeOf(account), new Date(account.world.now()));
const stateOf = (account: Account, stream: StreamName) =>
  account.read(async (trx) => {
    const row = await trx
      .selectFrom("stream_state")
      .select(["state", "failure_code"])
      .where("connection_id", "=", account.connectionId)
      .where("stream", "=", stream)
      .where("purpose", "=", "incremental")
      .executeTakeFirst();
    return [row?.state, row?.failure_code];
  });
const ticketOf = async (account: Account, id: string) => (await stored(account)).tickets.find((row) => row.id === id);
const organizationOf = async (account: Account, id: string) =>
  (await stored(account)).organizations.find((row) => row.id === id);

async function read(world: World): Promise<Account> {
  world.advance(HOUR);
  const account = await connect(database, world);
  await account.sync();
  return account;
}
/** An account of which one ticket and one organization are held. */
async function withTwoHeld() {
  const world = newWorld();
  const ticket = world.tickets.create({ subject: "Secret words" }).id;
  const organization = world.organizations.create({ name: "Deserted" }).id;
  world.distort("ticket", ticket, noted);
  world.distort("organization", organization, noted);
  return { world, ticket, organization, account: await read(world) };
}
async function next(account: Account, mode: "incremental" | "reconcile" | "full" = "incremental", after = HOUR) {
  account.world.advance(after);
  return account.sync({ mode });
}

describe("held rows of what is gone", () => {
  it("leave with the ticket, words and doubt alike, and trying all again brings nothing back (rows 26, 30)", async () => {
    const world = newWorld();
    const ids = [1, 2, 3].map((n) => world.tickets.create({ subject: `Secret words ${n}` }).id);
    const id = ids[1] as string;
    world.distort("ticket", id, noted);
    const account = await read(world);
    expect(await heldRows(account)).toMatchObject([
      { row_key: id, payload: expect.stringContaining("Secret words 2") },
    ]);
    expect(await stateOf(account, "tickets")).toEqual(["degraded", "held_rows"]);
    world.tickets.vanish(id);
    await next(account, "reconcile");
    await next(account, "reconcile", DAY + HOUR);
    expect(await ticketOf(account, id)).toMatchObject({ deleted_at: expect.any(Date), subject: null });
    expect(await heldRows(account)).toEqual([]);
    expect(await stateOf(account, "tickets")).toEqual(["ok", null]);
    await tryAll(account);
    expect(await ticketOf(account, id)).toMatchObject({ deleted_at: expect.any(Date), subject: null });
  });

  it("leave with an organization that was merged, which keeps its pointer (row 40)", async () => {
    const world = newWorld();
    const [loser, winner] = ["Loser", "Winner"].map((name) => world.organizations.create({ name }).id) as [
      string,
      string,
    ];
    world.distort("organization", loser, noted);
    world.tickets.create({ organizationId: loser });
    const account = await read(world);
    expect(await heldRows(account)).toHaveLength(1);
    world.organizations.merge(loser, winner);
    await next(account);
    const buried = { deleted_at: expect.any(Date), merged_into: winner };
    expect(await organizationOf(account, loser)).toMatchObject(buried);
    expect(await heldRows(account)).toEqual([]);
    expect(await stateOf(account, "organizations")).toEqual(["ok", null]);
    await tryAll(account);
    expect(await organizationOf(account, loser)).toMatchObject(buried);
  });

  it("leave outside of a run too, and their streams are degraded no more", async () => {
    const { world, ticket, organization, account } = await withTwoHeld();
    const now = new Date(world.now());
    await account.read(async (trx) => {
      expect((await tombstoneTickets(trx, scopeOf(account), [ticket], now)).deleted).toBe(1);
      expect((await settleDepartures(trx, scopeOf(account), { gone: [organization], judged: [] }, now)).deleted).toBe(
        1,
      );
    });
    expect(await heldRows(account)).toEqual([]);
    expect([await stateOf(account, "tickets"), await stateOf(account, "organizations")]).toEqual([
      ["ok", null],
      ["ok", null],
    ]);
  });

  it("that were kept before all the same are let go when they are tried, and store nothing", async () => {
    const { world, ticket, organization, account } = await withTwoHeld();
    expect(await heldRows(account)).toHaveLength(2);
    await account.read(async (trx) => {
      const gone = { deleted_at: new Date(world.now()), content_hash: "0" };
      await trx
        .updateTable("ticket")
        .set({ ...gone, subject: null })
        .where("id", "=", ticket)
        .execute();
      await trx
        .updateTable("organization")
        .set({ ...gone, merged_into: "7" })
        .where("id", "=", organization)
        .execute();
    });
    expect(await tryAll(account)).toEqual({ released: 0, held: 0 });
    expect(await heldRows(account)).toEqual([]);
    expect(await ticketOf(account, ticket)).toMatchObject({ deleted_at: expect.any(Date), subject: null });
    expect(await organizationOf(account, organization)).toMatchObject({ merged_into: "7" });
    expect(await stateOf(account, "tickets")).toEqual(["ok", null]);
  });

  it("are none of a ticket, nor of a user, that Zendesk has erased: no note keeps what is left of its words", async () => {
    const world = newWorld();
    const ticket = world.tickets.create({ subject: "Secret words" }).id;
    const user = world.users.create({ name: "Penelope Quince", email: "penelope@quince.example" }).id;
    world.distort("ticket", ticket, { ...noted, external_id: "Secret number" });
    world.distort("user", user, { ...noted, alias: "Penny" });
    const account = await read(world);
    expect((await heldRows(account)).map(({ stream }) => stream).sort()).toEqual(["tickets", "users"]);
    world.tickets.delete(ticket);
    world.advance(HOUR);
    world.tickets.scrub(ticket);
    world.users.permanentlyDelete(user);
    await next(account);
    expect(await heldRows(account)).toEqual([]);
    expect([await stateOf(account, "tickets"), await stateOf(account, "users")]).toEqual([
      ["ok", null],
      ["ok", null],
    ]);
    await tryAll(account);
    expect((await ticketOf(account, ticket))?.subject).toBe("SCRUBBED");
  });
});

describe("a held row of a megabyte and a half", () => {
  it("is kept to its last character, and stored when it is tried again (row 55)", async () => {
    const world = newWorld();
    const id = world.tickets.create({ subject: "Big" }).id;
    world.distort("ticket", id, { description: "x".repeat(1_500_000), generated_timestamp: "soon", updated_at: null });
    const account = await read(world);
    const [row] = await heldRows(account);
    expect(row?.payload.length).toBeGreaterThan(1_500_000);
    expect(() => JSON.parse(row?.payload as string)).not.toThrow();
    // What was wrong with it was ours, and is mended.
    const mended = row?.payload.replace('"generated_timestamp":"soon"', '"generated_timestamp":1772445600') as string;
    await account.read((trx) => trx.updateTable("held_row").set({ payload: mended }).execute());
    expect(await tryAll(account)).toEqual({ released: 1, held: 0 });
    expect(await ticketOf(account, id)).toMatchObject({ subject: "Big" });
  });

  it("that an earlier version cut says that it waits to be shown again", async () => {
    const world = newWorld();
    const id = world.tickets.create({ subject: "Cut" }).id;
    world.distort("ticket", id, { generated_timestamp: "soon", updated_at: null });
    const account = await read(world);
    await account.read((trx) => trx.updateTable("held_row").set({ payload: '{"id":1,"subj' }).execute());
    for (let n = 0; n < 2; n++) expect(await tryAll(account)).toEqual({ released: 0, held: 1 });
    const [row] = await heldRows(account);
    expect(row?.reason).toMatch(/^what was kept of it is not whole.*shows it again \(.*\)$/);
    expect(row?.reason.match(/not whole/g)).toHaveLength(1);
  });
});

describe("held rows without a usable id", () => {
  const nameless = poison.textId("no id");

  it.each(["reconcile", "full"] as const)("leave when a %s reading does not meet them again", async (mode) => {
    const world = newWorld();
    const user = world.users.create({ name: "U" }).id;
    world.distort("user", user, nameless);
    const account = await read(world);
    expect(await heldRows(account)).toMatchObject([{ stream: "users", row_key: expect.stringMatching(/^unnamed:/) }]);
    world.heal("user", user);
    world.users.update(user, { name: "Mended" });
    await next(account);
    expect(await heldRows(account)).toHaveLength(1);
    await next(account, mode);
    expect(await heldRows(account)).toEqual([]);
    expect(await stateOf(account, "users")).toEqual(["ok", null]);
  });

  it.each(["reconcile", "full"] as const)("stay while a %s reading meets them", async (mode) => {
    const world = newWorld();
    world.distort("user", world.users.create({ name: "U" }).id, nameless);
    world.distort("organization", world.organizations.create({ name: "O" }).id, nameless);
    const account = await read(world);
    await next(account, mode);
    expect((await heldRows(account)).map(({ stream }) => stream).sort()).toEqual(["organizations", "users"]);
    expect(await stateOf(account, "users")).toEqual(["degraded", "held_rows"]);
  });

  it("stay where the night did not look: they are older than what it compares", async () => {
    const world = newWorld();
    const user = world.at("2024-05-01T00:00:00Z", () => world.users.create({ name: "U" })).id;
    world.distort("user", user, nameless);
    const account = await read(world);
    expect(await heldRows(account)).toHaveLength(1);
    await next(account, "reconcile");
    expect(await heldRows(account)).toHaveLength(1);
    expect(await stateOf(account, "users")).toEqual(["degraded", "held_rows"]);
  });

  it.each([
    ["nothing at all", () => []],
    ["a lower role less", (rows: Record<string, unknown>[]) => rows.slice(1)],
  ])("stay when Zendesk shows %s", async (what, shown) => {
    const world = newWorld({ agentSees: 0.99 });
    const user = world.users.create({ name: "U" }).id;
    world.distort("user", user, nameless);
    const account = await read(world);
    world.heal("user", user);
    account.zendesk.faults.add({ path: "/api/v2/incremental/users" }, fault.changesRows(what, shown));
    if (what !== "nothing at all") world.users.changeRole(world.adminId, "agent");
    await next(account, "full");
    expect(await heldRows(account)).toHaveLength(1);
  });

  it("stay when a whole reading met them in an earlier turn, or before a clock was set back", async () => {
    const world = newWorld({ exportPage: 2 });
    const [first] = ["One", "Two", "Three", "Four"].map((name) => world.users.create({ name }).id) as [string];
    world.distort("user", first, nameless);
    const account = await read(world);
    world.advance(HOUR);
    let pages = 0;
    const stopped = account.zendesk.faults.before({ path: "/api/v2/incremental/users" }, () => void pages++);
    const { runId } = await account.sync({ mode: "full", streams: ["users"], deadline: () => pages > 0 });
    stopped.remove();
    await account.sync({ mode: "full", streams: ["users"], runId });
    expect(await heldRows(account)).toHaveLength(1);
    // As the database would write it whose clock is an hour behind from the second page on.
    let page = 0;
    account.zendesk.faults.before({ path: "/api/v2/incremental/users" }, async () => {
      if (++page < 3) return;
      const anHourAgo = new Date(Date.now() - HOUR);
      await account.read((trx) => trx.updateTable("held_row").set({ last_held_at: anHourAgo }).execute());
    });
    await next(account, "full");
    expect(page).toBeGreaterThan(2);
    expect(await heldRows(account)).toHaveLength(1);
  });

  it("leave a whole list at once: what it does not show any more is not held (groups, fields)", async () => {
    const world = newWorld();
    const group = world.definitions.createGroup({ name: "G" }).id;
    world.definitions.createField("organization", { key: "kept", title: "Kept" });
    world.distort("group", group, nameless);
    const account = await connect(database, world);
    world.advance(HOUR);
    const wrong = account.zendesk.faults.add(
      { path: "/api/v2/organization_fields" },
      fault.changesRows("no id", (rows) => [...rows, { id: null, key: "odd" }]),
    );
    await account.sync();
    expect((await heldRows(account)).map(({ stream }) => stream).sort()).toEqual(["fields", "groups"]);
    await next(account);
    expect(await heldRows(account)).toHaveLength(2);
    wrong.remove();
    world.heal("group", group);
    await next(account);
    expect(await heldRows(account)).toEqual([]);
    expect([await stateOf(account, "groups"), await stateOf(account, "fields")]).toEqual([
      ["ok", null],
      ["ok", null],
    ]);
  });

  it("are held each for itself, though they bear the same wrong id", async () => {
    const world = newWorld();
    for (const name of ["One", "Two"]) world.distort("user", world.users.create({ name }).id, nameless);
    const account = await read(world);
    expect(await heldRows(account)).toHaveLength(2);
  });
});

describe("a held row that was set aside", () => {
  it("degrades no run until it comes again with other bytes (row 55)", async () => {
    const world = newWorld();
    const id = world.tickets.create({ subject: "Odd" }).id;
    world.distort("ticket", id, noted);
    const account = await read(world);
    const word = { by: "Ada", at: new Date(world.now()) };
    await account.read((trx) => setHeldRowAside(trx, scopeOf(account), { stream: "tickets", key: id }, word, word.at));
    for (const mode of ["incremental", "reconcile", "full"] as const) {
      expect((await next(account, mode)).streams.find(({ name }) => name === "tickets")?.state).toBe("ok");
    }
    expect(await heldRows(account)).toMatchObject([{ row_key: id, set_aside_by: "Ada", set_aside_at: word.at }]);
    world.tickets.update(id, { priority: "high" });
    await next(account);
    expect(await stateOf(account, "tickets")).toEqual(["degraded", "held_rows"]);
    expect(await heldRows(account)).toMatchObject([{ row_key: id, set_aside_by: null, set_aside_at: null }]);
  });

  it("leaves when it is mended, as any other", async () => {
    const world = newWorld();
    const id = world.tickets.create({ subject: "Odd" }).id;
    world.distort("ticket", id, noted);
    const account = await read(world);
    const word = { by: "Ada", at: new Date(world.now()) };
    await account.read((trx) => setHeldRowAside(trx, scopeOf(account), { stream: "tickets", key: id }, word, word.at));
    world.heal("ticket", id);
    world.tickets.update(id, { priority: "high" });
    await next(account);
    expect(await heldRows(account)).toEqual([]);
  });
});
