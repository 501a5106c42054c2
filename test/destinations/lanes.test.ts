import { expect, test } from "vitest";
import { claimDeliveries, settleDelivery } from "#lib/destinations/store/claims.ts";
import { decide, lockDelivery } from "#lib/destinations/store/decisions.ts";
import { requeueHeld } from "#lib/destinations/store/requeue.ts";
import { openQueue, type Queue } from "#test/destinations/queue-ground.ts";
import { useDatabase } from "#test/support/database.ts";
import { SECOND } from "#test/support/zendesk/world/clock.ts";
import { seededRandom } from "#test/support/zendesk/world/random.ts";

const database = useDatabase();
const rowsOf = (queue: Queue) => queue.read((trx) => trx.selectFrom("delivery").selectAll().orderBy("id").execute());
const lanes = ["u:1", "u:2", "m:a@x.example", "o:1", "o:2"];

test("a delivery names the one that it waits for, and is free when that ends", async () => {
  const queue = await openQueue(database);
  const [first = "", second = ""] = await queue.queue(
    { lanes: ["u:1"] },
    { lanes: ["u:1", "o:1"] },
    { lanes: ["o:1"] },
  );
  const waiting = async () => (await rowsOf(queue)).map(({ waits_for }) => waits_for);
  expect(await waiting()).toEqual([null, first, second]);
  await queue.read(async (trx) => {
    await lockDelivery(trx, queue.scope.workspaceId, first);
    await decide(trx, queue.scope.workspaceId, first, { state: "failed", due_at: null }, queue.clock());
  });
  expect(await waiting()).toEqual([null, null, second]);
  // Taken up again, it is before those that came after it.
  await queue.read(async (trx) => {
    await lockDelivery(trx, queue.scope.workspaceId, first);
    await decide(trx, queue.scope.workspaceId, first, { state: "queued", due_at: queue.clock() }, queue.clock());
  });
  expect(await waiting()).toEqual([null, first, second]);
});

test.each([1, 2, 3])(
  "whatever is queued, ended and taken up again, those wait that have an older one in a lane, and no others (seed %i)",
  async (seed) => {
    const queue = await openQueue(database);
    const { scope, clock } = queue;
    const random = seededRandom(seed);
    const some = () => lanes.filter(() => random.chance(0.35));
    for (let step = 0; step < 40; step++) {
      await queue.queue(...Array.from({ length: random.between(0, 3) }, () => ({ lanes: some() })));
      await queue.read(async (trx) => {
        const claimed = await claimDeliveries(trx, scope, `test/${step}`, 4, { now: clock(), shared: clock() });
        const running = claimed.flatMap((one) => one.lanes);
        expect(new Set(running).size).toBe(running.length);
        for (const delivery of claimed) {
          const state = (["done", "failed", "held", "queued"] as const)[random.between(0, 3)] ?? "done";
          const dueAt = state === "queued" ? new Date(clock().getTime() + random.between(0, 9) * SECOND) : null;
          const words = { code: state, reason: null, fix: null, notes: [], result: null, affected: null };
          const counts = { attempts: delivery.attempts, retries: 0 };
          await settleDelivery(trx, scope, delivery, { state, ...words, ...counts, dueAt }, clock());
        }
      });
      const dead = (await rowsOf(queue)).filter(({ state }) => state === "failed");
      const again = dead[random.between(0, Math.max(0, dead.length - 1))];
      await queue.read(async (trx) => {
        if (again && random.chance(0.5)) {
          await lockDelivery(trx, scope.workspaceId, again.id);
          const columns = { state: "queued", due_at: clock(), lanes: some() };
          await decide(trx, scope.workspaceId, again.id, columns, clock());
        }
        const which = { destinationId: queue.destinationId, code: "held", except: "0" };
        if (random.chance(0.2)) await requeueHeld(trx, scope, which, clock());
      });
      queue.world.advance(3 * SECOND);
      const open = (await rowsOf(queue)).filter(({ due_at }) => due_at !== null);
      const told = open.map(({ id, waits_for }) => [id, waits_for]);
      const meant = open.map((row, index) => {
        const before = open.slice(0, index).filter((other) => other.lanes.some((lane) => row.lanes.includes(lane)));
        return [row.id, before.at(-1)?.id ?? null];
      });
      expect(told).toEqual(meant);
    }
  },
);
