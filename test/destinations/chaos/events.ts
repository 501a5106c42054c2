import { type Random, seededRandom } from "#test/support/zendesk/world/random.ts";

/** An event as a program would send it. */
export interface Sent {
  messageId: string;
  type: "identify" | "group" | "track";
  payload: Record<string, unknown>;
}

/**
 * What the programs of a busy company send: customers who change, companies that they join, what they do, and tickets. Names
 * are numbered, so that the last one tells which event came last.
 */
export function busyEvents(seed: number, count: number): Sent[] {
  const random = seededRandom(`events ${seed}`);
  const users = Math.max(5, Math.round(count / 12));
  const groups = Math.max(3, Math.round(count / 40));
  const tickets: string[] = [];
  return Array.from({ length: count }, (_, index) => {
    const messageId = `m-${seed}-${index}`;
    const user = random.between(1, users);
    const kind = random.weighted([
      ["identify", 30],
      ["group", 15],
      ["track", 25],
      ["create", 20],
      ["update", 10],
    ] as const);
    const body = bodyOf(kind, { random, index, messageId, user, group: random.between(1, groups), tickets });
    if (kind === "create") tickets.push(messageId);
    return { messageId, type: body.type, payload: { ...body, userId: `u-${user}`, messageId } };
  });
}

interface Draw {
  random: Random;
  index: number;
  messageId: string;
  user: number;
  group: number;
  tickets: readonly string[];
}

function bodyOf(kind: "identify" | "group" | "track" | "create" | "update", draw: Draw) {
  const { random, index, messageId, user, group, tickets } = draw;
  const email = `u${user}@example.com`;
  if (kind === "identify") {
    const traits = {
      email,
      name: `User ${user} as of ${index}`,
      plan: random.pick(["free", "team", "big"]),
      seats: index,
    };
    return { type: "identify" as const, traits };
  }
  if (kind === "group") {
    const traits = { name: `Group ${group} as of ${index}` };
    return { type: "group" as const, groupId: `g-${group}`, traits, context: { traits: { email } } };
  }
  const track = (event: string, properties: object) => ({ type: "track" as const, event, properties });
  const known = tickets.length > 0 ? random.pick(tickets) : null;
  if (kind === "create" || (kind === "update" && known === null))
    return track("Ticket Created", { subject: `About ${index}`, comment: `Help with ${messageId}.`, email });
  if (kind === "update") return track("Ticket Updated", { external_id: known, comment: `More on ${messageId}.` });
  return track("Order Placed", { total: index, email });
}
