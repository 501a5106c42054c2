import { HOUR, MINUTE, SECOND } from "../world/clock.ts";
import type { Random } from "../world/random.ts";
import type { Ticket } from "../world/rows.ts";
import { type Desk, everyday, plan, writeTicket } from "./ticket-life.ts";

/** Seconds between two events. */
const pause = { from: 40, to: 100 };

/**
 * From an instant on, an event of a ticket every minute or so, day and night, for whoever watches. Nearly all go to and fro
 * (a priority up and down again, a question and its answer), so that days of it leave the numbers about as they were.
 */
export function planPulse(desk: Desk, from: number): void {
  const { world } = desk;
  const random = desk.random.fork("pulse");
  let open: Ticket[] = [];
  let lookedAt = Number.NEGATIVE_INFINITY;
  const beat = (): void => {
    if (world.now() - lookedAt >= HOUR) {
      open = [...world.tickets.byId.values()].filter(isOpen);
      lookedAt = world.now();
    }
    const busy = open.filter(isOpen);
    if (busy.length > 0) happen(desk, random, random.pick(busy));
    world.schedule.plan(world.now() + random.between(pause.from, pause.to) * SECOND, beat);
  };
  world.schedule.plan(from + pause.from * SECOND, beat);
}

function isOpen({ deleted, status, assigneeId }: Ticket): boolean {
  return !deleted && status === "open" && assigneeId !== null;
}

function happen(desk: Desk, random: Random, ticket: Ticket): void {
  const event = random.weighted([
    [raise, 5],
    [askBack, 7],
    [writeOn, 5],
    [writeNew, 1],
    [finish, 1],
  ] as const);
  event(desk, random, ticket);
}

/** Somebody changes how urgent it is, until somebody has looked. */
function raise(desk: Desk, random: Random, ticket: Ticket): void {
  const { world } = desk;
  const before = ticket.priority;
  const raised = before === "urgent" ? "high" : "urgent";
  world.tickets.update(ticket.id, { priority: raised });
  plan(desk, world.now() + random.between(8, 30) * MINUTE, ticket, () => {
    if (ticket.priority === raised) world.tickets.update(ticket.id, { priority: before });
  });
}

/** The agent asks something; the customer answers. */
function askBack(desk: Desk, random: Random, ticket: Ticket): void {
  const { world } = desk;
  const question = { body: "Could you tell us on which device you see this?" };
  world.tickets.update(ticket.id, { status: "pending" }, { comment: question });
  plan(desk, world.now() + random.between(4, 40) * MINUTE, ticket, () => {
    const answer = { by: ticket.requesterId, comment: { body: "On all of them." } };
    if (ticket.status === "pending") world.tickets.update(ticket.id, { status: "open" }, answer);
  });
}

function writeOn({ world }: Desk, random: Random, ticket: Ticket): void {
  const body = random.pick(["Is there any news?", "It happened again this morning.", "We can wait until tomorrow."]);
  world.tickets.comment(ticket.id, body, { by: ticket.requesterId });
}

/** Whoever has written before writes again. */
function writeNew(desk: Desk, _random: Random, ticket: Ticket): void {
  writeTicket(desk, ticket.requesterId, everyday);
}

function finish({ world }: Desk, _random: Random, ticket: Ticket): void {
  world.tickets.solve(ticket.id, { comment: { body: "This should be solved now." } });
}
