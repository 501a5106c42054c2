import { describe, expect, it } from "vitest";
import { rebuildMetrics } from "#lib/metrics/rebuild.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { randomWorld } from "#test/support/zendesk/random-world.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";

const database = useDatabase();
const categories = [null, "bad", "neutral", "good"];

const newWorld = (settings = {}) => new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z", settings });
const ratings = (account: Account) =>
  account.read((trx) =>
    trx
      .selectFrom("satisfaction_rating")
      .selectAll()
      .where("connection_id", "=", account.connectionId)
      .orderBy("id")
      .execute(),
  );
const rated = (account: Account) =>
  account.read((trx) =>
    trx
      .selectFrom("ticket")
      .select(["id", "rating", "rated_at"])
      .where("connection_id", "=", account.connectionId)
      .where("rating", "is not", null)
      .orderBy("id")
      .execute(),
  );
const eitherSystem = { path: /satisfaction_ratings$|survey_responses$/ };
const place = (account: Account) =>
  account.read((trx) =>
    trx
      .selectFrom("stream_state")
      .select(["state", "fresh_through"])
      .where("connection_id", "=", account.connectionId)
      .where("stream", "=", "satisfaction_ratings")
      .where("purpose", "=", "incremental")
      .executeTakeFirstOrThrow(),
  );
const csatSystem = async (account: Account) =>
  (
    await account.read((trx) =>
      trx.selectFrom("connection").select("csat_system").where("id", "=", account.connectionId).executeTakeFirst(),
    )
  )?.csat_system;
const stateOf = (outcome: { streams: { name: string; state: string; failure?: unknown }[] }) =>
  outcome.streams.find(({ name }) => name === "satisfaction_ratings");

/** One rating a ticket, the latest answer, dated by itself. */
async function expectTrueRatings(account: Account): Promise<void> {
  const should = truth(account.world).answers.filter(({ score }) => categories.includes(score));
  const is = (await rated(account)).map((row) => ({
    ticketId: row.id,
    score: categories[row.rating ?? 0],
    at: row.rated_at?.getTime(),
  }));
  expect(is).toEqual(should.map(({ ticketId, score, at }) => ({ ticketId, score, at: Date.parse(at) })));
}

/** The answers that organizations count, by the first window; and in how many rows a count from scratch says otherwise. */
async function countedFrom({ read, connectionId, workspaceId, world }: Account) {
  const rows = await read((trx) =>
    trx.selectFrom("org_metric").select(["w1_good", "w1_bad"]).where("connection_id", "=", connectionId).execute(),
  );
  const sum = (of: "w1_good" | "w1_bad") => rows.reduce((all, row) => all + row[of], 0);
  const { differing } = await read((trx) => rebuildMetrics(trx, workspaceId, new Date(world.now())));
  return { good: sum("w1_good"), bad: sum("w1_bad"), differing };
}

async function next(account: Account, after = HOUR) {
  account.world.advance(after);
  return account.sync();
}

