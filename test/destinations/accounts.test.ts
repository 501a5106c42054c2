import { expect, onTestFinished, test } from "vitest";
import { inWorkspace } from "#db/client.ts";
import type { Procedure } from "#lib/destinations/attempt.ts";
import { Deliverer } from "#lib/destinations/deliverer.ts";
import { procedures } from "#lib/destinations/procedures/index.ts";
import { routeEvents } from "#lib/destinations/route-events.ts";
import { mostInFlight } from "#lib/destinations/store/claims.ts";
import { tryCredentials } from "#lib/zendesk/credentials.ts";
import { type Ground, makeGround, receive } from "#test/destinations/chaos/ground.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { startZendesk } from "#test/support/zendesk/start.ts";
import { HOUR, SECOND } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { type Calamity, storm } from "#test/support/zendesk/write-faults.ts";

const database = useDatabase();

const names = Array.from({ length: 20 }, (_, index) => `account${String(index + 1).padStart(2, "0")}`);
const [slow = "", limited = "", busy = "", moved = ""] = names;
const neighbour = names.at(-1) ?? "";
const many = 24;
const few = 5;
const countFor = (name: string) => (name === busy ? many : few);

/** Losses that are looked up and collisions that are tried again; whatever waits for a budget is the limited account's part. */
const calamitous: Calamity[] = ["commits, then 502", "commits, then reset", "does nothing, then reset", "conflict"];

interface Place extends Ground {
  name: string;
  world: World;
}

/** Twenty accounts of two workspaces at one deliverer, each with people of its own to be written to it. */
async function open() {
  const worlds = names.map((subdomain) => new World({ subdomain, clock: "2026-03-02T09:00:00Z" }));
  const zendesk = await startZendesk({ worlds });
  const places: Place[] = [];
  for (const [index, world] of worlds.entries()) {
    const beside = index < 2 ? undefined : places[index % 2];
    const ground = await makeGround(database.db, zendesk, world, "customerio", {}, beside);
    places.push({ ...ground, name: names[index] ?? "", world });
  }
  const now = () => new Date((worlds[0] as World).now());
  const load = new Load(new Map(places.map(({ name, scope }) => [scope.connectionId, name])));
  const deliverer = new Deliverer((places[0] as Place).ctx, {
    procedures: { ...procedures, upsert_user: load.measured(procedures.upsert_user) },
    clock: now,
    // Whoever is slow here is slow for as long as the others take.
    client: { sleep: async () => {}, deadlines: { headers: 240_000, idle: 240_000, total: 240_000 } },
  });
  onTestFinished(async () => {
    await deliverer.stop(5000);
    await zendesk.close();
  });
  const workspaces = [...new Set(places.map(({ scope }) => scope.workspaceId))];
  /** Of these accounts, all together: whoever waits for them asks often. */
  const statesOf = async (some: readonly Place[]) => {
    const connections = some.map(({ scope }) => scope.connectionId);
    const read = (workspaceId: number) =>
      inWorkspace(database.db, workspaceId, (trx) =>
        trx
          .selectFrom("delivery")
          .select(["state", "code", "attempts", "due_at as dueAt"])
          .where("workspace_id", "=", workspaceId)
          .where("connection_id", "in", connections)
          .execute(),
      );
    return (await Promise.all(workspaces.map(read))).flat();
  };
  return {
    ...{ worlds, zendesk, places, load, deliverer, now, statesOf },
    /** The connection's login is another account's from now on, as a hand in the database or a backup may have it. */
    async move(place: Place, to: World) {
      const { clientId, clientSecret } = to.credentials;
      const auth = { type: "oauth_client_credentials" as const, clientId, clientSecret };
      const { subdomain } = to;
      const login = await tryCredentials(place.ctx, { subdomain, auth, access: "read_write", now: now() });
      const { workspaceId, connectionId } = place.scope;
      await inWorkspace(database.db, workspaceId, (trx) =>
        trx
          .updateTable("connection")
          .set({ subdomain, ...login.stored })
          .where("id", "=", connectionId)
          .execute(),
      );
    },
    async look() {
      for (const workspaceId of new Set(places.map(({ scope }) => scope.workspaceId)))
        await deliverer.look(workspaceId);
    },
    advance(milliseconds: number) {
      for (const world of worlds) world.advance(milliseconds);
    },
  };
}

/** How much is under way at once. */
class Load {
  private readonly running = new Map<string, number>();
  /** By account. */
  readonly most = new Map<string, number>();
  mostAccounts = 0;

  constructor(private readonly names: ReadonlyMap<number, string>) {}

