import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { filing } from "#lib/destinations/lanes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/*
 * A lane stands for one user, organization or ticket of a connection, and its deliveries go in the order of their ids. Its
 * rows tell which deliveries it has: those that are due some time are `open` and hold up what comes behind them, of the others
 * it has the state in which they ended. `delivery.waits_for` names a delivery that goes before this one in one of its lanes,
 * so that nobody who looks for work has to walk through what waits: it is null exactly where nothing goes before.
 *
 * A track of which nobody knows whether its event was filed steps out of its lanes until that is known: the event is no row
 * that others read or write, and has its time within. It holds up nobody and waits for nobody. A track that was to create its
 * user first stays where it is while that is in doubt.
 */

const isAside = (workspaceId: number) => sql<boolean>`d.action = 'track_event' and d.state = 'unknown' and ${filing} = (
  select x.step from delivery_exchange x
   where x.workspace_id = ${workspaceId} and x.delivery_id = d.id and x.is_write order by x.position desc limit 1)`;

/** Whoever queues, takes, ends or takes up again deliveries of a connection does so alone until the transaction ends. */
export async function lockLanes(trx: Trx, { workspaceId, connectionId }: Scope): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`lanes ${workspaceId} ${connectionId}`}::text, 0))`.execute(
    trx,
  );
}

/** The same for all connections that destinations of the workspace write to, in the order in which everybody takes several. */
export async function lockAllLanes(trx: Trx, workspaceId: number): Promise<void> {
  const connections = await trx
    .selectFrom("destination")
    .select("connection_id as connectionId")
    .distinct()
    .where("workspace_id", "=", workspaceId)
    .where("deleted_at", "is", null)
    .orderBy("connection_id")
    .execute();
  for (const { connectionId } of connections) await lockLanes(trx, { workspaceId, connectionId });
}

/** Brings the lanes to how these deliveries stand now. Only behind lockLanes. */
export async function alignLanes(trx: Trx, workspaceId: number, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return;
  const changed = sql`any(${[...ids]}::bigint[])`;
  await sql`
    delete from delivery_lane l using delivery d
     where l.workspace_id = ${workspaceId} and l.delivery_id = ${changed}
       and d.workspace_id = ${workspaceId} and d.id = l.delivery_id and l.lane <> all(d.lanes)`.execute(trx);
  await sql`
    insert into delivery_lane (workspace_id, connection_id, lane, delivery_id, state)
    select d.workspace_id, d.connection_id, lane, d.id,
           case when d.due_at is null or ${isAside(workspaceId)} then d.state else 'open' end
      from delivery d, unnest(d.lanes) lane
     where d.workspace_id = ${workspaceId} and d.id = ${changed}
    on conflict (workspace_id, delivery_id, lane) do update set state = excluded.state`.execute(trx);
  await queueUp(trx, workspaceId, ids);
}

/** Finds anew what these wait for, and the ones next to them in their lanes: those right behind, and those that waited for them. */
async function queueUp(trx: Trx, workspaceId: number, ids: readonly string[]): Promise<void> {
  const changed = sql`any(${[...ids]}::bigint[])`;
  const sameLane = sql`near.workspace_id = ${workspaceId} and near.lane = own.lane
    and near.connection_id = own.connection_id and near.state = 'open'`;
  await sql`
    with own as materialized (
      select lane, connection_id, delivery_id from delivery_lane
       where workspace_id = ${workspaceId} and delivery_id = ${changed}),
    near as materialized (
      select delivery_id as id from own
       union
      select behind.delivery_id from own cross join lateral (
        select near.delivery_id from delivery_lane near where ${sameLane} and near.delivery_id > own.delivery_id
         order by near.delivery_id limit 1) behind
       union
      select id from delivery where workspace_id = ${workspaceId} and waits_for = ${changed})
    update delivery d set waits_for = before.id
      from near cross join lateral (
        select max(one.delivery_id) as id from delivery_lane own cross join lateral (
          select near.delivery_id from delivery_lane near where ${sameLane} and near.delivery_id < own.delivery_id
           order by near.delivery_id desc limit 1) one
         where own.workspace_id = ${workspaceId} and own.delivery_id = near.id and own.state = 'open') before
     where d.workspace_id = ${workspaceId} and d.id = near.id and d.waits_for is distinct from before.id`.execute(trx);
}
