import { type Insertable, type Selectable, sql, type Updateable } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { DestinationTable } from "#db/schema.ts";
import { discarded, mostCounted } from "#lib/destinations/shapes.ts";

export type StoredDestination = Selectable<DestinationTable>;

/** Connections in these states are shown to nobody; nothing is written to them again. */
export const hiddenConnectionStates = ["deleted", "purging"];

/** What is shown of a destination beside its own row. */
export interface DestinationParts {
  connection: {
    id: number;
    name: string;
    subdomain: string;
    access: string;
    state: string;
    paused_until: Date | null;
    failure_code: string | null;
    failure_message: string | null;
    failure_action: string | null;
  };
  sources: { id: number; name: string }[];
  /** By state, each no more than `mostCounted`. */
  counts: Map<string, number>;
  doneLastDay: number;
  /** Of the newest `mostRecent` deliveries those that were made within a day, and those of them that have failed. */
  lately: { made: number; failed: number };
  /** The newest tries got no answer of Zendesk's. */
  unanswered: boolean;
}

export async function insertDestination(trx: Trx, row: Insertable<DestinationTable>): Promise<number> {
  const { id } = await trx.insertInto("destination").values(row).returning("id").executeTakeFirstOrThrow();
  return id;
}

export async function updateDestination(
  trx: Trx,
  workspaceId: number,
  id: number,
  columns: Updateable<Omit<DestinationTable, "workspace_id">>,
): Promise<void> {
  await trx
    .updateTable("destination")
    .set(columns)
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .execute();
}

/** One that was not deleted. */
export function findDestination(db: Db, workspaceId: number, id: number): Promise<StoredDestination | undefined> {
  return db
    .selectFrom("destination")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
}

/** The same, kept from other changes until the transaction ends. */
export function lockDestination(trx: Trx, workspaceId: number, id: number): Promise<StoredDestination | undefined> {
  return trx
    .selectFrom("destination")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .where("deleted_at", "is", null)
    .forUpdate()
    .executeTakeFirst();
}

export function findDestinations(
  db: Db,
  workspaceId: number,
  page: { limit: number; afterId: number },
): Promise<StoredDestination[]> {
  return db
    .selectFrom("destination")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("id", ">", page.afterId)
    .where("deleted_at", "is", null)
    .orderBy("id")
    .limit(page.limit)
    .execute();
}

export async function destinationsByIds(
  db: Db,
  workspaceId: number,
  ids: readonly number[],
): Promise<Map<number, StoredDestination>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom("destination")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("id", "in", [...ids])
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

export async function readDestinationParts(
  db: Db,
  workspaceId: number,
  destinations: readonly StoredDestination[],
  dayAgo: Date,
): Promise<Map<number, DestinationParts>> {
  const ids = destinations.map(({ id }) => id);
  if (ids.length === 0) return new Map();
  const connections = await connectionsOf(
    db,
    workspaceId,
    destinations.map((row) => row.connection_id),
  );
  const sources = await sourcesOf(db, workspaceId, ids);
  const counts = await countsOf(db, workspaceId, ids);
  const done = await doneSince(db, workspaceId, ids, dayAgo);
  const lately = await madeSince(db, workspaceId, ids, dayAgo);
  const unanswered = await unansweredOf(db, workspaceId, destinations);
  return new Map(
    destinations.map((row) => {
      const connection = connections.get(row.connection_id);
      if (!connection) throw new Error(`Destination ${row.id} has lost its connection.`);
      return [
        row.id,
        {
          connection,
          sources: sources.filter(({ destinationId }) => destinationId === row.id),
          counts: new Map(counts.filter((c) => c.destinationId === row.id).map((c) => [c.state, c.deliveries])),
          doneLastDay: done.find((c) => c.destinationId === row.id)?.deliveries ?? 0,
          lately: lately.find((c) => c.destinationId === row.id) ?? { made: 0, failed: 0 },
          unanswered: unanswered.has(row.id),
        },
      ];
    }),
  );
}

async function connectionsOf(db: Db, workspaceId: number, ids: readonly number[]) {
  const rows = await db
    .selectFrom("connection")
    .select(["id", "name", "subdomain", "access", "state", "paused_until"])
    .select(["failure_code", "failure_message", "failure_action"])
    .where("workspace_id", "=", workspaceId)
    .where("id", "in", [...new Set(ids)])
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}