  measured(procedure: Procedure): Procedure {
    return async (attempt) => {
      const name = this.names.get(attempt.scope.connectionId) ?? "";
      this.add(name, 1);
      try {
        return await procedure(attempt);
      } finally {
        this.add(name, -1);
      }
    };
  }

  private add(name: string, change: number): void {
    const running = (this.running.get(name) ?? 0) + change;
    this.running.set(name, running);
    this.most.set(name, Math.max(running, this.most.get(name) ?? 0));
    this.mostAccounts = Math.max(this.mostAccounts, [...this.running.values()].filter((count) => count > 0).length);
  }
}

const until = async (isSo: () => Promise<boolean> | boolean) => {
  for (let step = 0; step < 600 && !(await isSo()); step++) await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await isSo()).toBe(true);
};

test("of twenty accounts with lost answers each gets its own writes, once; a slow one and one that takes nothing hold up none (rows 8, 106, INV-ISO, INV-ONCE)", async () => {
  const { worlds, zendesk, places, load, deliverer, look, move, advance, now, statesOf } = await open();
  const others = places.filter(({ name }) => ![slow, limited, moved].includes(name));
  const part = (name: string) => places.filter((place) => place.name === name);
  const areDone = async (some: readonly Place[]) => (await statesOf(some)).every(({ state }) => state === "done");

  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  let hanging = 0;
  const users = { method: "POST", path: "/api/v2/users" };
  zendesk.faults.before({ ...users, subdomain: slow }, async () => {
    hanging++;
    await released;
  });
  const refused = zendesk.faults.add({ ...users, subdomain: limited }, fault.tooManyRequests({ retryAfter: "3600" }));
  const isOther = ({ subdomain }: { subdomain: string }) => subdomain !== slow && subdomain !== limited;
  const weather = storm(zendesk.faults, { seed: 106, share: 0.2, kinds: calamitous, match: { when: isOther } });

  // The same ids everywhere: what goes to the wrong account would be taken there.
  for (const place of places) {
    const people = Array.from({ length: countFor(place.name) }, (_, n) => ({
      messageId: `${place.name}-${n}`,
      type: "identify" as const,
      payload: {
        ...{ type: "identify", userId: `u-${n}` },
        traits: { email: `u${n}@example.com`, name: `Of ${place.name}` },
      },
    }));
    await receive(place, people, now());
    await routeEvents(place.ctx, place.scope.workspaceId, now());
  }
  await move(part(moved)[0] as Place, zendesk.world(neighbour));
  await look();
  await until(async () => (await statesOf(others)).every(({ attempts }) => attempts > 0));
  expect(weather.strikes).toBeGreaterThan(10);
  weather.remove();
  for (let round = 0; round < 5 && !(await areDone(others)); round++) {
    advance(40 * SECOND);
    await look();
    await until(async () => (await statesOf(others)).every(({ dueAt }) => dueAt === null || dueAt > now()));
  }

  // All of the others are through, while these two have got nothing done.
  expect(await areDone(others)).toBe(true);
  const states = (name: string) => statesOf(part(name));
  expect(new Set((await states(slow)).map(({ state }) => state))).toEqual(new Set(["sending", "queued"]));
  expect(hanging).toBe(mostInFlight);
  expect(new Set((await states(limited)).map(({ state }) => state))).toEqual(new Set(["queued"]));
  const asked = zendesk.journal.to("/api/v2/users", limited).filter(({ method }) => method === "POST");
  expect(asked.length).toBeLessThanOrEqual(mostInFlight);

  // What was meant for one account is not written to the one that its connection leads to now.
  expect(await states(moved)).toEqual(
    Array(few).fill({ state: "failed", code: "different_account", attempts: 1, dueAt: null }),
  );

  release();
  refused.remove();
  await until(() => areDone(part(slow)));
  advance(2 * HOUR);
  await look();
  await until(() => areDone(places.filter(({ name }) => name !== moved)));
  await deliverer.idle(new Date(Date.now() + 10_000));

  for (const [name, most] of load.most) expect(most, name).toBeLessThanOrEqual(mostInFlight);
  expect(load.most.size).toBe(names.length);
  // One process writes to four accounts at once.
  expect(load.mostAccounts).toBeGreaterThan(1);
  expect(load.mostAccounts).toBeLessThanOrEqual(4);
  const created = zendesk.effects.of("user.created");
  for (const world of worlds) {
    const own = created.filter(({ subdomain }) => subdomain === world.subdomain).map(({ values }) => values);
    const wanted = Array.from({ length: countFor(world.subdomain) }, (_, n) => [`u-${n}`, `Of ${world.subdomain}`]);
    const got = own.map(({ external_id, name }) => [external_id, name]);
    expect(got.toSorted(), world.subdomain).toEqual(world.subdomain === moved ? [] : wanted.toSorted());
  }
}, 240_000);