describe("ratings", () => {
  it.each([
    ["legacy", "mutate"],
    ["legacy", "new-record"],
    ["survey", "mutate"],
  ] as const)(
    "changed after they were given are found, whatever the system does with them (%s, %s)",
    async (satisfaction, ratingMode) => {
      const world = newWorld({ satisfaction, ratingMode });
      const ticket = world.tickets.create({ status: "solved" });
      world.ratings.offer(ticket.id);
      world.advance(5 * MINUTE);
      const account = await connect(database, world);
      await account.sync();
      for (const [score, comment] of [
        ["good", undefined],
        ["bad", undefined],
        ["good", "Great after all"],
      ] as const) {
        world.advance(7 * DAY);
        world.ratings.rate(ticket.id, score, comment ? { comment } : {});
        await next(account);
        await expectTrueRatings(account);
      }
      expect((await ratings(account)).some((row) => row.comment === "Great after all")).toBe(true);
    },
  );

  it("changed long after they were given are found and counted by the check of the past year", async () => {
    const world = newWorld({ satisfaction: "legacy", ratingMode: "mutate" });
    const ticket = world.tickets.create({ status: "solved" });
    world.ratings.rate(ticket.id, "good");
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    await next(account, 50 * DAY);
    world.ratings.rate(ticket.id, "bad");
    await next(account);
    expect((await rated(account))[0]?.rating).toBe(3);
    world.advance(HOUR);
    const outcome = await account.sync({ mode: "reconcile" });
    await expectTrueRatings(account);
    expect(outcome.verified?.repaired).toBe(1);
  });

  it("of every score are stored, and those that are no answer count for nothing", async () => {
    const world = newWorld({ ratingMode: "new-record" });
    const scores = ["offered", "unoffered", "good", "bad", "good_with_comment", "bad_without_comment", "splendid"];
    for (const score of scores) world.ratings.rate(world.tickets.create({ status: "solved" }).id, score);
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    const stored = await ratings(account);
    expect(new Set(stored.map(({ score }) => score))).toEqual(new Set(scores));
    expect(Object.fromEntries(stored.map(({ score, category }) => [score, category]))).toEqual({
      offered: null,
      unoffered: null,
      splendid: null,
      good: "good",
      bad: "bad",
      good_with_comment: "good",
      bad_without_comment: "bad",
    });
    expect(await rated(account)).toHaveLength(4);
  });

  it("of both systems make one series when an account switches", async () => {
    for (const seed of [21, 22]) {
      const world = randomWorld(seed, { tickets: 120, days: 60, turmoil: false, settings: { ratingMode: "mutate" } });
      const account = await connect(database, world);
      await account.sync();
      await expectTrueRatings(account);
      world.settings.satisfaction = world.settings.satisfaction === "legacy" ? "survey" : "legacy";
      for (let n = 0; n < 4; n++) {
        await next(account, 5 * DAY);
        await expectTrueRatings(account);
      }
    }
  });

  it("on both sides of a switch count once a ticket, also when a survey's answer is edited until it expires", async () => {
    const world = newWorld({ satisfaction: "legacy" });
    const [both, early] = [0, 1].map(() => world.tickets.create({ status: "solved" }).id) as [string, string];
    for (const id of [both, early]) world.ratings.rate(id, "good");
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    await expectTrueRatings(account);
    world.advance(10 * DAY);
    world.settings.satisfaction = "survey";
    for (const [score, after] of [
      ["bad", 2 * DAY],
      ["neutral", 13 * DAY],
      ["good", 13 * DAY],
    ] as const) {
      world.ratings.rate(both, score);
      await next(account, after);
      await expectTrueRatings(account);
      expect(await rated(account)).toHaveLength(2);
    }
    world.advance(HOUR);
    const { verified, runId } = await account.sync({ mode: "reconcile" });
    expect(verified).toMatchObject({ repaired: 0, metricsDiffering: 0 });
    const extra = await account.read((trx) =>
      trx.selectFrom("drift_row").select("row_key").where("run_id", "=", runId).execute(),
    );
    expect(extra).toEqual([]);
  });

  it("without a ticket any more, an assignee or a group are no obstacle", async () => {
    const world = newWorld();
    const { id: organizationId } = world.organizations.create({ name: "Acme" });
    const rate = (score: string) => {
      const nobody = { status: "solved", assigneeId: null, groupId: null, organizationId } as const;
      const { id } = world.tickets.create(nobody);
      world.ratings.rate(id, score);
      return id;
    };
    const [deleted, scrubbed, unknown] = ["bad", "bad", "good"].map(rate) as [string, string, string];
    for (const score of ["good", "good", "bad"]) rate(score);
    // Neither the export nor its own address has it, and no event names it.
    world.tickets.vanish(unknown);
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    expect(stateOf(await account.sync())?.state).toBe("ok");
    expect(await ratings(account)).toHaveLength(6);
    // Deleted tickets never count, and a rating counts with its ticket's organization, whoever was its agent.
    expect(await countedFrom(account)).toEqual({ good: 2, bad: 3, differing: 0 });
    world.tickets.delete(deleted);
    world.tickets.scrub(scrubbed);
    expect(stateOf(await next(account))?.state).toBe("ok");
    expect(await ratings(account)).toHaveLength(6);
    expect(await countedFrom(account)).toEqual({ good: 2, bad: 1, differing: 0 });
    world.tickets.restore(deleted);
    expect(stateOf(await next(account))?.state).toBe("ok");
    expect(await countedFrom(account)).toEqual({ good: 2, bad: 2, differing: 0 });
    await account.sync({ mode: "reconcile" });
    expect(await ratings(account)).toHaveLength(6);
    expect(await countedFrom(account)).toEqual({ good: 2, bad: 2, differing: 0 });
  });

  it("are read in slices of thirty days, one committed page after the other", async () => {
    const world = newWorld();
    for (let day = 200; day > 0; day--) {
      world.at(new Date(world.now() - day * DAY).toISOString(), () =>
        world.ratings.rate(world.tickets.create({ status: "solved" }).id, "good"),
      );
    }
    const account = await connect(database, world);
    const { runId } = await account.sync({ deadline: () => true });
    let outcome = await account.sync({ runId, deadline: () => true });
    while (outcome.waitingUntil) outcome = await account.sync({ runId, deadline: () => true });
    await expectTrueRatings(account);
    const asked = account.zendesk.journal.to("/api/v2/satisfaction_ratings").map(({ query }) => query);
    for (const query of asked)
      expect(Number(query.end_time) - Number(query.start_time)).toBeLessThanOrEqual(30 * 86_400);
    expect(new Set(asked.map((query) => JSON.stringify(query))).size).toBe(asked.length);
    account.zendesk.journal.clear();
    await next(account);
    const again = account.zendesk.journal
      .to("/api/v2/satisfaction_ratings")
      .map(({ query }) => Number(query.start_time));
    expect(Math.min(...again)).toBeLessThanOrEqual(world.now() / 1000 - 35 * 86_400);
    expect(Math.min(...again)).toBeGreaterThan(world.now() / 1000 - 37 * 86_400);
  });

  it.each([
    [403, 404, "not_available", "none"],
    [404, 404, "not_available", "none"],
    [403, 403, "not_available", "none"],
    [200, 404, "ok", "legacy"],
    [403, 200, "ok", "survey"],
    [200, 200, "ok", "both"],
  ] as const)(
    "endpoints answering %i and %i make the stream %s",
    async (legacyEndpoint, surveyEndpoint, state, system) => {
      const world = newWorld({ legacyEndpoint, surveyEndpoint });
      world.tickets.create({});
      world.advance(5 * MINUTE);
      const account = await connect(database, world);
      const outcome = await account.sync();
      expect(stateOf(outcome)?.state).toBe(state);
      expect(
        outcome.streams.filter(({ name }) => name !== "satisfaction_ratings").map((stream) => stream.state),
      ).toEqual(Array(6).fill("ok"));
      const connection = await account.read((trx) =>
        trx.selectFrom("connection").select("csat_system").executeTakeFirst(),
      );
      expect(connection?.csat_system).toBe(system);
    },
  );

  it("that the credentials may not read fail the stream, not the plan", async () => {
    const world = newWorld();
    const account = await connect(database, world);
    account.zendesk.faults.add({ path: "/api/v2/satisfaction_ratings" }, fault.forbidden("scope"));
    account.zendesk.faults.add({ path: "/api/v2/guide" }, fault.status(404));
    const outcome = await account.sync();
    expect(stateOf(outcome)).toMatchObject({ state: "failed", failure: { code: "missing_scope" } });
    account.zendesk.faults.clear();
    expect(stateOf(await next(account))?.state).toBe("ok");
  });

  it.each(["titled", "html", "listed"] as const)(
    "that were read before and are refused now (%s) are no matter of the plan: the stream fails, and its age counts on",
    async (envelope) => {
      const world = newWorld({ satisfaction: "legacy" });
      const ticket = world.tickets.create({ status: "solved" });
      world.ratings.rate(ticket.id, "good");
      world.advance(HOUR);
      const account = await connect(database, world);
      await account.sync();
      const before = await place(account);
      account.zendesk.faults.add(eitherSystem, fault.forbidden(envelope));
      world.ratings.rate(world.tickets.create({ status: "solved" }).id, "bad");
      expect(stateOf(await next(account))).toMatchObject({
        state: "failed",
        failure: { code: "forbidden", message: expect.stringContaining("were read before") },
      });
      expect(await place(account)).toMatchObject({ state: "failed", fresh_through: before.fresh_through });
      expect(await csatSystem(account)).toBe("legacy");
      account.zendesk.faults.clear();
      expect(stateOf(await next(account))?.state).toBe("ok");
      await expectTrueRatings(account);
    },
  );

  it("that a lower role is refused are no matter of the plan", async () => {
    const world = newWorld({ satisfaction: "legacy" });
    const account = await connect(database, world);
    world.users.changeRole(world.adminId, "agent");
    account.zendesk.faults.add(eitherSystem, fault.forbidden("titled"));
    expect(stateOf(await next(account))).toMatchObject({ state: "degraded", failure: { code: "role_changed" } });
    world.users.changeRole(world.adminId, "admin");
    expect(stateOf(await next(account))?.state).toBe("not_available");
  });

  it.each([
    ["legacy", "/api/v2/satisfaction_ratings"],
    ["survey", "/api/v2/guide"],
  ] as const)(
    "of which one system (%s) lacks its scope fail, whatever the other answers, from the beginning and later on",
    async (satisfaction, path) => {
      const world = newWorld({ satisfaction, legacyEndpoint: 200, surveyEndpoint: 200 });
      world.ratings.rate(world.tickets.create({ status: "solved" }).id, "good");
      world.advance(5 * MINUTE);
      const account = await connect(database, world);
      const withoutScope = { state: "failed", failure: { code: "missing_scope" } };
      account.zendesk.faults.add({ path }, fault.forbidden("scope"));
      expect(stateOf(await account.sync())).toMatchObject(withoutScope);
      expect(await place(account)).toMatchObject({ state: "failed", fresh_through: null });
      account.zendesk.faults.clear();
      expect(stateOf(await next(account))?.state).toBe("ok");
      await expectTrueRatings(account);
      const { fresh_through } = await place(account);
      account.zendesk.faults.add({ path }, fault.forbidden("scope"));
      world.ratings.rate(world.tickets.create({ status: "solved" }).id, "bad");
      expect(stateOf(await next(account))).toMatchObject(withoutScope);
      world.advance(HOUR);
      expect((await account.sync({ mode: "reconcile" })).verified).toBeUndefined();
      expect(await place(account)).toMatchObject({ state: "failed", fresh_through });
      account.zendesk.faults.clear();
      expect(stateOf(await next(account))?.state).toBe("ok");
      await expectTrueRatings(account);
    },
  );

  it("of which one system refuses that answered before fail, unless the account has moved to the other", async () => {
    const world = newWorld({ satisfaction: "legacy" });
    const rate = () => world.ratings.rate(world.tickets.create({ status: "solved" }).id, "good");
    rate();
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    await account.sync();
    // The account switches: what was refused before answers now, and the old system no more.
    Object.assign(world.settings, { satisfaction: "survey", legacyEndpoint: 403 });
    for (let n = 0; n < 2; n++) expect(stateOf(await next(account))?.state).toBe("ok");
    expect(await csatSystem(account)).toBe("survey");
    rate();
    world.settings.legacyEndpoint = 200;
    expect(stateOf(await next(account))?.state).toBe("ok");
    expect(await csatSystem(account)).toBe("both");
    // The one with the newest answers is the one that the account runs.
    world.settings.surveyEndpoint = 403;
    rate();
    expect(stateOf(await next(account))).toMatchObject({
      state: "failed",
      failure: { code: "forbidden", message: expect.stringContaining("survey responses") },
    });
    Object.assign(world.settings, { surveyEndpoint: 200, legacyEndpoint: 403 });
    expect(stateOf(await next(account))?.state).toBe("ok");
    await expectTrueRatings(account);
  });

  it("of an earlier start are not taken as read while a system refuses them", async () => {
    const world = newWorld({ satisfaction: "survey", legacyEndpoint: 200 });
    world.at(new Date(world.now() - 90 * DAY).toISOString(), () =>
      world.ratings.rate(world.tickets.create({ status: "solved" }).id, "bad"),
    );
    world.tickets.create({});
    world.advance(5 * MINUTE);
    const account = await connect(database, world, { history: { history_days: 40 } });
    await account.sync();
    expect(await ratings(account)).toEqual([]);
    await account.read((trx) => trx.updateTable("connection").set({ history_days: 200 }).execute());
    const old = String(world.now() - 60 * DAY);
    const isOld = ({ query }: { query: URLSearchParams }) => (query.get("filter[created_at_start]") ?? "9") < old;
    account.zendesk.faults.add({ path: "/api/v2/guide", when: isOld }, fault.forbidden("scope"));
    expect(stateOf(await next(account))).toMatchObject({ state: "failed", failure: { code: "missing_scope" } });
    account.zendesk.faults.clear();
    expect(stateOf(await next(account))?.state).toBe("ok");
    await expectTrueRatings(account);
  });

  it("that are refused to the check of the past year leave it undone", async () => {
    const world = newWorld({ satisfaction: "survey", legacyEndpoint: 200 });
    world.ratings.rate(world.tickets.create({ status: "solved" }).id, "bad");
    world.advance(HOUR);
    const account = await connect(database, world);
    await account.sync();
    world.advance(HOUR);
    // The hourly reading asks twice, for two slices; then the night's comparison.
    const yearAgo = String(world.now() - 300 * DAY);
    const isYear = ({ query }: { query: URLSearchParams }) => (query.get("filter[created_at_start]") ?? "9") < yearAgo;
    account.zendesk.faults.add({ path: "/api/v2/guide", when: isYear }, fault.forbidden("scope"));
    const night = await account.sync({ mode: "reconcile" });
    expect(night.verified).toBeUndefined();
    expect(stateOf(night)).toMatchObject({ state: "failed", failure: { code: "missing_scope" } });
    account.zendesk.faults.clear();
    world.advance(DAY);
    expect((await account.sync({ mode: "reconcile" })).verified).toBeDefined();
  });

  it("lose nothing when their reading is refused in the middle", async () => {
    const world = newWorld();
    for (let n = 0; n < 250; n++) world.ratings.rate(world.tickets.create({ status: "solved" }).id, "bad");
    world.advance(5 * MINUTE);
    const account = await connect(database, world);
    account.zendesk.faults.add({ path: "/api/v2/satisfaction_ratings", page: 2 }, fault.status(403), { times: 1 });
    expect(stateOf(await account.sync())?.state).toBe("failed");
    expect(stateOf(await next(account))?.state).toBe("ok");
    await expectTrueRatings(account);
  });
});
