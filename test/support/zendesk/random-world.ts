import { DAY, HOUR, MINUTE } from "./world/clock.ts";
import type { Id } from "./world/ids.ts";
import { type Random, seededRandom } from "./world/random.ts";
import { priorities, type WorldSettings } from "./world/settings.ts";
import { World, type WorldOptions } from "./world/world.ts";

export interface RandomWorldOptions {
  subdomain?: string;
  /** Until now; as many more per day follow when the clock is moved on. Default 200. */
  tickets?: number;
  /** Default 12. */
  organizations?: number;
  /** End users. Default 3 an organization. */
  users?: number;
  /** How far back the history reaches. Default 120. */
  days?: number;
  /** How far the planned future reaches. Default 30 days. */
  futureDays?: number;
  /** Default 2026-03-02T09:00:00Z. */
  now?: Date | string;
  /** Fixed ones; the rest is drawn from the seed. */
  settings?: Partial<WorldSettings>;
  ids?: WorldOptions["ids"];
  /** Begins every name and subject: whose row it is. Default: nothing. */
  mark?: string;
  /** Organizations are renamed, merged and deleted, users move. Default true. */
  turmoil?: boolean;
}

interface Cast {
  world: World;
  random: Random;
  agents: Id[];
  requesters: Id[];
  fieldId: Id;
  mark: string;
}

/**
 * An account that the seed decides: histories with every kind of change that an account knows. What lies behind
 * `now` has happened, what lies before it happens when the clock is moved.
 */
export function randomWorld(seed: number, options: RandomWorldOptions = {}): World {
  const random = seededRandom(seed);
  const now = new Date(options.now ?? "2026-03-02T09:00:00Z").getTime();
  const days = options.days ?? 120;
  const world = new World({
    clock: new Date(now - days * DAY),
    settings: { ...drawnSettings(random), ...options.settings },
    ...(options.subdomain !== undefined && { subdomain: options.subdomain }),
    ...(options.ids !== undefined && { ids: options.ids }),
  });
  const cast = peopled(world, random, options);
  const tickets = options.tickets ?? 200;
  const end = now + (options.futureDays ?? 30) * DAY;
  const future = Math.round((tickets / days) * (options.futureDays ?? 30));
  const moments = [
    ...instants(random, tickets, now - days * DAY, now - 5 * MINUTE),
    ...instants(random, future, now, end),
  ];
  for (const moment of moments) world.schedule.plan(moment, () => liveTicket(cast));
  if (options.turmoil ?? true) planTurmoil(cast, now - days * DAY, end);
  planSatisfactionSwitch(cast, options, now - days * DAY, end);
  return world.advanceTo(now);
}

function drawnSettings(random: Random): Partial<WorldSettings> {
  return {
    satisfaction: "legacy",
    ratingMode: random.pick(["mutate", "new-record"]),
    previousValues: random.chance(0.7),
    deletedOrganizationsInExport: random.chance(0.5),
    deletionAudits: random.chance(0.3),
    endOfStream: random.pick(["exact", "late"]),
    emptyEndTime: random.pick(["echo", "null"]),
    leaverTickets: random.pick(["null", "default"]),
    deletedOrganizationTickets: random.pick(["null", "keep"]),
  };
}

function peopled(world: World, random: Random, options: RandomWorldOptions): Cast {
  const count = options.organizations ?? 12;
  const mark = options.mark ?? "";
  world.definitions.createField("organization", { key: "account_number", title: "Account number" });
  const field = world.definitions.createField("ticket", { key: "area", title: "Area" });
  world.definitions.createCustomStatus({ category: "open", agentLabel: "Waiting for engineering" });
  const groups = ["Billing", "Technical"].map((name) => world.definitions.createGroup({ name }).id);
  const agents = ["Bo Berg", "Cleo Canto", "Dov Drake"].map(
    (name, position) =>
      world.users.create({
        name,
        email: `agent${position}@${world.subdomain}.example`,
        role: "agent",
        defaultGroupId: groups[position % groups.length] ?? null,
      }).id,
  );
  const organizations = Array.from(
    { length: count },
    (_, position) => randomOrganization(world, random, position, mark).id,
  );
  const requesters = Array.from({ length: options.users ?? count * 3 }, (_, position) => {
    const organizationId = random.chance(0.9) ? (organizations[position % Math.max(1, count)] ?? null) : null;
    const user = world.users.create({
      name: `${mark}User ${position}`,
      email: `user${position}@mail.example`,
      organizationId,
    });
    if (random.chance(0.1) && count > 1) {
      const second = random.pick(organizations);
      if (second !== organizationId) world.users.join(user.id, second);
    }
    return user.id;
  });
  if (requesters.length === 0) requesters.push(world.users.defaultRequester().id);
  return { world, random, agents, requesters, fieldId: field.id, mark };
}

