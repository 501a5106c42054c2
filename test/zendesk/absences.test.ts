import { describe, expect, it } from "vitest";
import type { Trx } from "#db/client.ts";
import { approveAbsences } from "#lib/jobs/approve-absences.ts";
import { Worker } from "#lib/jobs/worker.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { configFor, silentLog } from "#test/zendesk/account-config.ts";

const database = useDatabase();

/** Tickets of the last days, all stored already. */
async function accountOf(tickets: number, withLimits = false): Promise<Account & { ids: string[] }> {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z" });
  const ids = Array.from({ length: tickets }, (_, n) =>
    world.at(new Date(world.now() - 5 * DAY + n * 1000).toISOString(), () =>
      world.tickets.create({ subject: `T${n}` }),
    ),
  ).map(({ id }) => id);
  const account = await connect(database, world, withLimits ? { limits: { now: () => world.now() } } : {});
  await account.sync();
  return { ...account, ids };
}

async function night(account: Account, after = HOUR) {
  account.world.advance(after);
  account.zendesk.journal.clear();
  return account.sync({ mode: "reconcile" });
}

const absences = (account: Account) =>
  account.read((trx) =>
    trx.selectFrom("absence").selectAll().where("connection_id", "=", account.connectionId).orderBy("row_id").execute(),
  );
const living = async (account: Account) =>
  (
    await account.read((trx) =>
      trx
        .selectFrom("ticket")
        .select("id")
        .where("connection_id", "=", account.connectionId)
        .where("deleted_at", "is", null)
        .orderBy("id")
        .execute(),
    )
  ).map(({ id }) => id);
const ticketsOf = (outcome: { streams: { name: string; state: string; failure?: { code: string } }[] }) =>
  outcome.streams.find(({ name }) => name === "tickets");
/** Each by its own address: only that says that a ticket is gone. */
const askedById = (account: Account) => account.zendesk.journal.to(/^\/api\/v2\/tickets\/\d+$/).length;
const pending = { state: "degraded", failure: { code: "many_missing" } };

/** A person's word, through the function that the API calls. */
async function approve(account: Account, ceiling: number): Promise<string> {
  const now = new Date(account.world.now());
  const ctx = { config: configFor(account.zendesk), db: database.db, log: silentLog };
  const worker = new Worker(ctx, { holder: { instance: "test", pid: 1, nonce: "1" }, clock: () => now });
  const { workspaceId, connectionId } = account;
  // Nothing else is live: the run is the one that was asked for.
  await account.read((trx) =>
    trx.updateTable("sync_run").set({ state: "succeeded" }).where("connection_id", "=", connectionId).execute(),
  );
  const word = { stream: "tickets" as const, ceiling, approvedBy: "Ada" };
  return approveAbsences(database.db, worker, { workspaceId, connectionId }, word, now);
}

