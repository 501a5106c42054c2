import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { inWorkspace } from "#db/client.ts";
import { Deliverer, processDeliverer } from "#lib/destinations/deliverer.ts";
import { procedures } from "#lib/destinations/procedures/index.ts";
import { routeEvents } from "#lib/destinations/route-events.ts";
import type { Procedures } from "#lib/destinations/session.ts";
import { deliverDue } from "#lib/jobs/deliveries.ts";
import { type Holder, holderName, thisHolder } from "#lib/jobs/holder.ts";
import { type Ground, makeGround, receive } from "#test/destinations/chaos/ground.ts";
import { deliveriesOf } from "#test/destinations/chaos/once.ts";
import { useDatabase } from "#test/support/database.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { silentLog } from "#test/zendesk/account-config.ts";

const database = useDatabase();

interface Place extends Ground {
  zendesk: Zendesk;
  deliverer: Deliverer;
}

/** By the machine's own clock, as the process works. */
async function open(given: Partial<Procedures> = {}): Promise<Place> {
  const world = new World({ clock: new Date().toISOString() });
  const zendesk = await startZendesk({ worlds: [world] });
  const ground = await makeGround(database.db, zendesk, world, "customerio");
  const deliverer = new Deliverer(ground.ctx, { procedures: { ...procedures, ...given } });
  onTestFinished(async () => {
    await deliverer.stop(5000);
    await zendesk.close();
  });
  return { ...ground, zendesk, deliverer };
}

const users = (count: number) =>
  Array.from({ length: count }, (_, index) => ({
    messageId: `m-${index}`,
    type: "identify" as const,
    payload: { type: "identify", userId: `u-${index}`, traits: { email: `u${index}@example.com`, name: `U ${index}` } },
  }));
const soon = () => new Date(Date.now() + 20_000);
const until = async (isSo: () => Promise<boolean>) => {
  for (let step = 0; step < 400 && !(await isSo()); step++) await new Promise((resolve) => setTimeout(resolve, 25));
};
const statesOf = async (place: Ground) => (await deliveriesOf(place)).map(({ state }) => state);

