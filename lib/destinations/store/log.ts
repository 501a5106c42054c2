import { type Selectable, type SqlBool, sql } from "kysely";
import type { Db } from "#db/client.ts";
import type { DeliveryTable } from "#db/schema.ts";

/** A delivery with the names that a person knows its destination by. */
export type ListedDelivery = Selectable<DeliveryTable> & {
  destination_name: string;
  enabled: boolean;
  stopped_at: Date | null;
  subdomain: string;
  connection_name: string | null;
  connection_state: string | null;
  connection_access: string | null;
  paused_until: Date | null;
  failure_code: string | null;
  failure_message: string | null;
  failure_action: string | null;
  /** Of a write-back: whose numbers they are, where the organization is known. */
  organization_name: string | null;
};

export interface DeliveryFilter {
  state?: string | undefined;
  messageId?: string | undefined;
  destinationId?: number | undefined;
  action?: string | undefined;
  code?: string | undefined;
  exceptCode?: string | undefined;
  /** A message id, an id in Zendesk, or whom it concerns; of these a part is enough among the newest deliveries. */
  q?: string | undefined;
}

/** Newest first. */
export function listDeliveryRows(
  db: Db,
  workspaceId: number,
  filter: DeliveryFilter,
  page: { limit: number; before: string | null },
): Promise<ListedDelivery[]> {
  let query = rows(db, workspaceId).where(matching(workspaceId, filter)).orderBy("d.id", "desc").limit(page.limit);
  if (page.before !== null) query = query.where("d.id", "<", page.before);
  return query.execute();
}

export function findListed(db: Db, workspaceId: number, ids: readonly string[]): Promise<ListedDelivery[]> {
  return rows(db, workspaceId)
    .where("d.id", "in", [...ids])
    .orderBy("d.id")
    .execute();
}

/** Which of a filter's deliveries: those in one of these states; those of a code in `except` only where it is asked for. */
interface Among {
  states: readonly string[];
  except: readonly string[];
}

/** Ids of a filter's deliveries, oldest first. */
export async function matchingIds(
  db: Db,
  workspaceId: number,
  filter: DeliveryFilter,
  among: Among,
  page: { after: string; limit: number },
): Promise<string[]> {
  const found = await matchingAmong(db, workspaceId, filter, among)
    .select("d.id")
    .where("d.id", ">", page.after)
    .orderBy("d.id")
    .limit(page.limit)
    .execute();
  return found.map(({ id }) => id);
}

export async function countMatching(
  db: Db,
  workspaceId: number,
  filter: DeliveryFilter,
  among: Among,
): Promise<number> {
  const { count } = await matchingAmong(db, workspaceId, filter, among)
    .select((eb) => eb.fn.countAll<string>().as("count"))
    .executeTakeFirstOrThrow();
  return Number(count);
}

/** The codes of a filter's deliveries, most frequent first, among the newest `most`. */
export async function countReasons(
  db: Db,
  workspaceId: number,
  filter: DeliveryFilter,
  most: number,
): Promise<{ code: string; deliveries: number }[]> {
  const { rows } = await sql<{ code: string; deliveries: number }>`
    select newest.code, count(*)::int as deliveries
      from (select d.code from delivery d
             where d.workspace_id = ${workspaceId} and d.code is not null and ${matching(workspaceId, filter)}
             order by d.id desc limit ${most}) newest
     group by newest.code order by deliveries desc, newest.code`.execute(db);
  return rows;
}

const matchingAmong = (db: Db, workspaceId: number, filter: DeliveryFilter, { states, except }: Among) =>
  db
    .selectFrom("delivery as d")
    .where("d.workspace_id", "=", workspaceId)
    .where(matching(workspaceId, filter))
    .where("d.state", "in", [...states])
    .where(sql<SqlBool>`coalesce(d.code, '') <> all(${except.filter((code) => code !== filter.code)}::text[])`);

const rows = (db: Db, workspaceId: number) =>
  db
    .selectFrom("delivery as d")
    .innerJoin("destination as t", (join) =>
      join.onRef("t.workspace_id", "=", "d.workspace_id").onRef("t.id", "=", "d.destination_id"),
    )
    .leftJoin("connection as c", (join) =>
      join.onRef("c.workspace_id", "=", "d.workspace_id").onRef("c.id", "=", "d.connection_id"),
    )
    .selectAll("d")
    .select(["t.name as destination_name", "t.enabled", "t.stopped_at"])
    .select(["c.name as connection_name", "c.state as connection_state", "c.access as connection_access"])
    .select(["c.paused_until", "c.failure_code", "c.failure_message", "c.failure_action"])
    .select(sql<string>`coalesce(c.subdomain, '')`.as("subdomain"))
    .select(
      // The lane of a write-back is the organization's id in Zendesk.
      sql<string | null>`case when d.action = 'write_back' then (
        select o.name from organization o
         where o.workspace_id = d.workspace_id and o.connection_id = d.connection_id
           and o.id = nullif(substring(d.lanes[1] from '^o:(\\d{1,18})$'), '')::bigint) end`.as("organization_name"),
    )
    .where("d.workspace_id", "=", workspaceId);

function matching(workspaceId: number, filter: DeliveryFilter) {
  const { state, messageId, destinationId, action, code, exceptCode, q } = filter;
  const conditions = [
    ...(state === undefined ? [] : [sql`d.state = ${state}`]),
    ...(messageId === undefined ? [] : [sql`d.message_id = ${messageId}`]),
    ...(destinationId === undefined ? [] : [sql`d.destination_id = ${destinationId}`]),
    ...(action === undefined ? [] : [sql`d.action = ${action}`]),
    ...(code === undefined ? [] : [sql`d.code = ${code}`]),
    ...(exceptCode === undefined ? [] : [sql`d.code is distinct from ${exceptCode}`]),
    ...(q === undefined ? [] : [about(workspaceId, q.trim())]),
  ];
  return conditions.length === 0 ? sql<SqlBool>`true` : sql<SqlBool>`${sql.join(conditions, sql` and `)}`;
}

/** So far back a search goes, through what has one name, and for a part of one. */
const mostSearched = 10_000;

/** Each way of naming it has an index of its own, and a part of a name has none. */
function about(workspaceId: number, q: string) {
  const caseless = q.toLowerCase();
  const lanes = [`u:${caseless}`, `m:${caseless}`, `z:${q}`, `o:${caseless}`, `t:${q}`];
  const newest = (id: string, from: ReturnType<typeof sql>) => sql`
    (select ${sql.ref(id)} as id from ${from} order by ${sql.ref(id)} desc limit ${mostSearched})`;
  const ways = [
    newest("id", sql`delivery where workspace_id = ${workspaceId} and message_id = ${q}`),
    newest("id", sql`delivery where workspace_id = ${workspaceId} and result_id = ${q}`),
    newest("delivery_id", sql`delivery_lane where workspace_id = ${workspaceId} and lane = any(${lanes}::text[])`),
  ];
  // A number is one's whole name; of a word a part is enough.
  if (!/^\d*$/.test(q))
    ways.push(sql`
      select id from (
        select id, lanes from delivery where workspace_id = ${workspaceId} order by id desc limit ${mostSearched}) latest
       where exists (select from unnest(lanes) lane where position(${q.toLowerCase()} in lower(lane)) > 2)`);
  return sql`d.id = any(array(${sql.join(ways, sql` union `)}))`;
}
