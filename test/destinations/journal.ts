import type { Effect } from "#test/support/zendesk/server/effects.ts";
import type { World } from "#test/support/zendesk/world/world.ts";

type Values = Record<string, unknown>;

/** One line of the journal: what became of a row, and with which values. What Zendesk did by itself ends in `by itself`. */
export type Line = readonly [kind: string, values: Values];

/**
 * What writes have done to an account, in order for each user (by external id, else e-mail), each organization (by name), each
 * ticket (by external id) and the account's own settings (`account`). Memberships, profiles and events are their user's.
 * In the values the ids of rows stand as those names, and what `names` knows by another one as well; what only Zendesk
 * chooses, ids and instants, is left out.
 */
export function journalOf(
  world: World,
  effects: readonly Effect[],
  names: ReadonlyMap<string, string> = new Map(),
): Record<string, Line[]> {
  const known = new Map([...namesIn(world), ...names]);
  const tickets = new Map(Array.from(world.tickets.byId.values(), ({ id, externalId }) => [id, externalId ?? id]));
  const journal: Record<string, Line[]> = {};
  for (const effect of effects) {
    const kind = effect.by === "job" ? `${effect.kind} by itself` : effect.kind;
    const line: Line = [kind, named(withoutChosen(effect), known) as Values];
    const subject = subjectOf(effect);
    const name = subject === null ? "account" : (known.get(subject) ?? tickets.get(subject) ?? subject);
    journal[name] = [...(journal[name] ?? []), line];
  }
  return journal;
}

function namesIn(world: World): [string, string][] {
  return [
    ...Array.from(world.users.byId.values(), ({ id, externalId, email, name }): [string, string] => [
      id,
      externalId ?? email ?? name,
    ]),
    ...world.organizations.list().map(({ id, name }): [string, string] => [id, name]),
    ...Array.from(world.definitions.groups.values(), ({ id, name }): [string, string] => [id, name]),
  ];
}

/** The id of the row that an effect belongs to; null for the account itself. */
function subjectOf({ kind, id, values }: Effect): string | null {
  if (/_field\./.test(kind)) return null;
  return /^(membership|profile|customer_event|identity)\./.test(kind) ? String(values.user_id) : id;
}

const chosen = ["id", "user_id", "profile_id", "created_at", "updated_at", "custom_status_id"];

function withoutChosen({ values }: Effect): Values {
  return Object.fromEntries(Object.entries(values).filter(([name]) => !chosen.includes(name)));
}

function named(value: unknown, known: ReadonlyMap<string, string>): unknown {
  if (Array.isArray(value)) return value.map((item) => named(item, known));
  if (typeof value === "object" && value !== null)
    return Object.fromEntries(Object.entries(value).map(([key, own]) => [key, named(own, known)]));
  return known.get(String(value)) ?? value;
}