const sourcesOf = (db: Db, workspaceId: number, destinationIds: readonly number[]) =>
  db
    .selectFrom("destination_source as link")
    .innerJoin("source", (join) =>
      join.onRef("source.workspace_id", "=", "link.workspace_id").onRef("source.id", "=", "link.source_id"),
    )
    .select(["link.destination_id as destinationId", "source.id", "source.name"])
    .where("link.workspace_id", "=", workspaceId)
    .where("link.destination_id", "in", [...destinationIds])
    .where("source.deleted_at", "is", null)
    .orderBy("source.id")
    .execute();

async function countsOf(db: Db, workspaceId: number, destinationIds: readonly number[]) {
  const { rows } = await sql<{ destinationId: number; state: string; deliveries: number }>`
    select wanted.id as "destinationId", states.state, counted.deliveries
      from unnest(${[...destinationIds]}::int[]) wanted (id)
      cross join unnest(array['queued', 'sending', 'unknown', 'held', 'failed']) states (state)
      cross join lateral (
        select count(*)::int as deliveries from (
          select from delivery d
           where d.workspace_id = ${workspaceId} and d.destination_id = wanted.id and d.state = states.state
             and d.state <> 'done' and d.code is distinct from ${discarded}
           limit ${mostCounted}) capped) counted`.execute(db);
  return rows;
}

async function doneSince(db: Db, workspaceId: number, destinationIds: readonly number[], since: Date) {
  const { rows } = await sql<{ destinationId: number; deliveries: number }>`
    select wanted.id as "destinationId", counted.deliveries
      from unnest(${[...destinationIds]}::int[]) wanted (id)
      cross join lateral (
        select count(*)::int as deliveries from (
          select from delivery d
           where d.workspace_id = ${workspaceId} and d.destination_id = wanted.id and d.state = 'done'
             and d.updated_at > ${since.toISOString()}::timestamptz
           limit ${mostCounted}) capped) counted`.execute(db);
  return rows;
}

/** So many of the newest tell how it goes now. */
const mostRecent = 1000;

/** What a person has discarded has been looked at. */
async function madeSince(db: Db, workspaceId: number, destinationIds: readonly number[], since: Date) {
  const { rows } = await sql<{ destinationId: number; made: number; failed: number }>`
    select wanted.id as "destinationId", counted.made, counted.failed
      from unnest(${[...destinationIds]}::int[]) wanted (id)
      cross join lateral (
        select count(*)::int as made,
               (count(*) filter (where newest.state = 'failed' and newest.code is distinct from ${discarded}))::int as failed
          from (select d.state, d.code, d.created_at from delivery d
                 where d.workspace_id = ${workspaceId} and d.destination_id = wanted.id
                 order by d.id desc limit ${mostRecent}) newest
         where newest.created_at > ${since.toISOString()}::timestamptz) counted`.execute(db);
  return rows;
}

/** How a try ends that got no answer of Zendesk's; fewer than `leastTries` may be an accident. */
const unansweredCodes = ["unreachable", "unavailable"];
const leastTries = 3;

/** Those of some destinations whose waiting deliveries were tried in vain, with nothing done since. What is put off is due last. */
async function unansweredOf(
  db: Db,
  workspaceId: number,
  destinations: readonly Pick<StoredDestination, "id" | "connection_id">[],
): Promise<Set<number>> {
  const { rows } = await sql<{ id: number }>`
    select wanted.id
      from unnest(${destinations.map(({ id }) => id)}::int[],
                  ${destinations.map((row) => row.connection_id)}::int[]) wanted (id, connection_id)
      cross join lateral (
        select coalesce(sum(newest.retries), 0) as tries, max(newest.updated_at) as at
          from (select d.destination_id, d.code, d.retries, d.updated_at from delivery d
                 where d.workspace_id = ${workspaceId} and d.connection_id = wanted.connection_id
                   and d.state in ('queued', 'sending', 'unknown') and d.due_at is not null and d.waits_for is null
                 order by d.due_at desc, d.id desc limit ${mostRecent}) newest
         where newest.destination_id = wanted.id and newest.code = any(${unansweredCodes}::text[])) vain
     where vain.tries >= ${leastTries}
       and not exists (
         select from delivery done
          where done.workspace_id = ${workspaceId} and done.destination_id = wanted.id and done.state = 'done'
            and done.updated_at > vain.at)`.execute(db);
  return new Set(rows.map(({ id }) => id));
}