describe("the deliverer of a process", () => {
  test("routes and sends what it is nudged for, without anybody waiting", async () => {
    const place = await open();
    await receive(place, users(3), new Date());
    for (let nudge = 0; nudge < 5; nudge++) place.deliverer.nudge(place.scope.workspaceId);
    await until(async () => (await statesOf(place)).filter((state) => state === "done").length === 3);
    expect(await statesOf(place)).toEqual(["done", "done", "done"]);
    expect(place.zendesk.effects.of("user.created")).toHaveLength(3);
  });

  test("takes up by itself what waits for its time", async () => {
    let tries = 0;
    const place = await open({
      upsert_user: async ({ clock }) =>
        ++tries === 1
          ? { state: "waits", until: new Date(clock().getTime() + 50), code: "later", reason: "later" }
          : { state: "done" },
    });
    await receive(place, users(1), new Date());
    place.deliverer.nudge(place.scope.workspaceId);
    await until(async () => (await statesOf(place))[0] === "done");
    expect(await statesOf(place)).toEqual(["done"]);
  });

  test("an account that is slow holds up no other; two workspaces that share one take at most four together", async () => {
    let release = () => {};
    const slow = new Promise<void>((resolve) => {
      release = resolve;
    });
    let running = 0;
    let most = 0;
    const upsert_user: Procedures["upsert_user"] = async ({ scope }) => {
      if (scope.workspaceId === place.scope.workspaceId) await slow;
      else {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, 10));
        running--;
      }
      return { state: "done" };
    };
    const place = await open({ upsert_user });
    const other = new World({ subdomain: "globex", clock: new Date().toISOString() });
    place.zendesk.serve(other);
    const shared = [
      await makeGround(database.db, place.zendesk, other, "customerio"),
      await makeGround(database.db, place.zendesk, other, "customerio"),
    ];
    for (const ground of [place, ...shared]) {
      await receive(ground, users(6), new Date());
      await place.deliverer.look(ground.scope.workspaceId);
    }
    const areDone = async () => (await Promise.all(shared.map(statesOf))).flat().every((state) => state === "done");
    await until(areDone);
    expect(await areDone()).toBe(true);
    expect(most).toBeLessThanOrEqual(4);
    expect(await statesOf(place)).not.toContain("done");
    release();
    await place.deliverer.idle(soon());
    expect(await statesOf(place)).toEqual(Array(6).fill("done"));
  });

  test("what ails one workspace keeps no other from its turn, and is told", async () => {
    const [ailing, well] = [await open(), await open()];
    for (const place of [ailing, well]) await receive(place, users(1), new Date());
    const owner = new pg.Client({ connectionString: database.url });
    await owner.connect();
    await owner.query(`create function disk_is_full() returns boolean language plpgsql as
      $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
      alter table delivery add constraint refuse check (workspace_id <> ${ailing.scope.workspaceId} or disk_is_full())`);
    const told: unknown[] = [];
    const ctx = {
      ...well.ctx,
      log: Object.create(silentLog, { error: { value: (words: object) => told.push(words) } }),
    };
    try {
      await deliverDue(ctx, soon());
      expect([await statesOf(ailing), await statesOf(well)]).toEqual([[], ["done"]]);
      expect(told).toMatchObject([{ workspaceId: ailing.scope.workspaceId }]);
    } finally {
      await owner.query("alter table delivery drop constraint refuse; drop function disk_is_full");
      await owner.end();
      await processDeliverer(ctx).stop(5000);
    }
  });

  test("stops at the end of the requests in hand; the rest is the next one's", async () => {
    const place = await open();
    await receive(place, users(12), new Date());
    let stopped: Promise<void> | null = null;
    place.zendesk.faults.before({ method: "POST", path: "/api/v2/users", nth: 2 }, () => {
      stopped = place.deliverer.stop(10_000);
    });
    await place.deliverer.look(place.scope.workspaceId);
    await until(async () => stopped !== null);
    await stopped;
    const states = await statesOf(place);
    expect(new Set(states)).toEqual(new Set(["done", "queued"]));
    expect(states.filter((state) => state === "done")).toHaveLength(place.zendesk.effects.of("user.created").length);
    const next = new Deliverer(place.ctx, { procedures });
    await next.look(place.scope.workspaceId);
    await next.idle(soon());
    await next.stop(1000);
    expect(await statesOf(place)).toEqual(Array(12).fill("done"));
    expect(place.zendesk.effects.of("user.created")).toHaveLength(12);
  });

  test("what a dead process of this installation had in hand is free at once; a living neighbour's stays", async () => {
    const place = await open();
    const { workspaceId } = place.scope;
    const dataDir = mkdtempSync(join(tmpdir(), "deliverer-"));
    onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
    const ctx = { ...place.ctx, config: { ...place.ctx.config, dataDir } };
    const deliverer = new Deliverer(ctx, { procedures });
    await receive(place, users(1), new Date());
    await routeEvents(ctx, workspaceId, new Date());
    const isHeldBy = async (holder: Holder) => {
      const claim = { claimed_by: `${holderName(holder)}/1`, claimed_until: new Date(Date.now() + 200_000) };
      await inWorkspace(database.db, workspaceId, (trx) => trx.updateTable("delivery").set(claim).execute());
      await deliverer.freeFormer(workspaceId);
      return (await deliveriesOf(place))[0]?.claimed_until !== null;
    };
    const self = thisHolder(dataDir);
    expect(await isHeldBy({ ...self, instance: "elsewhere@host" })).toBe(true);
    expect(await isHeldBy({ ...self, pid: 2 ** 22 + 1, nonce: "dead" })).toBe(false);
  });
});
