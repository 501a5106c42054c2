import { describe, expect, test } from "vitest";
import { filing } from "#lib/destinations/lanes.ts";
import { claimDeliveries, settleDelivery } from "#lib/destinations/store/claims.ts";
import { decide, lockDelivery } from "#lib/destinations/store/decisions.ts";
import type { StoredDelivery } from "#lib/destinations/store/deliveries.ts";
import { saveExchanges } from "#lib/destinations/store/exchanges.ts";
import { requeueHeld } from "#lib/destinations/store/requeue.ts";
import { openQueue, type Queue } from "#test/destinations/queue-ground.ts";
import { useDatabase } from "#test/support/database.ts";
import { MINUTE, SECOND } from "#test/support/zendesk/world/clock.ts";
import { seededRandom } from "#test/support/zendesk/world/random.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { commitsThen } from "#test/support/zendesk/write-faults.ts";

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
    await lockDelivery(trx, queue.scope.workspaceId, first, queue.clock());
    await decide(trx, queue.scope.workspaceId, first, { state: "failed", due_at: null }, queue.clock());
  });
  expect(await waiting()).toEqual([null, null, second]);
  // Taken up again, it is before those that came after it.
  await queue.read(async (trx) => {
    await lockDelivery(trx, queue.scope.workspaceId, first, queue.clock());
    await decide(trx, queue.scope.workspaceId, first, { state: "queued", due_at: queue.clock() }, queue.clock());
  });
  expect(await waiting()).toEqual([null, first, second]);
});

/** Something was sent by this try, and nothing was heard of it. */
const lostAnswer = (step: string, attempt: number, at: Date) => ({
  ...{ position: attempt, attempt, step, isWrite: true, method: "POST", path: "/api/v2/x", request: null },
  ...{ status: null, response: null, outcome: "unknown" as const, sentAt: at, endedAt: at },
});

/** The way in which a try may end here; of an unknown one, what was sent last. */
const endings = ["done", "failed", "held", "queued", "unknown", "unknown"] as const;
const steps = [filing, filing, "create user"];

test.each([1, 2, 3])(
  "whatever is queued, ended and taken up again, those wait that have an older one in a lane, and no others (seed %i)",
  async (seed) => {
    const queue = await openQueue(database);
    const { scope, clock } = queue;
    const random = seededRandom(seed);
    const some = () => lanes.filter(() => random.chance(0.3));
    /** What was sent last by those that are unknown. */
    const sent = new Map<string, string>();
    const isAside = ({ id, action, state }: StoredDelivery) =>
      action === "track_event" && state === "unknown" && sent.get(id) === filing;
    let asides = 0;
    for (let step = 0; step < 40; step++) {
      const action = () => (random.chance(0.7) ? ("track_event" as const) : ("upsert_user" as const));
      const queued = Array.from({ length: random.between(0, 3) }, () => ({ lanes: some(), action: action() }));
      await queue.queue(...queued);
      await queue.read(async (trx) => {
        const claimed = await claimDeliveries(trx, scope, `test/${step}`, 4, { now: clock(), shared: clock() });
        // Whoever is aside may be due at the same time as another of its lanes; they are not worked on together.
        const running = claimed.flatMap((one) => one.lanes);
        expect(new Set(running).size).toBe(running.length);
        for (const delivery of claimed) {
          const isKnown = !delivery.isUnknown;
          const state = endings[random.between(0, 5)] ?? "done";
          const ended = state === "queued" && !isKnown ? "unknown" : state;
          const waits = ended === "queued" || (ended === "unknown" && random.chance(0.8));
          const dueAt = waits
            ? new Date(clock().getTime() + random.between(0, ended === "unknown" ? 20 : 9) * SECOND)
            : null;
          const what = steps[random.between(0, 2)] ?? filing;
          if (ended === "unknown") {
            sent.set(delivery.id, what);
            const exchange = lostAnswer(what, delivery.attempts, clock());
            await saveExchanges(trx, scope.workspaceId, delivery.id, [exchange]);
          }
          const words = { code: ended, reason: null, fix: null, notes: [], result: null, affected: null };
          const counts = { attempts: delivery.attempts, retries: 0 };
          await settleDelivery(trx, scope, delivery, { state: ended, ...words, ...counts, dueAt }, clock());
        }
      });
      const dead = (await rowsOf(queue)).filter(({ state }) => state === "failed");
      const again = dead[random.between(0, Math.max(0, dead.length - 1))];
      await queue.read(async (trx) => {
        if (again && random.chance(0.5)) {
          await lockDelivery(trx, scope.workspaceId, again.id, clock());
          const columns = { state: "queued", due_at: clock(), lanes: some() };
          await decide(trx, scope.workspaceId, again.id, columns, clock());
        }
        const which = { destinationId: queue.destinationId, code: "held", except: "0" };
        if (random.chance(0.2)) await requeueHeld(trx, scope, which, clock());
      });
      queue.world.advance(3 * SECOND);
      const open = (await rowsOf(queue)).filter(({ due_at }) => due_at !== null);
      asides += open.filter(isAside).length;
      const told = open.map(({ id, waits_for }) => [id, waits_for]);
      // An event is no row that another command reads or writes, and it has its own time: its order is nobody's.
      const inLine = open.filter((row) => !isAside(row));
      const meant = open.map((row) => {
        const older = inLine.filter(({ id }) => BigInt(id) < BigInt(row.id));
        const before = older.filter((other) => other.lanes.some((lane) => row.lanes.includes(lane)));
        return [row.id, isAside(row) ? null : (before.at(-1)?.id ?? null)];
      });
      expect(told).toEqual(meant);
    }
    expect(asides).toBeGreaterThan(10);
  },
);

