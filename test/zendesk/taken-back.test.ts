import { describe, expect, it } from "vitest";
import { surveyRatingRow } from "#lib/zendesk/rating-rows.ts";
import { RowReader } from "#lib/zendesk/row-reader.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";

/* An answer about satisfaction that its giver takes back (row 33). */

const database = useDatabase();

async function withAnswer(satisfaction: "legacy" | "survey") {
  const world = new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z", settings: { satisfaction } });
  const { id } = world.tickets.create({ status: "solved" });
  world.ratings.rate(id, "bad", { comment: "Slow" });
  world.advance(5 * MINUTE);
  const account = await connect(database, world);
  await account.sync();
  expect(await ratingOf(account)).toBe(1);
  world.advance(3 * DAY);
  return { world, account };
}
const ratingOf = async (account: Account) => {
  const ticket = await account.read((trx) => trx.selectFrom("ticket").select("rating").executeTakeFirstOrThrow());
  return ticket.rating;
};
const stored = (account: Account) =>
  account.read((trx) =>
    trx.selectFrom("satisfaction_rating").select(["score", "category", "rated_at"]).executeTakeFirstOrThrow(),
  );
async function next(account: Account, mode: "incremental" | "reconcile" = "incremental") {
  account.world.advance(HOUR);
  return account.sync({ mode });
}

/** The giver skips a question that was answered before. */
function skip(world: World): void {
  const answer = world.ratings.surveys()[0]?.answers.find(({ kind }) => kind === "rating_scale");
  Object.assign(answer as object, { skipped: true, updatedAt: world.now() });
}

describe("an answer of a survey that is skipped afterwards", () => {
  it("counts no more with the next run", async () => {
    const { world, account } = await withAnswer("survey");
    skip(world);
    await next(account);
    expect(await ratingOf(account)).toBeNull();
    expect(await stored(account)).toEqual({ score: null, category: null, rated_at: null });
  });

  it("is found by the night where the runs have missed it", async () => {
    const { world, account } = await withAnswer("survey");
    world.advance(50 * DAY);
    await next(account);
    skip(world);
    await next(account);
    expect(await ratingOf(account)).toBe(1);
    expect((await next(account, "reconcile")).verified).toMatchObject({ repaired: 1 });
    expect(await ratingOf(account)).toBeNull();
  });

  it("is a newer version than the answer, by its own instant or that of any other", () => {
    const row = (answers: object[]) =>
      surveyRatingRow(new RowReader(), { id: "01H", subject_zrns: ["zen:ticket:7"], answers });
    const asked = { type: "rating_scale", question: { sub_type: "customer_satisfaction" } };
    const given = { ...asked, rating_category: "bad", skipped: false, updated_at: "2026-01-02T00:00:00.000Z" };
    const words = { type: "open_ended", value: "Slow", skipped: true, updated_at: "2026-01-03T00:00:00.000Z" };
    expect(row([given, words])).toMatchObject({
      category: "bad",
      ratedAt: new Date("2026-01-02T00:00:00Z"),
      updatedAt: new Date("2026-01-03T00:00:00Z"),
    });
    expect(row([{ ...given, skipped: true, created_at: "2026-01-01T00:00:00.000Z" }])).toMatchObject({
      category: null,
      ratedAt: null,
      updatedAt: new Date("2026-01-02T00:00:00Z"),
    });
    expect(row([{ ...asked, skipped: true, created_at: "2026-01-01T00:00:00.000Z" }])?.updatedAt).toEqual(
      new Date("2026-01-01T00:00:00Z"),
    );
    expect(row([])?.updatedAt).toBeNull();
  });
});

it.each([
  ["survey", "/api/v2/guide/survey_responses", { answers: [] }],
  ["legacy", "/api/v2/satisfaction_ratings", { score: "offered", comment: null, updated_at: null }],
] as const)(
  "an answer (%s) that is gone without a word of when counts no more, and comes back",
  async (system, path, gone) => {
    const { account } = await withAnswer(system);
    const active = account.zendesk.faults.add(
      { path },
      fault.changesRows("taken back", (rows) => rows.map((row) => ({ ...row, ...gone }))),
    );
    await next(account);
    expect(await ratingOf(account)).toBeNull();
    active.remove();
    await next(account);
    expect(await ratingOf(account)).toBe(1);
  },
);
