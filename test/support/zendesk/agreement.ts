import type { Effect, Effects } from "./server/effects.ts";
import { type Given, isGiven, same } from "./server/given.ts";
import { organizationRow, userRow } from "./wire/people.ts";
import { ticketRow } from "./wire/tickets.ts";
import type { World } from "./world/world.ts";

/**
 * Where an account is not what its effects made of it, in words; none when nobody else has changed the rows that were
 * written. Together with `Effects.repeated` this is INV-ONCE: at most one effect, and the final state agrees.
 */
export function disagreements(world: World, effects: Effects): string[] {
  const own = effects.entries.filter(({ subdomain }) => subdomain === world.subdomain);
  return [...rowsThatDiffer(world, own), ...membershipsThatDiffer(world, own), ...eventsThatDiffer(world, own)];
}

type Kind = "user" | "organization" | "ticket";

function rowsThatDiffer(world: World, effects: readonly Effect[]): string[] {
  const expected = new Map<string, Given>();
  const comments = new Map<string, number>();
  for (const { kind, id, values } of effects) {
    const [rows, verb] = kind.split(".");
    if (!["user", "organization", "ticket"].includes(rows ?? "") || verb === "deleted") continue;
    const { comment, ...columns } = values;
    const key = `${rows} ${id}`;
    expected.set(key, merged(expected.get(key) ?? {}, columns));
    if (comment !== undefined) comments.set(key, (comments.get(key) ?? 0) + 1);
  }
  const deleted = new Set(
    effects.filter(({ kind }) => kind.endsWith(".deleted")).map(({ kind, id }) => `${kind} ${id}`),
  );
  return [...expected].flatMap(([key, values]) => {
    const [kind = "", id = ""] = key.split(" ");
    if (deleted.has(`${kind}.deleted ${id}`)) return [];
    const row = rowOf(world, kind as Kind, id);
    if (row === undefined) return [`${key} is not there`];
    const wrong = differing(row, values, key);
    const written = world.tickets.byId
      .get(id)
      ?.audits.filter((audit) => audit.comment && audit.channel === "api").length;
    const meant = comments.get(key) ?? 0;
    return kind === "ticket" && written !== meant ? [...wrong, `${key} has ${written} comments, not ${meant}`] : wrong;
  });
}

function differing(row: Given, values: Given, name: string): string[] {
  return Object.entries(values).flatMap(([column, value]) => {
    const there = row[column];
    if (isGiven(value) && isGiven(there)) return differing(there, value, `${name} ${column}`);
    return same(there, value) ? [] : [`${name} ${column} is ${JSON.stringify(there)}, not ${JSON.stringify(value)}`];
  });
}

function rowOf(world: World, kind: Kind, id: string): Given | undefined {
  const ticket = world.tickets.byId.get(id);
  const user = world.users.byId.get(id);
  const organization = world.organizations.byId.get(id);
  if (kind === "ticket") return ticket && ticketRow(world, "", ticket, "plain");
  if (kind === "user") return user && userRow(world, "", user);
  return organization && organizationRow(world, "", organization);
}

function merged(before: Given, after: Given): Given {
  const both = { ...before };
  for (const [key, value] of Object.entries(after)) {
    const known = both[key];
    both[key] = isGiven(value) && isGiven(known) ? merged(known, value) : value;
  }
  return both;
}

function membershipsThatDiffer(world: World, effects: readonly Effect[]): string[] {
  const there = new Map(effects.filter(({ kind }) => kind === "membership.created").map(({ id }) => [id, true]));
  for (const { kind, id } of effects) if (kind === "membership.removed") there.set(id, false);
  return [...there].flatMap(([id, expected]) =>
    world.users.memberships.has(id) === expected ? [] : [`membership ${id} is ${expected ? "not " : ""}there`],
  );
}

function eventsThatDiffer(world: World, effects: readonly Effect[]): string[] {
  const received = effects.filter(({ kind }) => kind === "customer_event.received").length;
  const { length } = world.sunshine.events;
  return length === received ? [] : [`${length} customer events, not ${received}`];
}