function randomOrganization(world: World, random: Random, position: number, mark: string) {
  return world.organizations.create({
    name: `${mark}Organization ${position}`,
    externalId: random.chance(0.7) ? `ext-${position}` : null,
    domainNames: random.chance(0.6) ? [`org${position}.example`] : [],
    fields: { account_number: random.chance(0.5) ? String(1000 + position) : null },
    tags: random.chance(0.3) ? ["key_account"] : [],
  });
}

/** Whole seconds, some of them shared by several tickets. */
function instants(random: Random, count: number, from: number, to: number): number[] {
  const result: number[] = [];
  for (let i = 0; i < count; i++) {
    const previous = result.at(-1);
    const burst = previous !== undefined && random.chance(0.1);
    result.push(burst ? previous : Math.floor((from + random.next() * (to - from)) / 1000) * 1000);
  }
  return result;
}

function liveTicket(cast: Cast): void {
  const { world, random } = cast;
  const living = cast.requesters.filter((id) => world.users.byId.get(id)?.mergedInto === null);
  const ticket = world.tickets.create({
    subject: `${cast.mark}${random.pick(["Cannot", "How to", "Where to", "Please"])} ${random.pick(["export", "log in", "pay"])}`,
    priority: random.pick(priorities),
    type: random.pick(["problem", "question", "incident", "task", null]),
    requesterId: random.pick(living),
    assigneeId: random.chance(0.6) ? random.pick(cast.agents) : null,
    customFields: random.chance(0.4) ? { [cast.fieldId]: random.pick(["login", "billing"]) } : {},
    channel: random.pick(["web", "email", "api"]),
  });
  planNext(cast, ticket.id);
}

function planNext(cast: Cast, id: Id): void {
  const { world, random } = cast;
  const wait = random.chance(0.05) ? 0 : Math.round(random.exponential(18)) * HOUR + random.between(1, 3000) * 1000;
  world.schedule.plan(world.now() + wait, () => act(cast, id));
}

/** One step in a ticket's life; most lead on to another. */
function act(cast: Cast, id: Id): void {
  const { world, random } = cast;
  const { tickets } = world;
  const ticket = tickets.existing(id);
  if (ticket.deleted) {
    if (!ticket.scrubbed && random.chance(0.4)) tickets.restore(id);
    else if (random.chance(0.5)) tickets.scrub(id);
    return;
  }
  if (ticket.status === "closed") {
    if (random.chance(0.3) && !ticket.archived) tickets.archive(id);
    return;
  }
  if (random.chance(0.02)) tickets.delete(id);
  else if (ticket.status === "solved") actOnSolved(cast, id);
  else actOnOpen(cast, id);
  planNext(cast, id);
}

function actOnSolved(cast: Cast, id: Id): void {
  const { world, random } = cast;
  const step = random.weighted([
    ["rate", 4],
    ["reopen", 2],
    ["close", 3],
    ["offer", 1],
    ["touch", 1],
  ] as const);
  if (step === "reopen") world.tickets.reopen(id);
  if (step === "close") world.tickets.closeSolved(id);
  if (step === "touch") world.tickets.systemTouch(id);
  if (step === "offer") world.ratings.offer(id);
  if (step === "rate" && world.ratings.canRate(id)) {
    const survey = world.settings.satisfaction === "survey";
    const score = random.pick(survey ? ["good", "good", "neutral", "bad"] : ["good", "good", "bad"]);
    world.ratings.rate(id, score, random.chance(0.5) ? { comment: `That was ${score}` } : {});
  }
}

