import { type Random, seededRandom } from "#test/support/zendesk/world/random.ts";

/** An event as a program would send it. */
export interface Sent {
  messageId: string;
  type: "identify" | "group" | "track";
  payload: Record<string, unknown>;
}

/** Organizations that are there before anybody sends anything; `company.id` of an identify names one of them. */
export const companies = ["c-1", "c-2", "c-3"] as const;
/** A tag of every ticket that is created, which some updates take away. */
export const freshTag = "fresh";

const kinds = ["identify", "join", "leave", "group", "track", "create", "update"] as const;
type Kind = (typeof kinds)[number];

/**
 * What the programs of a busy company send: customers who change, who join and leave companies, what they do, and tickets.
 * Names and values are numbered, so that the last one tells which event came last.
 */
export function busyEvents(seed: number, count: number): Sent[] {
  const random = seededRandom(`events ${seed}`);
  const users = Math.max(5, Math.round(count / 12));
  const groups = Math.max(3, Math.round(count / 40));
  const tickets: string[] = [];
  return Array.from({ length: count }, (_, index) => {
    const messageId = `m-${seed}-${index}`;
    const kind: Kind = random.weighted([
      ["identify", 22],
      ["join", 8],
      ["leave", 6],
      ["group", 14],
      ["track", 20],
      ["create", 18],
      ["update", 12],
    ] as const);
    // Few who come and go often, so that there is something to end.
    const user = random.between(1, kind === "join" || kind === "leave" ? Math.ceil(users / 6) : users);
    const body = bodyOf(kind, { random, index, messageId, user, group: random.between(1, groups), tickets });
    if (body.type === "track" && body.event === "Ticket Created") tickets.push(messageId);
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

type Body = { type: Sent["type"]; [field: string]: unknown };

function bodyOf(kind: Kind, draw: Draw): Body {
  const { random, index, messageId, user, group, tickets } = draw;
  const email = `u${user}@example.com`;
  const identify = (more: object = {}): Body => {
    const traits = {
      email,
      name: `User ${user} as of ${index}`,
      plan: random.pick(["free", "team", "big"]),
      seats: index,
    };
    return { type: "identify", traits: { ...traits, ...more } };
  };
  const track = (event: string, properties: object): Body => ({ type: "track", event, properties });
  // Many a call names its user by the id alone, also before the first identify.
  const named = index % 5 < 3 ? { email } : {};
  const words = { priority: random.pick(["low", "normal", "high"]), comment: `Words of ${messageId}.` };
  const known = tickets.length > 0 ? random.pick(tickets) : null;
  switch (kind) {
    case "identify":
      return identify();
    case "join":
      return identify({ company: { id: random.pick(companies) } });
    case "leave":
      return identify({ company: { id: random.pick(companies), remove: true } });
    case "group": {
      const traits = { name: `Group ${group} as of ${index}`, revenue: index, tags: [`g${index}`] };
      return { type: "group", groupId: `g-${group}`, traits, context: { traits: named } };
    }
    case "update":
      if (known === null) return bodyOf("create", draw);
      return track("Ticket Updated", {
        ...{ external_id: known, ...words, status: random.pick(["open", "pending", "hold"]), tags: [`up${index}`] },
        ...(random.chance(0.4) && { remove_tags: [freshTag] }),
      });
    case "create":
      return track("Ticket Created", { subject: `About ${index}`, ...words, ...named, tags: [freshTag] });
    case "track":
      return track("Order Placed", { total: index, ...named });
  }
}