describe("absent tickets", () => {
  it("up to ten, whatever their share, are asked for by id; of more, none is, and all wait for a person", async () => {
    const account = await accountOf(60);
    for (const id of account.ids.slice(0, 10)) account.world.tickets.vanish(id);
    expect(ticketsOf(await night(account))).toEqual({ name: "tickets", state: "ok" });
    expect(askedById(account)).toBeGreaterThanOrEqual(10);
    expect((await absences(account)).every((row) => row.not_found_at !== null && !row.held)).toBe(true);
    account.world.tickets.vanish(account.ids[10] as string);
    expect(ticketsOf(await night(account, DAY))).toMatchObject(pending);
    expect(askedById(account)).toBe(0);
    expect(await absences(account)).toHaveLength(11);
    expect((await absences(account)).every((row) => row.held)).toBe(true);
    expect(await living(account)).toHaveLength(60);
    account.world.advance(HOUR);
    expect(ticketsOf(await account.sync())).toMatchObject(pending);
  });

  it("more than ten are asked for by id up to one in a hundred; of one more, none is, and all wait for a person", async () => {
    const account = await accountOf(1500);
    for (const id of account.ids.slice(0, 15)) account.world.tickets.vanish(id);
    expect(ticketsOf(await night(account))).toEqual({ name: "tickets", state: "ok" });
    expect(askedById(account)).toBe(15);
    expect((await absences(account)).map((row) => [row.not_found_at !== null, row.held])).toEqual(
      Array(15).fill([true, false]),
    );
    account.world.tickets.vanish(account.ids[15] as string);
    expect(ticketsOf(await night(account))).toMatchObject(pending);
    expect(askedById(account)).toBe(0);
    expect((await absences(account)).map(({ row_id, held }) => [row_id, held])).toEqual(
      account.ids.slice(0, 16).map((id) => [id, true]),
    );
    expect(await living(account)).toHaveLength(1500);
  }, 180_000);

  it("that live all the same are no nominees and not extra, however many: withheld for a minute, or never exported", async () => {
    const account = await accountOf(60);
    const changed = account.ids.slice(0, 15);
    for (const id of account.ids.slice(15, 30)) account.world.tickets.hideFromExport(id);
    account.world.advance(HOUR);
    // They change within the minute that the export withholds, so that it shows neither their old nor their new version.
    for (const id of changed) account.world.tickets.update(id, { priority: "urgent" });
    expect(ticketsOf(await account.sync({ mode: "reconcile" }))).toEqual({ name: "tickets", state: "ok" });
    expect(await absences(account)).toEqual([]);
    const [{ extra } = { extra: null }] = await account.read((trx) =>
      trx
        .selectFrom("drift_day")
        .select((eb) => eb.fn.sum<string>("extra").as("extra"))
        .where("connection_id", "=", account.connectionId)
        .execute(),
    );
    expect(Number(extra)).toBe(0);
    expect(await living(account)).toHaveLength(60);
  });

  it("that wait are gone after one 404 each when a person lets them go; those that are found stay", async () => {
    const account = await accountOf(60);
    const gone = account.ids.slice(0, 20);
    for (const id of gone) account.world.tickets.vanish(id);
    const hidden = account.ids.slice(20, 22);
    for (const id of hidden) account.world.tickets.hideFromExport(id);
    expect(ticketsOf(await night(account))).toMatchObject(pending);
    const runId = await approve(account, 22);
    account.world.advance(HOUR);
    const outcome = await account.sync({ mode: "reconcile", runId });
    expect(ticketsOf(outcome)).toEqual({ name: "tickets", state: "ok" });
    expect(await living(account)).toEqual(account.ids.slice(20));
    expect(await account.read((trx) => trx.selectFrom("absence_approval").selectAll().execute())).toEqual([]);
    const drift = await account.read((trx) =>
      trx
        .selectFrom("drift_day")
        .select(["extra", "repaired"])
        .where("run_id", "=", runId)
        .where("stream", "=", "tickets")
        .where("extra", ">", "0")
        .execute(),
    );
    expect(drift).toEqual([{ extra: "20", repaired: "20" }]);
    expect(outcome.verified?.repaired).toBe(20);
    expect((await absences(account)).map((row) => row.row_id)).toEqual([]);
  });

  it("more than a person let go are all kept, and the person is asked again", async () => {
    const account = await accountOf(60);
    for (const id of account.ids.slice(0, 20)) account.world.tickets.vanish(id);
    await night(account);
    const runId = await approve(account, 19);
    account.world.advance(HOUR);
    const outcome = await account.sync({ mode: "reconcile", runId });
    expect(ticketsOf(outcome)).toMatchObject(pending);
    expect(await living(account)).toHaveLength(60);
    expect(await account.read((trx) => trx.selectFrom("absence_approval").selectAll().execute())).toEqual([]);
  });

  it("are let go in any run, and one that is cut off goes on below what is left of the ceiling", async () => {
    const account = await accountOf(80);
    for (const id of account.ids.slice(0, 60)) account.world.tickets.vanish(id);
    await night(account);
    const runId = await approve(account, 60);
    account.world.advance(HOUR);
    let asked = 0;
    account.zendesk.faults.before({ path: /^\/api\/v2\/tickets\/\d/ }, () => {
      asked++;
    });
    const first = await account.sync({ runId, deadline: () => asked > 0 });
    expect(first.waitingUntil).toBeDefined();
    const left = (await living(account)).length;
    expect(left).toBeGreaterThan(20);
    expect(left).toBeLessThan(80);
    const [word] = await account.read((trx) => trx.selectFrom("absence_approval").select("ceiling").execute());
    expect(word?.ceiling).toBe(left - 20);
    const outcome = await account.sync({ runId });
    expect(ticketsOf(outcome)).toEqual({ name: "tickets", state: "ok" });
    expect(await living(account)).toEqual(account.ids.slice(60));
  });

  it("that were missed after a person's word are not covered by it, however high its ceiling", async () => {
    const account = await accountOf(60);
    for (const id of account.ids.slice(0, 20)) account.world.tickets.vanish(id);
    await night(account);
    const runId = await approve(account, 1000);
    const after = new Date(account.world.now() + 1000);
    const later = account.ids.slice(0, 2);
    await account.read((trx) =>
      trx.updateTable("absence").set({ first_missed_at: after }).where("row_id", "in", later).execute(),
    );
    account.world.advance(HOUR);
    expect(ticketsOf(await account.sync({ runId }))).toMatchObject(pending);
    expect((await absences(account)).map((row) => row.row_id)).toEqual(later);
    expect(await living(account)).toEqual([...later, ...account.ids.slice(20)]);
  });

  it("are all kept when the login's role falls while they are asked for, and the person's word waits for it", async () => {
    const account = await accountOf(60);
    const { world, ids, zendesk } = account;
    world.settings.agentSees = 0.1;
    const truly = ids.slice(0, 2);
    for (const id of truly) world.tickets.vanish(id);
    const missed = new Set(ids.slice(0, 20));
    const drop = (rows: Record<string, unknown>[]) => rows.filter(({ id }) => !missed.has(String(id)));
    const left = ["/api/v2/incremental/tickets/cursor", "/api/v2/tickets/show_many"].map((path) =>
      zendesk.faults.add({ path }, fault.changesRows("left out", drop)),
    );
    expect(ticketsOf(await night(account))).toMatchObject(pending);
    for (const one of left) one.remove();
    const runId = await approve(account, 20);
    world.advance(HOUR);
    zendesk.faults.before(
      { path: "/api/v2/tickets/show_many" },
      () => {
        world.users.changeRole(world.adminId, "agent");
      },
      { times: 1 },
    );
    const fallen = (code: string) => ({ state: "degraded", failure: { code } });
    expect(ticketsOf(await account.sync({ runId }))).toMatchObject(fallen("not_administrator"));
    expect(await living(account)).toHaveLength(60);
    world.advance(HOUR);
    expect(ticketsOf(await account.sync())).toMatchObject(fallen("role_changed"));
    world.users.changeRole(world.adminId, "admin");
    world.advance(HOUR);
    expect(ticketsOf(await account.sync())).toEqual({ name: "tickets", state: "ok" });
    expect(await living(account)).toEqual(ids.slice(2));
  });

  it("are not noted as missing when the login's role falls in the night that asks for them", async () => {
    const account = await accountOf(60);
    const { world, ids, zendesk } = account;
    world.settings.agentSees = 0.1;
    const missed = new Set(ids.slice(0, 9));
    const drop = (rows: Record<string, unknown>[]) => rows.filter(({ id }) => !missed.has(String(id)));
    for (const path of ["/api/v2/incremental/tickets/cursor", "/api/v2/tickets/show_many"])
      zendesk.faults.add({ path }, fault.changesRows("left out", drop));
    zendesk.faults.before({ path: /^\/api\/v2\/tickets\/\d+$/ }, () => {
      world.users.changeRole(world.adminId, "agent");
    });
    for (let n = 0; n < 2; n++) {
      world.users.changeRole(world.adminId, "admin");
      const outcome = await night(account, DAY + HOUR);
      expect(ticketsOf(outcome)).toMatchObject({ state: "degraded", failure: { code: "not_administrator" } });
      expect(outcome.verified).toBeUndefined();
      expect(askedById(account)).toBeGreaterThan(0);
    }
    expect(await living(account)).toHaveLength(60);
    expect((await absences(account)).every((row) => row.not_found_at === null)).toBe(true);
  });

  it("wait with the person's word when Zendesk refuses to show them by their ids", async () => {
    const account = await accountOf(60);
    for (const id of account.ids.slice(0, 20)) account.world.tickets.vanish(id);
    await night(account);
    const runId = await approve(account, 20);
    const closed = account.zendesk.faults.add({ path: /^\/api\/v2\/tickets\/\d+$/ }, fault.forbidden("titled"));
    account.world.advance(HOUR);
    account.zendesk.journal.clear();
    expect(ticketsOf(await account.sync({ runId }))).toMatchObject({
      state: "degraded",
      failure: { code: "forbidden", message: expect.stringContaining("by their ids") },
    });
    expect(askedById(account)).toBeLessThanOrEqual(25);
    closed.remove();
    account.world.advance(HOUR);
    expect(ticketsOf(await account.sync())).toEqual({ name: "tickets", state: "ok" });
    expect(await living(account)).toEqual(account.ids.slice(20));
  });

  it("that Zendesk itself calls deleted by then wait for nobody's word", async () => {
    const account = await accountOf(60);
    for (const id of account.ids.slice(0, 20)) account.world.tickets.vanish(id);
    await night(account);
    await account.read((trx) =>
      trx.updateTable("ticket").set({ deleted_at: new Date() }).where("id", "in", account.ids.slice(0, 20)).execute(),
    );
    expect(ticketsOf(await night(account))).toEqual({ name: "tickets", state: "ok" });
    expect(await absences(account)).toEqual([]);
  });

  it("that live all the same leave the ledger on the day on which they were counted, though they changed since", async () => {
    const account = await accountOf(60);
    const hidden = account.ids.slice(0, 3);
    for (const id of hidden) account.world.tickets.hideFromExport(id);
    let asked = false;
    account.zendesk.faults.before({ path: "/api/v2/tickets/show_many" }, () => {
      asked = true;
    });
    const fence = async (trx: Trx) => {
      if (!asked) return;
      asked = false;
      // As a webhook would, beside the run.
      await trx
        .updateTable("ticket")
        .set({ generated_timestamp: String(Math.floor(account.world.now() / 1000)) })
        .where("id", "in", hidden)
        .execute();
    };
    account.world.advance(HOUR);
    const { runId } = await account.sync({ mode: "reconcile", fence });
    const days = await account.read((trx) =>
      trx.selectFrom("drift_day").select(["day", "extra"]).where("run_id", "=", runId).execute(),
    );
    expect(days.filter(({ extra }) => extra !== "0")).toEqual([]);
    expect(await absences(account)).toEqual([]);
  });

  it("that nobody waits for cannot be let go", async () => {
    const account = await accountOf(3);
    await expect(approve(account, 5)).rejects.toMatchObject({ code: "conflict" });
  });

  it("that show up again are no nominees any more, and one with a tombstone comes back whole", async () => {
    const account = await accountOf(12);
    const [back, buried] = account.ids as [string, string];
    const tickets = account.world.tickets;
    const kept = [back, buried].map((id) => tickets.existing(id));
    for (const id of [back, buried]) tickets.vanish(id);
    await night(account);
    tickets.byId.set(back, kept[0] as never);
    tickets.update(back, { priority: "high" });
    account.world.advance(HOUR);
    await account.sync();
    expect((await absences(account)).map((row) => row.row_id)).toEqual([buried]);
    await night(account, DAY);
    expect(await living(account)).not.toContain(buried);
    tickets.byId.set(buried, kept[1] as never);
    await night(account);
    expect(await living(account)).toEqual(account.ids);
    const row = await account.read((trx) =>
      trx.selectFrom("ticket").select(["subject", "tags"]).where("id", "=", buried).executeTakeFirst(),
    );
    expect(row).toEqual({ subject: "T1", tags: [] });
  });

  it.each([
    ["a page cut in the middle", () => [fault.truncate(0.5)]],
    ["403", () => [fault.forbidden("titled")]],
    ["503", () => [fault.status(503)]],
    ["a web page", () => [fault.notAPage("html")]],
    ["a page without its end flag", () => [fault.withoutKeys("end_of_stream")]],
  ])("are not what %s means: nothing is removed, and nothing nominated", async (_what, kinds) => {
    const account = await accountOf(9);
    for (const kind of kinds()) account.zendesk.faults.add({ path: "/api/v2/incremental/tickets/cursor" }, kind);
    for (const after of [HOUR, DAY, 2 * DAY]) {
      const outcome = await night(account, after);
      expect(outcome.connectionFailure ?? ticketsOf(outcome)?.state).not.toBe("ok");
      expect(outcome.verified).toBeUndefined();
    }
    expect(await living(account)).toHaveLength(9);
    expect(await absences(account)).toEqual([]);
  });
});

