import { sql } from "kysely";
import { type Db, inWorkspace } from "#db/client.ts";
import { requireDestination } from "#lib/destinations/destinations.ts";
import { drainConnection } from "#lib/destinations/drain.ts";
import { procedures } from "#lib/destinations/procedures/index.ts";
import { approveDelivery, discardDelivery, replayDeliveries } from "#lib/destinations/replay.ts";
import { routeEvents } from "#lib/destinations/route-events.ts";
import type { Profile } from "#lib/destinations/shapes.ts";
import { nextDue } from "#lib/destinations/store/deliveries.ts";
import { queueWriteBack } from "#lib/destinations/write-back.ts";
import { busyEvents, companies } from "#test/destinations/chaos/events.ts";
import { type Ground, killable, makeGround, receive } from "#test/destinations/chaos/ground.ts";
import { countsOf, deliveriesOf, violations } from "#test/destinations/chaos/once.ts";
import type { Approval, Past, WrittenBack } from "#test/destinations/chaos/promises.ts";
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
  /** What was done to the account, by kind. */
  effects: Record<string, number>;
  rounds: number;
  kills: number;
  faults: number;
  requests: number;
}

/** A storm of any number of events is over long before. */
const mostRounds = 2000;

/**
 * Sends events through an account that refuses, commits and loses answers at random, by two processes of which one is killed
 * again and again, until nothing is under way any more: programs that send what was answered already, numbers that are
 * written back, people who approve removals. Then the storm ends, and what was left to a person is replayed.
 */
export async function runWriteChaos({ db, seed, events, profile, tell = () => {} }: ChaosRun): Promise<ChaosReport> {
  const random = seededRandom(`write chaos ${seed}`);
  const world = busyWorld();
  const zendesk = await startZendesk({ worlds: [world] });
  try {
    const chosen = profile ?? (seed % 2 === 0 ? "customerio" : "rudderstack");
    const ground = await makeGround(db, zendesk, world, chosen, { allowRemovals: true });
    const sent = busyEvents(seed, events);
    const weather = storm(zendesk.faults, { seed, share: 0.3 });
    const hiccup = zendesk.faults.add({ method: "GET", path: "/api/v2/" }, fault.status(500), {
      probability: 0.02,
      seed,
    });
    const chaos: Chaos = { ground, zendesk, world, random, rounds: 0, kills: 0, approvals: [], writtenBack: [] };
    const chunk = Math.max(20, Math.ceil(events / 40));
    for (let from = 0; from < sent.length; from += chunk) {
      await receive(ground, sent.slice(from, from + chunk), new Date(world.now()));
      // A program whose answer was lost sends it all again.
      if (random.chance(0.3))
        await receive(ground, sent.slice(Math.max(0, from - chunk), from + 5), new Date(world.now()));
      if (random.chance(0.7)) await writeBackSome(chaos);
      await round(chaos);
      tell(`${Math.min(from + chunk, sent.length)} of ${sent.length} events, ${chaos.rounds} rounds`);
    }
    await settle(chaos);
    const past = async (): Promise<Past> => {
      const { approvals, writtenBack } = chaos;
      return { world, zendesk, profile: chosen, sent, approvals, writtenBack, deliveries: await deliveriesOf(ground) };
    };
    const inStorm = countsOf(await deliveriesOf(ground));
    const found = violations(await past());
    const faults = weather.strikes + hiccup.strikes;
    zendesk.faults.clear();
    tell("calm");
    for (const state of ["unknown", "failed"] as const)
      await replayDeliveries(ground.ctx, ground.scope.workspaceId, { filter: { state } }, new Date(world.now()));
    await settle(chaos);
    const after = violations(await past(), { isCalm: true });
    const inCalm = countsOf(await deliveriesOf(ground));
    const { rounds, kills } = chaos;
    const requests = zendesk.journal.entries.length;
    const violated = [...new Set([...found, ...after])];
    return {
      seed,
      violations: violated,
      inStorm,
      inCalm,
      effects: effectsOf(zendesk),
      rounds,
      kills,
      faults,
      requests,
    };
  } finally {
    await zendesk.close();
  }
}

function effectsOf({ effects }: Zendesk): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { kind } of effects.entries) counts[kind] = (counts[kind] ?? 0) + 1;
  return counts;
}

interface Chaos {
  ground: Ground;
  zendesk: Zendesk;
  world: World;
  random: Random;
  rounds: number;
  kills: number;
  approvals: Approval[];
  writtenBack: WrittenBack[];
}

