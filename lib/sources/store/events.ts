import { type RawBuilder, type Selectable, sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { EventTable } from "#db/schema.ts";

/** An event as it is stored. */
export interface NewEvent {
  sourceId: number;
  messageId: string;
  /** Whether the sender named it: only then can it come again. */
  isNamed: boolean;
  type: string;
  name: string | null;
  userId: string | null;
  anonymousId: string | null;
  groupId: string | null;
  /** In lower case: an index of lower(email) would serve nobody, since row-level security comes before functions. */
  email: string | null;
  occurredAt: Date;
  receivedAt: Date;
  /** One line of JSON. */
  payload: string;
  rejection: string | null;
}

const columns: readonly (readonly [name: string, type: string, of: (event: NewEvent) => unknown])[] = [
  ["source_id", "int", (event) => event.sourceId],
  ["message_id", "text", (event) => event.messageId],
  ["is_named", "boolean", (event) => event.isNamed],
  ["type", "text", (event) => event.type],
  ["name", "text", (event) => event.name],
  ["user_id", "text", (event) => event.userId],
  ["anonymous_id", "text", (event) => event.anonymousId],
  ["group_id", "text", (event) => event.groupId],
  ["email", "text", (event) => event.email],
  ["occurred_at", "timestamptz", (event) => event.occurredAt.toISOString()],
  ["received_at", "timestamptz", (event) => event.receivedAt.toISOString()],
  ["rejection", "text", (event) => event.rejection],
];
const names = sql.raw([...columns.map(([name]) => name), "payload"].join(", "));
const stored = sql.raw([...columns.map(([name]) => name).filter((name) => name !== "is_named"), "payload"].join(", "));

/**
 * Stores events in their order, in one statement: a message id of a source once in `days`, whoever else is storing it just
 * now (they wait for each other, in the order of the ids). No two of `events` may have the same message id of a source.
 * Gives how many were new and not rejected.
 */
export async function insertEvents(
  trx: Trx,
  workspaceId: number,
  events: readonly NewEvent[],
  days: number,
): Promise<number> {
  const lists: RawBuilder<unknown>[] = columns.map(([, type, of]) => sql`${events.map(of)}::${sql.raw(type)}[]`);
  // Joined by line feeds, which JSON text never holds: an array of it would escape every quotation mark.
  lists.push(sql`string_to_array(${events.map(({ payload }) => payload).join("\n")}, e'\n')`);
  const { rows } = await sql<{ accepted: string }>`
    with given as materialized (
      select * from unnest(${sql.join(lists)}) with ordinality as given(${names}, place)),
    fresh as (
      insert into event_message as known (workspace_id, source_id, message_id, received_at)
      select ${workspaceId}::int, source_id, message_id, received_at from given where is_named and rejection is null
       order by source_id, message_id
      on conflict (workspace_id, source_id, message_id) do update set received_at = excluded.received_at
       where known.received_at <= excluded.received_at - make_interval(days => ${days}::int)
      returning source_id, message_id),
    stored as (
      insert into event (workspace_id, ${stored})
      select ${workspaceId}::int, ${stored} from given
       where not is_named or rejection is not null or (source_id, message_id) in (select source_id, message_id from fresh)
       order by place
      returning rejection)
    select count(*) as accepted from stored where rejection is null`.execute(trx);
  return Number(rows[0]?.accepted ?? 0);
}

export interface EventRow extends Omit<Selectable<EventTable>, "workspace_id" | "payload" | "routed_at"> {
  source_name: string | null;
  deliveries: { id: string; action: string; state: string }[];
}

export interface EventFilter {
  sourceId?: string | undefined;
  type?: string | undefined;
  state?: "accepted" | "rejected" | undefined;
  messageId?: string | undefined;
  q?: string | undefined;
}

const shown = sql.raw(
  ["id", "message_id", "type", "name", "user_id", "anonymous_id", "group_id", "email", "source_id"]
    .concat("occurred_at", "received_at", "rejection")
    .map((name) => `e.${name}`)
    .join(", "),
);
const sourceName = (ws: RawBuilder<unknown>) =>
  sql`(select s.name from source s where s.workspace_id = ${ws} and s.id = e.source_id) as source_name`;
const deliveriesOf = (ws: RawBuilder<unknown>) => sql`coalesce((
  select json_agg(json_build_object('id', d.id::text, 'action', d.action, 'state', d.state) order by d.id)
    from delivery d where d.workspace_id = ${ws} and d.event_id = e.id), '[]') as deliveries`;

/** Events, the newest first, behind `after`. */
export async function selectEvents(
  db: Db,
  workspaceId: number,
  filter: EventFilter,
  page: { after: string | null; limit: number },
): Promise<EventRow[]> {
  const ws = sql`${workspaceId}::int`;
  const asked = sql.join(conditions(ws, filter, page.after), sql` and `);
  const newest = sql`order by e.id desc limit ${page.limit}`;
  // Each column by its own index: of an "or" over all of them the planner may make a walk through the whole table.
  const found = placesOf(filter.q).map(
    (place) => sql`(select e.id from event e where ${asked} and ${place} ${newest})`,
  );
  const rowsAsked =
    found.length === 0 ? asked : sql`e.workspace_id = ${ws} and e.id in (${sql.join(found, sql` union `)})`;
  const { rows } = await sql<EventRow>`
    with listed as materialized (select e.* from event e where ${rowsAsked} ${newest})
    select ${shown}, ${sourceName(ws)}, ${deliveriesOf(ws)} from listed e order by e.id desc`.execute(db);
  return rows;
}

function conditions(ws: RawBuilder<unknown>, filter: EventFilter, after: string | null): RawBuilder<unknown>[] {
  const all = [sql`e.workspace_id = ${ws}`];
  if (after !== null) all.push(sql`e.id < ${after}::bigint`);
  if (filter.sourceId !== undefined) all.push(sql`e.source_id = ${filter.sourceId}::bigint`);
  if (filter.type !== undefined) all.push(sql`e.type = ${filter.type}`);
  if (filter.state === "accepted") all.push(sql`e.rejection is null`);
  if (filter.state === "rejected") all.push(sql`e.rejection is not null`);
  if (filter.messageId !== undefined) all.push(sql`e.message_id = ${filter.messageId}`);
  return all;
}

/** Where what is looked for may stand; none where nothing is. */
function placesOf(q: string | undefined): RawBuilder<unknown>[] {
  const text = q?.trim();
  if (!text) return [];
  const places = ["user_id", "anonymous_id", "group_id", "name", "message_id"].map(
    (column) => sql`e.${sql.ref(column)} = ${text}::text`,
  );
  return [...places, sql`e.email = ${text.toLowerCase()}::text`];
}

export async function selectEvent(
  db: Db,
  workspaceId: number,
  eventId: string,
): Promise<(EventRow & { payload: string }) | undefined> {
  const ws = sql`${workspaceId}::int`;
  const { rows } = await sql<EventRow & { payload: string }>`
    select ${shown}, e.payload, ${sourceName(ws)}, ${deliveriesOf(ws)}
      from event e where e.workspace_id = ${ws} and e.id = ${eventId}::bigint`.execute(db);
  return rows[0];
}

/** Deliveries in these states may still need their event. */
const unended = sql.raw("('queued', 'sending', 'unknown', 'held')");

/** Deletes some events that came before, of which nothing is left to do. Gives how many. */
export async function deleteOldEvents(trx: Trx, workspaceId: number, before: Date, limit: number): Promise<number> {
  const ws = sql`${workspaceId}::int`;
  const { numAffectedRows } = await sql`
    delete from event where workspace_id = ${ws} and id = any(array(
      select e.id from event e
       where e.workspace_id = ${ws} and e.received_at < ${before.toISOString()}::timestamptz
         and (e.routed_at is not null or e.rejection is not null)
         and not exists (select from delivery d where d.workspace_id = ${ws} and d.event_id = e.id
                            and d.state in ${unended})
       limit ${limit}))`.execute(trx);
  return Number(numAffectedRows ?? 0);
}

/** Forgets some message ids that came before: they may come again. Gives how many. */
export async function deleteOldMessageIds(trx: Trx, workspaceId: number, before: Date, limit: number): Promise<number> {
  const ws = sql`${workspaceId}::int`;
  const { numAffectedRows } = await sql`
    delete from event_message where workspace_id = ${ws} and (source_id, message_id) in (
      select m.source_id, m.message_id from event_message m
       where m.workspace_id = ${ws} and m.received_at < ${before.toISOString()}::timestamptz
       limit ${limit} for update skip locked)`.execute(trx);
  return Number(numAffectedRows ?? 0);
}