describe("an account that lists nothing any more", () => {
  it("removes nothing: all rows wait for a person, and stand again when they are listed again", async () => {
    const account = await accountOf(9);
    const empty = ["/api/v2/incremental/tickets/cursor", "/api/v2/tickets/show_many"].map((path) =>
      account.zendesk.faults.add(
        { path },
        fault.changesRows("empty", () => []),
      ),
    );
    for (const after of [HOUR, DAY, 2 * DAY]) {
      const outcome = await night(account, after);
      expect(ticketsOf(outcome)).toMatchObject({ state: "degraded", failure: { code: "empty_listing" } });
      expect(outcome.verified).toBeUndefined();
      expect(askedById(account)).toBe(0);
    }
    expect(await living(account)).toHaveLength(9);
    expect((await absences(account)).map((row) => row.held)).toEqual(Array(9).fill(true));
    account.world.advance(HOUR);
    expect(ticketsOf(await account.sync())).toMatchObject({ state: "degraded", failure: { code: "empty_listing" } });
    for (const one of empty) one.remove();
    expect(ticketsOf(await night(account))).toEqual({ name: "tickets", state: "ok" });
    expect(await absences(account)).toEqual([]);
  });
});

describe("very many deletions in one night (row 31)", () => {
  it("are taken over whatever their share where Zendesk calls them deleted: two in five of an account, in pages", async () => {
    const account = await accountOf(1200);
    account.world.advance(HOUR);
    for (const id of account.ids.slice(0, 480)) account.world.tickets.delete(id);
    const pages: number[] = [];
    account.zendesk.faults.add(
      { path: "/api/v2/incremental/tickets/cursor" },
      fault.changesRows("counted", (rows) => {
        pages.push(rows.length);
        return rows;
      }),
    );
    const outcome = await night(account);
    expect(ticketsOf(outcome)).toEqual({ name: "tickets", state: "ok" });
    expect(await living(account)).toHaveLength(720);
    expect(await absences(account)).toEqual([]);
    expect(askedById(account)).toBe(0);
    expect(outcome.verified).toMatchObject({ tickets: 1200, repaired: 0, metricsDiffering: 0 });
    // What has changed, then the year: a full page, and the rest of it.
    expect(pages).toEqual([480, 1000, 200]);
    const asked = account.zendesk.journal.to("/api/v2/incremental/tickets/cursor").map(({ query }) => query.per_page);
    expect(new Set(asked)).toEqual(new Set(["1000"]));
  }, 120_000);

  it("are let go by a person's word a few at a time, below the account's limits, and their ceiling sinks with them", async () => {
    const account = await accountOf(1500, true);
    for (const id of account.ids.slice(0, 1200)) account.world.tickets.vanish(id);
    expect(ticketsOf(await night(account))).toMatchObject(pending);
    expect(askedById(account)).toBe(0);
    expect(await absences(account)).toHaveLength(1200);
    const runId = await approve(account, 1200);
    account.world.advance(HOUR);
    account.zendesk.journal.clear();
    const steps: [living: number, ceiling: number | null][] = [];
    const fence = async (trx: Trx) => {
      const { n } = await trx
        .selectFrom("ticket")
        .select((eb) => eb.fn.countAll<string>().as("n"))
        .where("connection_id", "=", account.connectionId)
        .where("deleted_at", "is", null)
        .executeTakeFirstOrThrow();
      const word = await trx.selectFrom("absence_approval").select("ceiling").executeTakeFirst();
      const step: (typeof steps)[number] = [Number(n), word?.ceiling ?? null];
      if (step.join() !== steps.at(-1)?.join()) steps.push(step);
    };
    let outcome = await account.sync({ runId, fence });
    while (outcome.waitingUntil) {
      account.world.advanceTo(Math.max(account.world.now(), outcome.waitingUntil.getTime()));
      outcome = await account.sync({ runId, fence });
    }
    expect(ticketsOf(outcome)).toEqual({ name: "tickets", state: "ok" });
    expect(await living(account)).toEqual(account.ids.slice(1200));
    expect(await absences(account)).toEqual([]);
    expect(askedById(account)).toBe(1200);
    expect(account.zendesk.journal.entries.filter(({ status }) => status === 429)).toEqual([]);
    // 25 in each transaction; the word is spent when all are gone.
    const lots = Array.from({ length: 49 }, (_, n) => [1500 - 25 * n, 1200 - 25 * n]);
    expect(steps).toEqual([...lots, [300, null]]);
    const together = account.zendesk.journal
      .to("/api/v2/tickets/show_many")
      .map(({ query }) => query.ids?.split(",").length);
    expect(together).toEqual(Array(48).fill(25));
  }, 300_000);
});