/** Those of some ids that are sources of the workspace, with whether they take events. */
export async function knownSources(
  db: Db,
  workspaceId: number,
  ids: readonly number[],
): Promise<Map<number, { name: string; enabled: boolean }>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom("source")
    .select(["id", "name", "enabled"])
    .where("workspace_id", "=", workspaceId)
    .where("deleted_at", "is", null)
    .where("id", "in", [...ids])
    .execute();
  return new Map(rows.map(({ id, name, enabled }) => [id, { name, enabled }]));
}

/** Keeps sources from whoever else would take them, until the transaction ends. */
export async function holdSources(trx: Trx, workspaceId: number, ids: readonly number[]): Promise<void> {
  await sql`
    select from source where workspace_id = ${workspaceId} and id = any(${[...ids]}::int[])
     order by id for update`.execute(trx);
}

/**
 * By source, the name of a destination that writes its events to the Zendesk account of a connection, through whichever
 * connection. The account is known by its number, or where a connection has none yet by its subdomain.
 */
export async function otherTakers(
  db: Db,
  workspaceId: number,
  connectionId: number,
  sourceIds: readonly number[],
): Promise<Map<number, string>> {
  const { rows } = await sql<{ sourceId: number; name: string }>`
    select distinct on (link.source_id) link.source_id as "sourceId", d.name
      from destination_source link
      join destination d on d.workspace_id = link.workspace_id and d.id = link.destination_id and d.deleted_at is null
      join connection theirs on theirs.workspace_id = d.workspace_id and theirs.id = d.connection_id
      join connection ours on ours.workspace_id = d.workspace_id and ours.id = ${connectionId}
     where link.workspace_id = ${workspaceId} and link.source_id = any(${[...sourceIds]}::int[])
       and coalesce(ours.zendesk_account_id = theirs.zendesk_account_id, ours.subdomain = theirs.subdomain)
     order by link.source_id, d.id`.execute(db);
  return new Map(rows.map(({ sourceId, name }) => [sourceId, name]));
}

export async function linkedSources(db: Db, workspaceId: number, destinationId: number): Promise<number[]> {
  const rows = await db
    .selectFrom("destination_source")
    .select("source_id")
    .where("workspace_id", "=", workspaceId)
    .where("destination_id", "=", destinationId)
    .execute();
  return rows.map((row) => row.source_id);
}

export async function replaceSources(
  trx: Trx,
  workspaceId: number,
  destinationId: number,
  sourceIds: readonly number[],
): Promise<void> {
  await trx
    .deleteFrom("destination_source")
    .where("workspace_id", "=", workspaceId)
    .where("destination_id", "=", destinationId)
    .execute();
  if (sourceIds.length === 0) return;
  await trx
    .insertInto("destination_source")
    .values(
      [...new Set(sourceIds)].map((sourceId) => ({
        workspace_id: workspaceId,
        destination_id: destinationId,
        source_id: sourceId,
      })),
    )
    .execute();
}

/** The connection that a destination is made on, held so that it cannot be deleted meanwhile. */
export function holdTarget(trx: Trx, workspaceId: number, connectionId: number) {
  return targets(trx, workspaceId, connectionId).forShare().executeTakeFirst();
}

export function findTarget(db: Db, workspaceId: number, connectionId: number) {
  return targets(db, workspaceId, connectionId).executeTakeFirst();
}

function targets(db: Db, workspaceId: number, connectionId: number) {
  return db
    .selectFrom("connection")
    .select(["id", "name", "access", "state"])
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", connectionId)
    .where("state", "not in", hiddenConnectionStates);
}

/** The destinations of a connection, kept from other changes until the transaction ends. */
export function holdDestinationsOf(trx: Trx, workspaceId: number, connectionId: number): Promise<StoredDestination[]> {
  return trx
    .selectFrom("destination")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("connection_id", "=", connectionId)
    .where("deleted_at", "is", null)
    .orderBy("id")
    .forUpdate()
    .execute();
}

/** Takes a destination away with how it was set. Its name stays beside its deliveries. */
export async function deleteDestination(trx: Trx, workspaceId: number, id: number, now: Date): Promise<void> {
  for (const table of ["destination_source", "destination_action", "write_back_rule", "write_back_value"] as const) {
    await sql`delete from ${sql.table(table)} where workspace_id = ${workspaceId} and destination_id = ${id}`.execute(
      trx,
    );
  }
  await updateDestination(trx, workspaceId, id, { enabled: false, deleted_at: now, updated_at: now });
}