function actOnOpen(cast: Cast, id: Id): void {
  const { world, random } = cast;
  const { tickets } = world;
  const by = random.pick(cast.agents);
  const step = random.weighted([
    ["solve", 5],
    ["priority", 2],
    ["wait", 2],
    ["assign", 2],
    ["comment", 2],
    ["rename", 1],
    ["move", 1],
    ["field", 1],
    ["merge", 0.4],
  ] as const);
  if (step === "solve") tickets.solve(id, { by, comment: { body: "Done." } });
  if (step === "priority") tickets.update(id, { priority: random.pick(priorities) }, { by });
  if (step === "wait") tickets.update(id, { status: random.pick(["pending", "hold", "open"]) }, { by });
  if (step === "assign") tickets.update(id, { assigneeId: by }, { by });
  if (step === "comment") tickets.comment(id, "Looking into it.", { by, isPublic: random.chance(0.7) });
  if (step === "rename") tickets.update(id, { subject: `${tickets.existing(id).subject} again` }, { by });
  if (step === "field") tickets.update(id, { customFields: { [cast.fieldId]: "other" } }, { by });
  if (step === "move") {
    const organization = random.pick([...world.organizations.list(), null]);
    tickets.update(id, { organizationId: organization?.id ?? null }, { by });
  }
  if (step === "merge") mergeWithAnother(cast, id, by);
}

function mergeWithAnother(cast: Cast, id: Id, by: Id): void {
  const { tickets } = cast.world;
  for (const other of tickets.byId.values()) {
    if (other.id === id || other.deleted || ["solved", "closed"].includes(other.status)) continue;
    tickets.merge(other.id, [id], by);
    return;
  }
}

/** Organizations and users on the move: some two steps a week. */
function planTurmoil(cast: Cast, from: number, to: number): void {
  const { random } = cast;
  const steps = Math.round(((to - from) / DAY) * 0.3);
  for (const moment of instants(random, steps, from, to)) cast.world.schedule.plan(moment, () => stir(cast));
}

function stir(cast: Cast): void {
  const { world, random } = cast;
  const { organizations, users } = world;
  const living = organizations.list();
  const user = random.pick(cast.requesters.filter((id) => world.users.byId.get(id)?.mergedInto === null));
  const one = living[random.between(0, Math.max(0, living.length - 1))];
  const other = living.find((row) => row.id !== one?.id);
  if (one === undefined || other === undefined) return;
  const step = random.between(0, 9);
  const fresh = world.ids.next();
  if (step === 0) organizations.update(one.id, { name: `${cast.mark}Renamed ${fresh}` });
  if (step === 1) organizations.swapNames(one.id, other.id);
  if (step === 2 && living.length > 4) organizations.merge(one.id, other.id, { leaveClosed: random.chance(0.5) });
  if (step === 3 && living.length > 4) organizations.delete(one.id);
  if (step === 4) users.update(user, { organizationId: one.id });
  if (step === 5 && users.existing(user).organizationId !== null) {
    users.leave(user, users.existing(user).organizationId as Id);
  }
  if (step === 6) organizations.update(one.id, { externalId: random.chance(0.5) ? `moved-${fresh}` : null });
  if (step === 7) users.update(user, { name: `${users.existing(user).name} the second` });
  if (step === 8) organizations.create({ name: `${cast.mark}Newcomer ${fresh}`, externalId: `new-${fresh}` });
  if (step === 9 && cast.requesters.length > 4) mergeUsers(cast, user);
}

function mergeUsers(cast: Cast, loser: Id): void {
  const winner = cast.requesters.find((id) => id !== loser && cast.world.users.byId.get(id)?.mergedInto === null);
  if (winner !== undefined) cast.world.users.merge(loser, winner);
}

/** Half of the accounts change to surveys somewhere in the middle. */
function planSatisfactionSwitch(cast: Cast, options: RandomWorldOptions, from: number, to: number): void {
  if (options.settings?.satisfaction !== undefined || cast.random.chance(0.5)) return;
  const { world } = cast;
  world.schedule.plan(from + (to - from) * 0.6, () => {
    world.settings.satisfaction = "survey";
  });
}
