import { type Clock, DAY } from "../world/clock.ts";
import type { Id } from "../world/ids.ts";
import { type Random, seededRandom } from "../world/random.ts";
import { World } from "../world/world.ts";
import { type DemoAccount, inventAccounts, type OrganizationPlan, planOrganizations } from "./accounts.ts";
import { domainOf, emailOf, personName } from "./names.ts";
import { planPulse } from "./pulse.ts";
import { busyness, momentOf, rounded, startOfDay } from "./rhythm.ts";
import { type Story, stories } from "./stories.ts";
import { type Desk, everyday, writeTicket } from "./ticket-life.ts";

export interface CompanyOptions {
  seed?: number;
  /** Live by default: then activity goes on for as long as the world is asked. */
  clock: Clock;
  /**
   * The day from which the stories count. The same seed and day give the same company however often it is founded
   * again, gone on until the clock's now. Default: now.
   */
  foundedAt?: Date | string;
  /** Default `tarnwick`. */
  subdomain?: string;
  /** Over the whole history. Default 30,000. */
  tickets?: number;
  /** Default 300. */
  accounts?: number;
  /** Length of the history. Default two years. */
  days?: number;
  /** From the founding day on something happens every minute or so, for whoever watches. Default: the pace of the history. */
  lively?: boolean;
}

export interface Company {
  world: World;
  /** For `POST /api/v1/accounts/bulk`. */
  accounts: DemoAccount[];
}

interface Customer {
  people: Id[];
  weight: number;
}

/** A maker of rostering software with its customers, and two years of what they wrote. */
export function foundCompany(options: CompanyOptions): Company {
  const { clock, seed = 1, subdomain = "tarnwick", days = 730 } = options;
  const random = seededRandom(seed);
  const now = new Date(options.foundedAt ?? clock.now()).getTime();
  const openedAt = startOfDay(now) - days * DAY;
  const world = new World({
    subdomain,
    clock,
    openedAt,
    settings: { satisfaction: "legacy", deletedOrganizationsInExport: true },
    admin: { name: "Nora Castell", email: "admin@tarnwick.example" },
  });
  const names = [...new Set(stories.map((story) => story.account))];
  const accounts = inventAccounts(random.fork("accounts"), options.accounts ?? 300, now, names);
  world.at(openedAt, () => {
    const desk = openDesk(world, random.fork("desk"));
    const plans = planOrganizations(random.fork("organizations"), accounts, names.length);
    const told = tellStories(desk, plans, now, random.fork("stories"));
    const customers = plans.slice(names.length).map((plan) => foundCustomer(desk, plan, random));
    const ordinary = Math.max(0, (options.tickets ?? 30_000) - told * days);
    planEveryday(desk, customers, { openedAt, days, perDay: ordinary / days });
    planChanges(world, random.fork("changes"), now);
    if (options.lively) planPulse(desk, now);
  });
  world.catchUp();
  return { world, accounts };
}

function openDesk(world: World, random: Random): Desk {
  const groups = ["Rosters", "Payroll", "Technical", "Billing"].map((name) => world.definitions.createGroup({ name }));
  const agents = Array.from({ length: 14 }, (_, position) => {
    const group = groups[position % groups.length] ?? groups[0];
    const name = personName(random);
    const groupId = group?.id ?? world.definitions.defaultGroupId;
    const email = emailOf(`${name} ${position}`, "tarnwick.example");
    return { id: world.users.create({ name, email, role: "agent", defaultGroupId: groupId }).id, groupId };
  });
  world.definitions.createField("organization", { key: "crm_id", title: "CRM id" });
  world.definitions.createField("user", { key: "job", title: "Job" });
  world.definitions.createCustomStatus({ category: "pending", agentLabel: "Waiting for customer" });
  const area = world.definitions.createField("ticket", { key: "area", title: "Area", type: "tagger" });
  return { world, random, agents, areaFieldId: area.id };
}

function foundOrganization(world: World, plan: OrganizationPlan): Id {
  const { name, externalId, domainNames, fields, tags } = plan;
  return world.organizations.create({ name, externalId, domainNames, fields, tags }).id;
}

function hire(world: World, random: Random, organizationId: Id, domain: string, count: number): Id[] {
  return Array.from({ length: count }, (_, position) => {
    const name = personName(random);
    const email = emailOf(position === 0 ? name : `${name} ${position}`, domain);
    return world.users.create({ name, email, organizationId }).id;
  });
}

function foundCustomer(desk: Desk, plan: OrganizationPlan, random: Random): Customer {
  const organizationId = foundOrganization(desk.world, plan);
  const domain = plan.domainNames[0] ?? domainOf(plan.name);
  const people = hire(desk.world, random, organizationId, domain, 1 + Math.round(plan.weight * 60));
  return { people, weight: plan.weight };
}

