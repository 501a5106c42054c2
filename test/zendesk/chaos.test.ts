import { describe, expect, it } from "vitest";
import { inWorkspace } from "#db/client.ts";
import { rebuildMetrics } from "#lib/metrics/rebuild.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { randomWorld } from "#test/support/zendesk/random-world.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import { DAY, HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { seededRandom } from "#test/support/zendesk/world/random.ts";
import { type Account, connect } from "#test/zendesk/account.ts";
import { expectConverged } from "#test/zendesk/stored.ts";

const database = useDatabase();
const quick = { connect: 400, headers: 250, idle: 200, total: 800 };

const troubles = [
  () => fault.status(500),
  () => fault.status(503, {}, { "retry-after": "1" }),
  () => fault.status(409),
  () => fault.html(502),
  () => fault.tooManyRequests({ retryAfter: "1", body: "incremental" }),
  () => fault.tooManyRequests({ retryAfter: null, body: "html" }),
  () => fault.notAPage("html"),
  () => fault.notAPage("empty"),
  () => fault.notAPage("error"),
  () => fault.hang(),
  () => fault.reset("headers"),
  () => fault.reset("body"),
  () => fault.truncate(0.7, { gzip: true, framing: "close" }),
  () => fault.cursorRejected(400),
  () => fault.withoutKeys("end_of_stream", "meta"),
  () => fault.repeatsRows(20),
  () => fault.forbidden("titled"),
  () => fault.inTheMoment("expire", () => {}),
];

/** INV-HONEST: whatever was visible before "fresh through" is stored, in that version or a newer one. */
async function expectHonest(account: Account): Promise<void> {
  const { fresh, rows } = await account.read(async (trx) => ({
    fresh: await trx
      .selectFrom("stream_state")
      .select("fresh_through")
      .where("connection_id", "=", account.connectionId)
      .where("stream", "=", "tickets")
      .where("purpose", "=", "incremental")
      .executeTakeFirst(),
    rows: await trx
      .selectFrom("ticket")
      .select(["id", "generated_timestamp"])
      .where("connection_id", "=", account.connectionId)
      .execute(),
  }));
  const through = (fresh?.fresh_through?.getTime() ?? 0) / 1000;
  const known = new Map(rows.map((row) => [row.id, Number(row.generated_timestamp)]));
  const tickets = truth(account.world).tickets;
  for (const { id, generatedTimestamp } of tickets) {
    if (generatedTimestamp < through) expect(known.get(id), `ticket ${id}`).toBe(generatedTimestamp);
  }
  // INV-PHANTOM: nothing that never was.
  const real = new Set(tickets.map(({ id }) => id));
  expect(rows.filter(({ id }) => !real.has(id))).toEqual([]);
}

describe("under faults of every kind", () => {
  it.each([101, 102, 103])(
    "no run claims what it has not, and after them everything is true (seed %i)",
    async (seed) => {
      const random = seededRandom(seed);
      const world = randomWorld(seed, { tickets: 80, days: 30, settings: { deletedOrganizationsInExport: true } });
      const account = await connect(database, world);
      for (let round = 0; round < 5; round++) {
        for (let n = 0; n < 3; n++) {
          const kind = troubles[Math.floor(random.next() * troubles.length)]?.() ?? fault.status(500);
          account.zendesk.faults.add({ path: "/api/v2/" }, kind, {
            probability: 0.25,
            seed: seed + round * 10 + n,
            times: 6,
          });
        }
        const options = { deadlines: quick, longestSleep: 2000 };
        const outcome = await account.sync({ mode: round === 3 ? "reconcile" : "incremental", options });
        await expectHonest(account);
        const everything = outcome.streams.length === 7 && outcome.streams.every(({ state }) => state === "ok");
        if (!everything)
          expect(
            outcome.waitingUntil ?? outcome.connectionFailure ?? outcome.streams.find(({ state }) => state !== "ok"),
          ).toBeDefined();
        account.zendesk.faults.clear();
        world.advance(random.next() * DAY + 30 * MINUTE);
      }
      world.advance(HOUR);
      await account.sync();
      world.advance(HOUR);
      expect((await account.sync()).streams.map(({ state }) => state)).toEqual(Array(7).fill("ok"));
      await expectConverged(account);
      const { differing } = await inWorkspace(database.db, account.workspaceId, (trx) =>
        rebuildMetrics(trx, account.workspaceId, new Date(world.now())),
      );
      expect(differing).toBe(0);
    },
    120_000,
  );
});
