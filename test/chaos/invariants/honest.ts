import { isDeepStrictEqual } from "node:util";
import { sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import { isKept, truth } from "#test/support/zendesk/truth.ts";
import { DAY, HOUR, MINUTE, SECOND } from "#test/support/zendesk/world/clock.ts";
import type { Audit } from "#test/support/zendesk/world/rows.ts";
import { type ComparedTable, compare, readStored, type Stored } from "#test/zendesk/compared.ts";
import type { ChaosAccount } from "../accounts.ts";
import type { Violation } from "../violation.ts";
import { snapshot } from "./snapshot.ts";

/** What the database says at one instant, all in one snapshot. */
interface Snapshot {
  stored: Stored;
  /** By stream: the instant that the product vouches for, in milliseconds. */
  fresh: Map<string, number>;
  /** `tickets:7`. */
  held: Set<string>;
  events: Set<string>;
  ratings: Map<string, string | null>;
  /** Definitions as they are titled: `organization:7`, `status:7`. */
  definitions: Map<string, string | null>;
  memberships: Set<string>;
  /** When the last run that verified everything began, and ended. */
  verified: { from: number; to: number } | null;
}

/** What a check has to know beside the account itself. */
export interface Excuses {
  /** Rows that the API shows distorted: `ticket:7`. */
  poisoned: ReadonlyMap<string, unknown>;
  /** Tickets that the export has kept back at some time. */
  hidden: ReadonlySet<string>;
  /** Whether rows were hidden by their ids too at any time since. */
  unfindable: (since: number) => boolean;
}

/** Zendesk shows nothing of the newest minute of tickets and their events. */
const withheld = MINUTE;

/** INV-HONEST: whatever was visible before "fresh through" is stored, in that version. */
export async function honest(db: Db, account: ChaosAccount, excuses: Excuses): Promise<Violation[]> {
  const seen = await snapshot(db, account.scope.workspaceId, (trx) => takeSnapshot(trx, account));
  return [
    ...rowsMissing(account, seen, excuses),
    ...versionsMissing(account, seen, excuses),
    ...eventsMissing(account, seen),
    ...ratingsMissing(account, seen),
    ...definitionsMissing(account, seen),
    ...verifiedMissing(account, seen, excuses),
  ];
}

async function takeSnapshot(trx: Trx, account: ChaosAccount): Promise<Snapshot> {
  const { connectionId } = account.scope;
  const states = await trx
    .selectFrom("stream_state")
    .select(["stream", "fresh_through"])
    .where("connection_id", "=", connectionId)
    .where("purpose", "=", "incremental")
    .execute();
  const held = await trx
    .selectFrom("held_row")
    .select(["stream", "row_key"])
    .where("connection_id", "=", connectionId)
    .execute();
  const events = await trx
    .selectFrom("ticket_event")
    .select("id")
    .distinct()
    .where("connection_id", "=", connectionId)
    .execute();
  const ratings = await trx
    .selectFrom("satisfaction_rating")
    .select(["system", "id", "score"])
    .where("connection_id", "=", connectionId)
    .execute();
  const { rows: definitions } = await sql<{ key: string; title: string | null }>`
    select subject || ':' || id as key, title from field_definition
     where connection_id = ${connectionId} and deleted_at is null
    union all
    select 'status:' || id, label from custom_status where connection_id = ${connectionId}`.execute(trx);
  const memberships = await trx
    .selectFrom("organization_membership")
    .select("id")
    .where("connection_id", "=", connectionId)
    .execute();
  const verified = await trx
    .selectFrom("sync_run as run")
    .innerJoin("connection as c", (join) =>
      join.onRef("c.id", "=", "run.connection_id").onRef("c.verified_at", "=", "run.finished_at"),
    )
    .select(["run.started_at as from", "run.finished_at as to"])
    .where("run.connection_id", "=", connectionId)
    .where("run.mode", "=", "reconcile")
    .executeTakeFirst();
  return {
    stored: await readStored(trx, connectionId),
    fresh: new Map(states.map((state) => [state.stream, state.fresh_through?.getTime() ?? 0])),
    held: new Set(held.map((row) => `${row.stream}:${row.row_key}`)),
    events: new Set(events.map(({ id }) => id)),
    ratings: new Map(ratings.map((row) => [`${row.system}:${row.id}`, row.score])),
    definitions: new Map(definitions.map(({ key, title }) => [key, title])),
    memberships: new Set(memberships.map(({ id }) => id)),
    verified: verified?.from && verified.to ? { from: verified.from.getTime(), to: verified.to.getTime() } : null,
  };
}

function rowsMissing(
  account: ChaosAccount,
  { stored, fresh, held }: Snapshot,
  { poisoned, hidden }: Excuses,
): Violation[] {
  return compare(stored, truth(account.world)).flatMap(({ table, is, should }) => {
    if (!isStream(table)) return [];
    const through = fresh.get(table) ?? 0;
    const known = new Map(is.map((row) => [row.id, row]));
    return should
      .filter(({ id }) => visibleFrom(account, table, id) < through)
      .filter(({ id }) => !held.has(`${table}:${id}`) && !poisoned.has(`${singular[table]}:${id}`))
      .filter(({ id }) => table !== "tickets" || !hidden.has(id))
      .filter((row) => !isDeepStrictEqual(known.get(row.id), row))
      .map((row) => lie(account, table, through, `${row.id} ${difference(known.get(row.id), row)}`));
  });
}

/**
 * A ticket that has changed again since is stored as it was at its last change before "fresh through", or later. One that was deleted
 * then, or since, and restored was not there to be asked for: its restoring is another change. So it is for one that was denied by its
 * id: what the export withholds, and Zendesk says not to exist, nobody can read.
 */
function versionsMissing(
  account: ChaosAccount,
  { stored, fresh, held }: Snapshot,
  { poisoned, hidden, unfindable }: Excuses,
): Violation[] {
  // Events tell of what the export has not shown: beyond those that were read nobody has told.
  const through = Math.min(fresh.get("tickets") ?? 0, fresh.get("ticket_events") ?? 0);
  const known = new Map(stored.tickets.map((row) => [row.id, row]));
  return [...account.world.tickets.byId.values()]
    .filter(({ id, deleted, aiAgent }) => !deleted && !aiAgent && !hidden.has(id))
    .filter(({ id }) => !held.has(`tickets:${id}`) && !poisoned.has(`ticket:${id}`))
    .flatMap(({ id, audits }) => {
      const last = audits.findLast(({ at, visibleFrom }) => Math.max(at + withheld, visibleFrom) < through);
      const is = known.get(id)?.generated_timestamp;
      if (last && audits.some((audit) => audit.at >= last.at && isDeletion(audit))) return [];
      if (
        !last ||
        Number(is ?? 0) >= Math.floor(last.at / SECOND) ||
        unfindable(Math.max(last.at, account.world.now() - 2 * HOUR))
      )
        return [];
      const should = new Date(last.at).toISOString();
      return [lie(account, "tickets", through, `${id} is as of second ${is}, and changed at ${should}`)];
    });
}

const isDeletion = ({ changes }: Audit) =>
  changes.some(({ field, value }) => field === "status" && value === "deleted");

/** Tables of streams that say what they are fresh through, and whose rows have versions of their own. */
const singular = { tickets: "ticket", users: "user", organizations: "organization", groups: "group" } as const;

function isStream(table: ComparedTable): table is keyof typeof singular {
  return table in singular;
}

/** When the newest version of a row could first be read. */
function visibleFrom({ world }: ChaosAccount, table: keyof typeof singular, id: string): number {
  if (table === "tickets") {
    const ticket = world.tickets.existing(id);
    return Math.max(ticket.generatedTimestamp * SECOND + withheld, ticket.visibleFrom);
  }
  if (table === "users") return world.users.byId.get(id)?.updatedAt ?? Number.POSITIVE_INFINITY;
  if (table === "organizations") return world.organizations.byId.get(id)?.updatedAt ?? Number.POSITIVE_INFINITY;
  return world.definitions.groups.get(id)?.updatedAt ?? Number.POSITIVE_INFINITY;
}

function eventsMissing(account: ChaosAccount, { fresh, events, held }: Snapshot): Violation[] {
  const through = fresh.get("ticket_events") ?? 0;
  return account.world.tickets.audits
    .all()
    .filter((audit) => Math.max(audit.at + withheld, audit.visibleFrom) < through)
    .filter(isKept)
    .filter(
      ({ id, ticketId }) =>
        !events.has(String(id)) &&
        !held.has(`ticket_events:${id}`) &&
        !account.world.tickets.existing(ticketId).aiAgent,
    )
    .map(({ id }) => lie(account, "ticket_events", through, `${id} is missing`));
}

/** Each run reads the ratings of the last 35 days again; those that are older are the night's business. */
function ratingsMissing(account: ChaosAccount, { fresh, ratings }: Snapshot): Violation[] {
  const through = fresh.get("satisfaction_ratings") ?? 0;
  const { world } = account;
  const legacy = world.ratings.legacy
    .all()
    .filter(({ createdAt, updatedAt }) => updatedAt < through && createdAt > through - 34 * DAY)
    .filter(({ id, score }) => ratings.get(`legacy:${id}`) !== score)
    .map(({ id, score }) => `${id} should be ${score} and is ${ratings.get(`legacy:${id}`) ?? "missing"}`);
  const surveys = world.ratings
    .surveys()
    .filter(
      ({ createdAt, answers }) =>
        createdAt > through - 34 * DAY && createdAt < through && answers.every(({ updatedAt }) => updatedAt < through),
    )
    .filter(({ id, answers }) => {
      const category = answers.find(({ subType }) => subType === "customer_satisfaction")?.category ?? null;
      return ratings.get(`survey:${id}`) !== category;
    })
    .map(({ id }) => `${id} is missing or older`);
  return [...legacy, ...surveys].map((what) => lie(account, "satisfaction_ratings", through, what));
}

/** Every list of definitions that the account shows, whichever of them was refused (row 62). */
function definitionsMissing(account: ChaosAccount, { fresh, definitions, held }: Snapshot): Violation[] {
  const through = fresh.get("fields") ?? 0;
  const { fields, customStatuses } = account.world.definitions;
  const owned = Object.entries(fields).flatMap(([owner, rows]) =>
    [...rows.values()].map(({ id, title, updatedAt }) => ({ list: `${owner}_fields`, owner, id, title, updatedAt })),
  );
  const statuses = [...customStatuses.values()].map(({ id, agentLabel, updatedAt }) => ({
    list: "custom_statuses",
    owner: "status",
    id,
    title: agentLabel,
    updatedAt,
  }));
  return [...owned, ...statuses]
    .filter(({ updatedAt }) => updatedAt < through)
    .filter(({ list, id }) => !held.has(`fields:${list}:${id}`))
    .filter(({ owner, id, title }) => definitions.get(`${owner}:${id}`) !== title)
    .map(({ owner, id, title }) => {
      const is = definitions.get(`${owner}:${id}`) ?? "missing";
      return lie(account, "fields", through, `${owner} ${id} should be ${title} and is ${is}`);
    });
}

/** Rows that show late, and their events, are no matter of the night. */
const settled = 30 * MINUTE;

/** A night that says it has verified everything has read the memberships and asked by id for what only events name (row 23). */
function verifiedMissing(
  account: ChaosAccount,
  { verified, memberships, stored, held }: Snapshot,
  { hidden, poisoned, unfindable }: Excuses,
): Violation[] {
  if (!verified) return [];
  const { world } = account;
  const before = verified.from - settled;
  const lost = [...world.users.memberships.values()]
    .filter(({ id, createdAt }) => createdAt < before && !memberships.has(id) && !held.has(`users:memberships:${id}`))
    .map(({ id }) => `membership ${id} is missing`);
  const known = new Set(stored.tickets.map(({ id }) => id));
  const unknown = unfindable(before)
    ? []
    : [...hidden]
        .filter((id) => {
          const ticket = world.tickets.byId.get(id);
          return ticket && !ticket.deleted && ticket.createdAt < before;
        })
        .filter((id) => !known.has(id) && !held.has(`tickets:${id}`) && !poisoned.has(`ticket:${id}`))
        .map((id) => `ticket ${id}, which the export hides, is missing`);
  const claim = `${account.subdomain} says that it was verified at ${new Date(verified.to).toISOString()}`;
  return [...lost, ...unknown].map((what) => ({ invariant: "INV-HONEST", what: `${claim}, yet ${what}` }));
}

function lie({ subdomain }: ChaosAccount, stream: string, through: number, what: string): Violation {
  const claim = `${subdomain} claims ${stream} fresh through ${new Date(through).toISOString()}`;
  return { invariant: "INV-HONEST", what: `${claim}, yet ${what}` };
}

/** Which fields of a stored row are not what they should be. */
export function difference(is: object | undefined, should: object): string {
  if (!is) return "is missing";
  const fields = Object.entries(should).filter(
    ([field, value]) => !isDeepStrictEqual((is as Record<string, unknown>)[field], value),
  );
  const words = fields.map(
    ([field, value]) =>
      `${field} is ${JSON.stringify((is as Record<string, unknown>)[field])}, should be ${JSON.stringify(value)}`,
  );
  return `differs: ${words.join("; ")}`;
}

/** A reading that was taken up again may end at the instant it first came near the present, if that was so short a while ago. */
const farthestBehind = 12 * MINUTE;

/** A run that says it succeeded has every stream caught up to its own start (INV-HONEST). */
export async function successes(
  db: Db,
  account: ChaosAccount,
  after: string,
  skew: number,
): Promise<{ last: string; violations: Violation[] }> {
  const { workspaceId, connectionId } = account.scope;
  const { runs, ends, states } = await snapshot(db, workspaceId, async (trx) => {
    const runs = await trx
      .selectFrom("sync_run")
      .select(["id", "mode", "started_at"])
      .where("connection_id", "=", connectionId)
      .where("state", "=", "succeeded")
      .where("id", ">", after)
      .orderBy("id")
      .execute();
    const states = await trx
      .selectFrom("stream_state")
      .select(["stream", "fresh_through"])
      .where("connection_id", "=", connectionId)
      .where("purpose", "=", "incremental")
      .execute();
    const ids = runs.map(({ id }) => id);
    const ends =
      ids.length === 0
        ? []
        : await trx
            .selectFrom("sync_run_stream")
            .selectAll()
            .where("connection_id", "=", connectionId)
            .where("run_id", "in", ids)
            .execute();
    return { runs, states, ends };
  });
  const violations = runs.flatMap((run) => {
    const mine = ends.filter(({ run_id }) => run_id === run.id);
    const least = (run.started_at?.getTime() ?? 0) - skew - farthestBehind;
    return states.flatMap(({ stream, fresh_through }) => {
      const end = mine.find((candidate) => candidate.stream === stream);
      const says = `${account.subdomain}: ${run.mode} run ${run.id} says it succeeded, yet ${stream}`;
      if (!end) return [{ invariant: "INV-HONEST" as const, what: `${says} was not read` }];
      if (!["ok", "degraded", "not_available"].includes(end.state))
        return [{ invariant: "INV-HONEST" as const, what: `${says} is ${end.state}` }];
      // A stream that says what is doubtful about it claims nothing.
      const claims = end.state === "ok" || (end.state === "degraded" && end.failure_code === "held_rows");
      if (!claims || (fresh_through?.getTime() ?? 0) >= least) return [];
      return [
        { invariant: "INV-HONEST" as const, what: `${says} is fresh through ${fresh_through?.toISOString()} only` },
      ];
    });
  });
  for (const { stream, fresh_through } of states) {
    if (fresh_through === null || fresh_through.getTime() <= account.world.now()) continue;
    const what = `${account.subdomain}: ${stream} says that it is fresh through ${fresh_through.toISOString()}, which is still to come`;
    violations.push({ invariant: "INV-HONEST", what });
  }
  return { last: runs.at(-1)?.id ?? after, violations };
}

/** A person is asked to sign in again only where the login has really ended. */
export async function falseAlarms(db: Db, account: ChaosAccount, isLoginGood: boolean): Promise<Violation[]> {
  if (!isLoginGood) return [];
  const connection = await snapshot(db, account.scope.workspaceId, (trx) =>
    trx
      .selectFrom("connection")
      .select(["failure_code", "failure_message"])
      .where("id", "=", account.scope.connectionId)
      .executeTakeFirst(),
  );
  if (!["credentials_rejected", "reconnect"].includes(connection?.failure_code ?? "")) return [];
  return [
    {
      invariant: "INV-HONEST",
      what: `${account.subdomain} asks a person to sign in again, yet the login is good: ${connection?.failure_message}`,
    },
  ];
}

/** How old what is claimed fresh may become where nothing is wrong: the odd lost run included. */
export const oldestFreshness = 4 * HOUR;