describe("behind a track whose answer was lost", () => {
  const user = { "user.email": "ann@acme.example", "user.external_id": "u-1" };
  const track = (type: string) => ({
    ...{ action: "track_event" as const, messageId: type, lanes: ["u:u-1"] },
    command: { fields: { type, ...user }, unmapped: {} },
  });
  const identify = (name: string) => ({
    ...{ action: "upsert_user" as const, lanes: ["u:u-1"] },
    command: { fields: { email: "ann@acme.example", external_id: "u-1", name }, unmapped: {} },
  });

  async function place() {
    const world = new World({ clock: "2026-03-02T09:00:00Z", settings: { eventLag: MINUTE } });
    const queue = await openQueue(database, world);
    const states = async () => (await rowsOf(queue)).map(({ state }) => state);
    return { ...queue, states };
  }

  test("later calls of the user go on; the event is looked up and filed once (rows 96, 104)", async () => {
    const queue = await place();
    queue.world.users.create({ name: "Ann", email: "ann@acme.example", externalId: "u-1" });
    queue.zendesk.faults.add({ method: "POST", path: /events$/ }, commitsThen("502"), { times: 1 });
    await queue.queue(track("Order Placed"), identify("Ann Lee"), track("Order Paid"));
    await queue.drain();
    expect(await queue.states()).toEqual(["unknown", "done", "done"]);
    queue.world.advance(2 * MINUTE);
    await queue.drain();
    expect(await queue.states()).toEqual(["done", "done", "done"]);
    const filed = queue.zendesk.effects.of("customer_event.received").map(({ messageId }) => messageId);
    expect(filed).toEqual(["Order Placed", "Order Paid"]);
  });

  test("they wait where it is the user of whom nobody knows whether they were created (X-1)", async () => {
    const queue = await place();
    await queue.read((trx) => trx.updateTable("destination").set({ unknown_user_on_track: "create" }).execute());
    queue.zendesk.faults.add({ method: "POST", path: "/api/v2/users" }, commitsThen("502"), { times: 1 });
    await queue.queue(track("Order Placed"), identify("Ann Lee"));
    await queue.drain();
    expect(await queue.states()).toEqual(["unknown", "queued"]);
    queue.world.advance(5 * SECOND);
    await queue.drain();
    expect(await queue.states()).toEqual(["done", "done"]);
  });
});
