import { type Db, inWorkspace } from "#db/client.ts";
import { drainConnection } from "#lib/destinations/drain.ts";
import { procedures } from "#lib/destinations/procedures/index.ts";
import { replayDeliveries } from "#lib/destinations/replay.ts";
import { routeEvents } from "#lib/destinations/route-events.ts";
import type { Profile } from "#lib/destinations/shapes.ts";
import { nextDue } from "#lib/destinations/store/deliveries.ts";
import { busyEvents } from "#test/destinations/chaos/events.ts";
import { type Ground, killable, makeGround, receive } from "#test/destinations/chaos/ground.ts";
import { countsOf, deliveriesOf, violations } from "#test/destinations/chaos/once.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { MINUTE, SECOND } from "#test/support/zendesk/world/clock.ts";
import { type Random, seededRandom } from "#test/support/zendesk/world/random.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { storm } from "#test/support/zendesk/write-faults.ts";

export interface ChaosRun {
  db: Db;
  seed: number;
  events: number;
  profile?: Profile;
  /** Hears how far it is. */
  tell?: (text: string) => void;
}

export interface ChaosReport {
  seed: number;
  /** What must not be; none where every event had its effect once. */
  violations: string[];
  /** Deliveries by state and code, in the storm and after what was left had been replayed in calm. */
  inStorm: Record<string, number>;
  inCalm: Record<string, number>;
  rounds: number;
  kills: number;
  faults: number;
  requests: number;
}

const mostRounds = 20_000;

/**
 * Sends events through an account that refuses, commits and loses answers at random, by two processes of which one is killed
 * again and again, until nothing is under way any more. Then the storm ends, and what was left to a person is replayed.
 */
export async function runWriteChaos({ db, seed, events, profile, tell = () => {} }: ChaosRun): Promise<ChaosReport> {
  const random = seededRandom(`write chaos ${seed}`);
  const world = new World({ clock: "2026-02-01T09:00:00Z", settings: { eventLag: 5000 } });
  const zendesk = await startZendesk({ worlds: [world] });
  try {
    const chosen = profile ?? (seed % 2 === 0 ? "customerio" : "rudderstack");
    const ground = await makeGround(db, zendesk, world, chosen);
    const sent = busyEvents(seed, events);
    const weather = storm(zendesk.faults, { seed, share: 0.3 });
    const hiccup = zendesk.faults.add({ method: "GET", path: "/api/v2/" }, fault.status(500), {
      probability: 0.02,
      seed,
    });
    const chaos: Chaos = { ground, zendesk, world, random, rounds: 0, kills: 0 };
    const chunk = Math.max(20, Math.ceil(events / 40));
    for (let from = 0; from < sent.length; from += chunk) {
      await receive(ground, sent.slice(from, from + chunk), new Date(world.now()));
      await round(chaos);
      tell(`${Math.min(from + chunk, sent.length)} of ${sent.length} events, ${chaos.rounds} rounds`);
    }
    await settle(chaos);
    const inStorm = countsOf(await deliveriesOf(ground));
    const found = await violations(ground, zendesk, world, sent);
    const faults = weather.strikes + hiccup.strikes;
    zendesk.faults.clear();
    tell("calm");
    for (const state of ["unknown", "failed"] as const)
      await replayDeliveries(ground.ctx, ground.scope.workspaceId, { filter: { state } }, new Date(world.now()));
    await settle(chaos);
    const after = await violations(ground, zendesk, world, sent, { isCalm: true });
    const inCalm = countsOf(await deliveriesOf(ground));
    const { rounds, kills } = chaos;
    const requests = zendesk.journal.entries.length;
    return { seed, violations: [...new Set([...found, ...after])], inStorm, inCalm, rounds, kills, faults, requests };
  } finally {
    await zendesk.close();
  }
}

interface Chaos {
  ground: Ground;
  zendesk: Zendesk;
  world: World;
  random: Random;
  rounds: number;
  kills: number;
}

/** Until nothing waits but for a person. */
async function settle(chaos: Chaos): Promise<void> {
  const { scope, ctx } = chaos.ground;
  const dueAfter = (at: number) => inWorkspace(ctx.db, scope.workspaceId, (trx) => nextDue(trx, scope, new Date(at)));
  while ((await dueAfter(0)) !== null) {
    if (chaos.rounds > mostRounds) throw new Error("It does not come to an end.");
    const now = chaos.world.now();
    const due = (await dueAfter(now))?.getTime() ?? 0;
    // At least until what a killed process held is free again.
    chaos.world.advance(Math.max(chaos.random.between(5, 400) * SECOND, Math.min(6 * MINUTE, due - now)));
    await round(chaos);
  }
}

/** Two processes work at the same time; one of them may be killed in the middle. */
async function round(chaos: Chaos): Promise<void> {
  chaos.rounds++;
  const { ground, world, random, zendesk } = chaos;
  await routeEvents(ground.ctx, ground.scope.workspaceId, new Date(world.now()));
  const victim = process(chaos, "victim");
  const dies = random.chance(0.5) ? dieAfter(zendesk, random.between(1, 12), victim.kill) : null;
  await Promise.all([victim.work(), process(chaos, "survivor").work()]);
  dies?.end();
  if (dies?.isDead()) chaos.kills++;
  world.advance(random.between(1, 60) * SECOND);
}

let processes = 0;

function process({ ground, world }: Chaos, name: string) {
  const { db, kill } = killable(ground.ctx.db);
  const ending = new AbortController();
  const clock = () => new Date(world.now());
  const sleep = async (milliseconds: number) => {
    world.advance(milliseconds);
  };
  return {
    kill() {
      kill();
      ending.abort();
    },
    async work(): Promise<void> {
      const client = { sleep, signal: ending.signal, deadlines: { headers: 2000, idle: 1000, total: 3000 } };
      const working = { holder: `${name}@chaos/${++processes}/ff`, procedures, clock, isEnding: () => false, client };
      // Whatever it still says when it is dead.
      await drainConnection({ ...ground.ctx, db }, ground.scope, working).catch(() => {});
    },
  };
}

/** Kills at a write that Zendesk has been given: before it is answered, or after it was done. */
function dieAfter(zendesk: Zendesk, writes: number, kill: () => void) {
  let seen = 0;
  let isDead = false;
  const strike = () => {
    if (isDead || ++seen < writes) return;
    isDead = true;
    kill();
  };
  const isWrite = /^(POST|PUT|DELETE)$/;
  const match = { path: "/api/v2/", when: ({ method }: { method: string }) => isWrite.test(method) };
  const rule = writes % 2 === 0 ? zendesk.faults.before(match, strike) : zendesk.faults.after(match, strike);
  return { end: () => rule.remove(), isDead: () => isDead };
}