/** Plans each story from its first day on; answers how many tickets of an average day are theirs. */
function tellStories(desk: Desk, plans: readonly OrganizationPlan[], now: number, random: Random): number {
  const organizations = new Map<string, Id>();
  const today = startOfDay(now);
  const { world } = desk;
  for (const story of stories) {
    const plan = plans.find((candidate) => candidate.name === story.account);
    if (plan === undefined) throw new Error(`No account for the story of ${story.account}`);
    const begin = (): void => {
      const organizationId = organizations.get(story.account) ?? foundOrganization(world, plan);
      organizations.set(story.account, organizationId);
      const people = hire(world, random, organizationId, plan.domainNames[0] ?? "", story.people);
      planStoryDay(desk, story, people, random, { today, day: startOfDay(world.now()) });
    };
    if (story.begins === undefined) begin();
    else world.schedule.plan(today + story.begins * DAY, begin);
  }
  return stories.reduce((sum, story) => sum + story.tickets(-400), 0) * 0.8;
}

/** Plans one day of a story, and at its end the next one. */
function planStoryDay(
  desk: Desk,
  story: Story,
  people: readonly Id[],
  random: Random,
  at: { today: number; day: number },
): void {
  const { world } = desk;
  const number = Math.round((at.day - at.today) / DAY);
  const count = rounded(random, story.tickets(number) * busyness(at.day, 1));
  for (let i = 0; i < count; i++) {
    const moment = momentOf(random, at.day);
    world.schedule.plan(moment, () => writeTicket(desk, random.pick(people), story.mood(number)));
  }
  const day = at.day + DAY;
  world.schedule.plan(day, () => planStoryDay(desk, story, people, random, { ...at, day }));
}

interface Plan {
  openedAt: number;
  days: number;
  perDay: number;
}

/** The everyday tickets of everybody else, largest customers most, day by day without end. */
function planEveryday(desk: Desk, customers: readonly Customer[], plan: Plan): void {
  const cumulative: number[] = [];
  let total = 0;
  for (const customer of customers) {
    total += customer.weight;
    cumulative.push(total);
  }
  const pick = (): Customer => {
    const roll = desk.random.next() * total;
    const position = cumulative.findIndex((limit) => roll < limit);
    return customers[position] as Customer;
  };
  const scale = plan.perDay / averageBusyness(plan);
  const planDay = (day: number): void => {
    const age = (day - plan.openedAt) / (plan.days * DAY);
    const count = rounded(desk.random, scale * busyness(day, age));
    for (let i = 0; i < count; i++) {
      const moment = momentOf(desk.random, day);
      desk.world.schedule.plan(moment, () => writeTicket(desk, desk.random.pick(pick().people), everyday));
    }
    desk.world.schedule.plan(day + DAY, () => planDay(day + DAY));
  };
  planDay(plan.openedAt);
}

function averageBusyness({ openedAt, days }: Plan): number {
  let sum = 0;
  for (let day = 0; day < days; day++) sum += busyness(openedAt + day * DAY, day / days);
  return sum / days;
}

/** What else happens in two years: the new rating system, merged and deleted organizations, merged and deleted tickets. */
function planChanges(world: World, random: Random, now: number): void {
  const { schedule, organizations, tickets, settings } = world;
  schedule.plan(now - 240 * DAY, () => {
    settings.satisfaction = "survey";
  });
  for (let month = 1; month <= 8; month++) {
    schedule.plan(now - month * 37 * DAY, () => {
      const trials = organizations.list().filter((row) => row.tags.includes("expired"));
      const nordic = organizations.list().filter((row) => row.name.endsWith("Nordic"));
      const parent = organizations.list().find((row) => nordic[0]?.name === `${row.name} Nordic`);
      if (month % 4 === 0 && nordic[0] !== undefined && parent) organizations.merge(nordic[0].id, parent.id);
      else if (trials.length > 10) organizations.delete(random.pick(trials).id);
    });
  }
  const tidy = (): void => {
    tidyUp(tickets, random);
    schedule.plan(world.now() + 5 * DAY, tidy);
  };
  schedule.plan(world.now() + 5 * DAY, tidy);
}

/** Every few days somebody merges duplicates and deletes spam. */
function tidyUp(tickets: World["tickets"], random: Random): void {
  const recent = [...tickets.audits.all().slice(-300)].map((audit) => tickets.existing(audit.ticketId));
  const open = [...new Set(recent)].filter((row) => !row.deleted && !["solved", "closed"].includes(row.status));
  const [target, source, spam] = open;
  if (target !== undefined && source !== undefined) tickets.merge(target.id, [source.id]);
  if (spam !== undefined && random.chance(0.6)) tickets.delete(spam.id);
}
