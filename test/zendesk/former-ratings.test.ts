import { describe, expect, it } from "vitest";
import { useDatabase } from "#test/support/database.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import { DAY, HOUR } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Account, connect } from "#test/zendesk/account.ts";

const database = useDatabase();

const newWorld = (settings = {}) => new World({ subdomain: "acme", clock: "2026-03-02T09:00:00Z", settings });
const entries = async (account: Account) => {
  const rows = await account.read((trx) =>
    trx
      .selectFrom("timeline_entry")
      .select(["occurred_at", "comment"])
      .where("connection_id", "=", account.connectionId)
      .where("kind", "=", "rating_bad")
      .orderBy("occurred_at")
      .execute(),
  );
  return rows.map(({ occurred_at, comment }) => [occurred_at.getTime(), comment]);
};
const ticketRating = (account: Account) =>
  account.read((trx) =>
    trx
      .selectFrom("ticket")
      .select(["rating", "rated_at"])
      .where("connection_id", "=", account.connectionId)
      .where("subject", "=", "Rated")
      .executeTakeFirstOrThrow(),
  );
async function next(account: Account, mode: "incremental" | "reconcile" | "full" = "incremental", after = HOUR) {
  account.world.advance(after);
  return account.sync({ mode });
}
const second = (world: World) => Math.floor(world.now() / 1000) * 1000;

/** A solved ticket of a new account, read once. */
async function withTicket(settings: object) {
  const world = newWorld(settings);
  const [ticket] = ["Rated", "Beside"].map((subject) => world.tickets.create({ status: "solved", subject }).id) as [
    string,
  ];
  world.advance(HOUR);
  const account = await connect(database, world);
  await account.sync();
  /** Gives the instant of the answer, once it was read. */
  const rate = async (score: string, comment?: string) => {
    world.ratings.rate(ticket, score, comment === undefined ? {} : { comment });
    const at = second(world);
    await next(account);
    return at;
  };
  return { world, account, ticket, rate };
}

describe("an answer that is changed later (row 33)", () => {
  it.each([
    ["legacy", "mutate"],
    ["legacy", "new-record"],
    ["survey", "mutate"],
  ] as const)(
    "stays in the timeline with its words, while the newest one counts (%s, %s)",
    async (satisfaction, ratingMode) => {
      const { world, account, rate } = await withTicket({ satisfaction, ratingMode });
      const bad = await rate("bad", "terrible");
      const good = await rate("good", "better");
      expect(await entries(account)).toEqual([[bad, "terrible"]]);
      expect(await ticketRating(account)).toEqual({ rating: 3, rated_at: new Date(good) });
      const again = await rate("bad", "terrible again");
      expect(await entries(account)).toEqual([
        [bad, "terrible"],
        [again, "terrible again"],
      ]);
      expect(await ticketRating(account)).toEqual({ rating: 1, rated_at: new Date(again) });
      expect(truth(world).answers).toMatchObject([{ score: "bad" }]);
      // Read again, and compared with the past, it stays as it is.
      for (const mode of ["full", "reconcile"] as const) {
        await next(account, mode);
        expect(await entries(account)).toHaveLength(2);
      }
    },
  );

  it("is one entry where it only got its words, and two where they are others", async () => {
    const { account, rate } = await withTicket({ satisfaction: "legacy", ratingMode: "mutate" });
    await rate("bad");
    const told = await rate("bad", "slow");
    expect(await entries(account)).toEqual([[told, "slow"]]);
    const retold = await rate("bad", "slow and rude");
    expect(await entries(account)).toEqual([
      [told, "slow"],
      [retold, "slow and rude"],
    ]);
  });

  it("is no answer where only our copy of it was wrong: the same instant, told differently", async () => {
    const { account, rate } = await withTicket({ satisfaction: "legacy", ratingMode: "mutate" });
    const bad = await rate("bad", "true words");
    await account.read((trx) => trx.updateTable("satisfaction_rating").set({ comment: "false words" }).execute());
    await next(account, "reconcile");
    await account.read((trx) =>
      trx.updateTable("satisfaction_rating").set({ category: "good", score: "good", content_hash: "1" }).execute(),
    );
    await next(account, "reconcile");
    expect(await entries(account)).toEqual([[bad, "true words"]]);
    expect(await account.read((trx) => trx.selectFrom("former_rating").selectAll().execute())).toEqual([]);
  });

  it("leaves the timeline with its ticket and comes back with it; gone for good, its words are forgotten (row 26)", async () => {
    const { world, account, ticket, rate } = await withTicket({ satisfaction: "legacy", ratingMode: "mutate" });
    const bad = await rate("bad", "Secret opinion");
    await rate("good");
    world.tickets.delete(ticket);
    await next(account);
    expect(await entries(account)).toEqual([]);
    world.tickets.restore(ticket);
    await next(account);
    expect(await entries(account)).toEqual([[bad, "Secret opinion"]]);
    world.tickets.vanish(ticket);
    await next(account, "reconcile");
    await next(account, "reconcile", DAY + HOUR);
    const kept = await account.read(async (trx) => [
      await trx.selectFrom("satisfaction_rating").selectAll().execute(),
      await trx.selectFrom("former_rating").selectAll().execute(),
      await trx.selectFrom("timeline_entry").selectAll().execute(),
    ]);
    expect(kept[1]).toHaveLength(1);
    expect(JSON.stringify(kept)).not.toContain("Secret opinion");
  });
});
