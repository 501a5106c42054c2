import { DAY, HOUR, MINUTE } from "../world/clock.ts";
import type { Id } from "../world/ids.ts";
import type { Random } from "../world/random.ts";
import type { Priority, Ticket } from "../world/rows.ts";
import type { World } from "../world/world.ts";
import { type CommentKind, ratingComment, reopeningText, type SubjectKind, subjectOf } from "./texts.ts";

/** How things go for a customer at some time. Shares are in [0, 1]. */
export interface Mood {
  priorities: readonly (readonly [Priority, number])[];
  subjects: SubjectKind;
  comments: CommentKind;
  /** Solved tickets that come back. */
  reopened: number;
  /** Solved tickets that are rated. */
  rated: number;
  good: number;
  neutral: number;
  /** Mean working time to a solution. */
  hoursToSolve: number;
  /** Tickets that lie about for a month and longer. */
  stuck: number;
}

export const everyday: Mood = {
  priorities: [
    ["urgent", 4],
    ["high", 14],
    ["normal", 50],
    ["low", 18],
    [null, 14],
  ],
  subjects: "everyday",
  comments: "everyday",
  reopened: 0.05,
  rated: 0.22,
  good: 0.86,
  neutral: 0.05,
  hoursToSolve: 48,
  stuck: 0.05,
};

export interface Desk {
  world: World;
  random: Random;
  /** Agents with the group that they work in. */
  agents: readonly { id: Id; groupId: Id }[];
  areaFieldId: Id;
}

/** A ticket is written now; what becomes of it is planned at the same time. */
export function writeTicket(desk: Desk, requesterId: Id, mood: Mood): void {
  const { world, random } = desk;
  const requester = world.users.byId.get(requesterId);
  if (requester === undefined || !requester.active) return;
  const ticket = world.tickets.create({
    subject: subjectOf(random, mood.subjects),
    priority: random.weighted(mood.priorities),
    type: random.weighted([
      ["question", 4],
      ["problem", 3],
      ["incident", 4],
      ["task", 1],
      [null, 1],
    ] as const),
    requesterId,
    channel: random.weighted([
      ["email", 5],
      ["web", 4],
      ["api", 1],
    ] as const),
    customFields: { [desk.areaFieldId]: random.pick(["rosters", "time_clock", "payroll", "accounts"]) },
  });
  const agent = random.pick(desk.agents);
  const firstLook = world.now() + Math.ceil(random.exponential(40)) * MINUTE;
  plan(desk, firstLook, ticket, () => takeUp(desk, ticket, agent, mood));
}

/** Plans a step that is skipped when the ticket is gone or closed by then. */
export function plan(desk: Desk, at: number, ticket: Ticket, step: () => void): void {
  desk.world.schedule.plan(at, () => {
    if (!ticket.deleted && ticket.status !== "closed") step();
  });
}

function takeUp(desk: Desk, ticket: Ticket, agent: Desk["agents"][number], mood: Mood): void {
  const { world, random } = desk;
  const comment = { body: "Thank you for writing, we are looking into it." };
  const triaged = random.chance(0.05) ? { priority: random.pick(["high", "urgent"] as const) } : {};
  world.tickets.update(
    ticket.id,
    { assigneeId: agent.id, groupId: agent.groupId, ...triaged },
    { by: agent.id, comment },
  );
  if (random.chance(mood.stuck)) {
    const lies = random.weighted([
      ["open", 4],
      ["pending", 4],
      ["hold", 2],
    ] as const);
    plan(desk, world.now() + 5 * HOUR, ticket, () => world.tickets.update(ticket.id, { status: lies }));
    const someDay = world.now() + Math.ceil(25 + random.exponential(30)) * DAY;
    plan(desk, someDay, ticket, () => solve(desk, ticket, { ...mood, good: Math.max(mood.good, 0.7) }));
    return;
  }
  const rush = ticket.priority === "urgent" ? 0.35 : ticket.priority === "high" ? 0.6 : 1;
  const solvedAt = world.now() + Math.ceil(random.exponential(mood.hoursToSolve * rush) * 60) * MINUTE;
  if (random.chance(0.4)) {
    const waitsAt = world.now() + Math.floor((solvedAt - world.now()) * 0.4);
    plan(desk, waitsAt, ticket, () => world.tickets.update(ticket.id, { status: random.pick(["pending", "hold"]) }));
  }
  plan(desk, solvedAt, ticket, () => solve(desk, ticket, mood));
}

function solve(desk: Desk, ticket: Ticket, mood: Mood): void {
  const { world, random } = desk;
  world.tickets.solve(ticket.id, { comment: { body: "This should be solved now." } });
  const now = world.now();
  if (random.chance(mood.reopened)) {
    plan(desk, now + Math.ceil(random.exponential(20)) * HOUR, ticket, () => reopen(desk, ticket, mood));
    return;
  }
  if (random.chance(mood.rated)) planRating(desk, ticket, mood);
  plan(desk, now + 4 * DAY, ticket, () => {
    if (ticket.status === "solved") close(desk, ticket);
  });
}

function reopen(desk: Desk, ticket: Ticket, mood: Mood): void {
  const { world, random } = desk;
  if (ticket.status !== "solved") return;
  world.tickets.reopen(ticket.id, reopeningText(random));
  const again = world.now() + Math.ceil(random.exponential(mood.hoursToSolve)) * HOUR;
  plan(desk, again, ticket, () => solve(desk, ticket, { ...mood, good: mood.good * 0.6, rated: mood.rated * 1.4 }));
}

/** The question comes a while after the solution, the answer within two days; one in twenty thinks again. */
function planRating(desk: Desk, ticket: Ticket, mood: Mood): void {
  const { world, random } = desk;
  const offeredAt = world.now() + 12 * HOUR;
  plan(desk, offeredAt, ticket, () => world.ratings.offer(ticket.id));
  const answeredAt = offeredAt + Math.ceil(random.exponential(9)) * HOUR;
  plan(desk, answeredAt, ticket, () => rate(desk, ticket, mood));
  if (random.chance(0.05)) plan(desk, answeredAt + 30 * HOUR, ticket, () => rate(desk, ticket, mood));
}

function rate(desk: Desk, ticket: Ticket, mood: Mood): void {
  const { world, random } = desk;
  if (!world.ratings.canRate(ticket.id)) return;
  const survey = world.settings.satisfaction === "survey";
  const roll = random.next();
  const score = roll < mood.good ? "good" : survey && roll < mood.good + mood.neutral ? "neutral" : "bad";
  const wordy = score === "bad" ? 0.7 : 0.2;
  const comment = random.chance(wordy) ? ratingComment(random, score, mood.comments) : null;
  world.ratings.rate(ticket.id, score, { comment });
}

function close(desk: Desk, ticket: Ticket): void {
  const { world } = desk;
  world.tickets.closeSolved(ticket.id);
  world.schedule.plan(world.now() + 120 * DAY, () => {
    if (!ticket.deleted) world.tickets.archive(ticket.id);
  });
}