/** With companies to join, a field for one trait of a user and none for the others, and fields that are written back. */
function busyWorld(): World {
  const world = new World({ clock: "2026-02-01T09:00:00Z", settings: { eventLag: 5000, searchLag: 20_000 } });
  for (const id of companies) world.organizations.create({ name: `Company ${id}`, externalId: id });
  world.definitions.createField("user", { key: "plan", type: "text" });
  world.definitions.createField("organization", { key: "score", type: "integer" });
  world.definitions.createField("organization", { key: "csm", type: "text" });
  return world;
}

/** New numbers of some organizations, as the comparison with what we know would queue them. Unknown ones empty their field. */
async function writeBackSome({ ground, world, random, writtenBack }: Chaos): Promise<void> {
  const { ctx, scope, destinationId } = ground;
  const chosen = world.organizations.list().filter(() => random.chance(0.5));
  const values = chosen.flatMap(({ id: organizationId }) => [
    { organizationId, field: "score", value: random.chance(0.2) ? null : String(random.between(0, 100)) },
    ...(random.chance(0.5) ? [{ organizationId, field: "csm", value: `ann${random.between(1, 99)}@example.com` }] : []),
  ]);
  await inWorkspace(ctx.db, scope.workspaceId, async (trx) => {
    const destination = await requireDestination(trx, scope.workspaceId, String(destinationId));
    await queueWriteBack(trx, destination, values, new Date(world.now()));
    const { rows } = await sql<{ organizationId: string; field: string; deliveryId: string }>`
      select organization_id as "organizationId", organization_field as field, delivery_id as "deliveryId"
        from write_back_value where workspace_id = ${scope.workspaceId}`.execute(trx);
    const noted = new Map(rows.map((row) => [`${row.organizationId} ${row.field}`, row.deliveryId]));
    for (const value of values) {
      const deliveryId = noted.get(`${value.organizationId} ${value.field}`) ?? "";
      writtenBack.push({ ...value, deliveryId });
    }
  });
}

/** A person reads what removals wait for and says yes or no, now and then, or (`all`) to every one. Gives to how many. */
async function decideSome({ ground, world, random, approvals }: Chaos, all = false): Promise<number> {
  const { ctx, scope } = ground;
  const held = (await deliveriesOf(ground)).filter(
    ({ state, code }) => state === "held" && ["removal", "removal_grown"].includes(code ?? ""),
  );
  const chosen = held.filter(() => all || random.chance(0.4));
  for (const { id, code, command, affected } of chosen) {
    const { fields } = JSON.parse(command) as { fields: Record<string, string> };
    const tickets = (JSON.parse(affected ?? "[]") as { id: string }[]).map((ticket) => ticket.id);
    const at = world.now();
    const isAllowed = approvals.length === 0 || random.chance(0.8);
    const decide = isAllowed ? approveDelivery : discardDelivery;
    await inWorkspace(ctx.db, scope.workspaceId, (trx) =>
      decide(trx, scope.workspaceId, id, "Ada", new Date(at), code),
    );
    if (!isAllowed) continue;
    approvals.push({ at, userId: fields["user.external_id"] ?? "", company: fields.organization_id ?? "", tickets });
  }
  return chosen.length;
}

/** Until nothing waits but for a person, and no removal even for one; or until it will not come to an end, which tells later. */
async function settle(chaos: Chaos): Promise<void> {
  const { scope, ctx } = chaos.ground;
  const dueAfter = (at: number) => inWorkspace(ctx.db, scope.workspaceId, (trx) => nextDue(trx, scope, new Date(at)));
  while ((await dueAfter(0)) !== null || (await decideSome(chaos, true)) > 0) {
    if (chaos.rounds > mostRounds) return;
    const now = chaos.world.now();
    const due = (await dueAfter(now))?.getTime() ?? 0;
    // At least until what a killed process held is free again.
    chaos.world.advance(Math.max(chaos.random.between(5, 400) * SECOND, Math.min(6 * MINUTE, due - now)));
    await round(chaos);
  }
  // What Zendesk does by itself after the last of them.
  chaos.world.advance(MINUTE);
}

/** Two processes work at the same time; one of them may be killed in the middle. */
async function round(chaos: Chaos): Promise<void> {
  chaos.rounds++;
  const { ground, world, random, zendesk } = chaos;
  await routeEvents(ground.ctx, ground.scope.workspaceId, new Date(world.now()));
  const victim = process(chaos, "victim");
  const dies = random.chance(0.5) ? dieAfter(zendesk, random.between(1, 12), victim.kill) : null;
  await Promise.all([victim.work(), process(chaos, "survivor").work(), decideSome(chaos)]);
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
