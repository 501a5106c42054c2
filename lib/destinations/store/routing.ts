import { type Selectable, sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { EventTable } from "#db/schema.ts";
import { hiddenConnectionStates } from "#lib/destinations/store/destinations.ts";

export type UnroutedEvent = Pick<
  Selectable<EventTable>,
  "id" | "source_id" | "message_id" | "type" | "occurred_at" | "received_at" | "payload"
>;

/*
 * What a transaction locks of these it locks in this order: the routing, destinations by their ids, the lanes of connections by
 * theirs, the door.
 */

/**
 * Whoever routes events of a workspace, or changes or deletes what takes them, does so alone until the transaction ends: none is
 * routed twice, none is overtaken, none goes where nothing is any more.
 */
export async function lockRouting(trx: Trx, workspaceId: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended(${`routing ${workspaceId}`}::text, 0))`.execute(trx);
}

/** Whoever stores events of a workspace goes through the door, beside others; who comes while it is closed waits. */
export async function passDoor(trx: Trx, workspaceId: number): Promise<void> {
  await sql`select pg_advisory_xact_lock_shared(${door(workspaceId)})`.execute(trx);
}

/** No event of the workspace is stored from now on until the transaction ends; those that were are there to be read. */
export async function closeDoor(trx: Trx, workspaceId: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(${door(workspaceId)})`.execute(trx);
}

const door = (workspaceId: number) => sql`hashtextextended(${`door ${workspaceId}`}::text, 0)`;

/** The oldest accepted events that nothing was made of yet, in the order in which they came; `upTo`: none with a higher id. */
export function unroutedEvents(trx: Trx, workspaceId: number, limit: number, upTo?: string): Promise<UnroutedEvent[]> {
  return unrouted(trx, workspaceId)
    .select(["id", "source_id", "message_id", "type", "occurred_at", "received_at", "payload"])
    .$if(upTo !== undefined, (query) => query.where("id", "<=", upTo ?? ""))
    .orderBy("id")
    .limit(limit)
    .execute();
}

/** The id of the newest of them; null where nothing waits. */
export async function newestUnrouted(trx: Trx, workspaceId: number): Promise<string | null> {
  const newest = await unrouted(trx, workspaceId).select("id").orderBy("id", "desc").limit(1).executeTakeFirst();
  return newest?.id ?? null;
}

const unrouted = (trx: Trx, workspaceId: number) =>
  trx
    .selectFrom("event")
    .where("workspace_id", "=", workspaceId)
    .where("routed_at", "is", null)
    .where("rejection", "is", null);

/** Which destinations take events of these sources now, by source; also of those that were removed, of what came before. */
export async function takersOf(
  trx: Trx,
  workspaceId: number,
  sourceIds: readonly number[],
): Promise<{ sourceId: number; destinationId: number }[]> {
  if (sourceIds.length === 0) return [];
  return trx
    .selectFrom("destination_source as link")
    .innerJoin("destination", (join) =>
      join
        .onRef("destination.workspace_id", "=", "link.workspace_id")
        .onRef("destination.id", "=", "link.destination_id"),
    )
    .innerJoin("connection", (join) =>
      join
        .onRef("connection.workspace_id", "=", "destination.workspace_id")
        .onRef("connection.id", "=", "destination.connection_id"),
    )
    .select(["link.source_id as sourceId", "link.destination_id as destinationId"])
    .where("link.workspace_id", "=", workspaceId)
    .where("link.source_id", "in", [...sourceIds])
    .where("destination.enabled", "=", true)
    .where("connection.state", "not in", hiddenConnectionStates)
    .orderBy("link.destination_id")
    .execute();
}

/** When those of some sources were removed that were; a door may not have known yet. */
export async function removalsOf(trx: Trx, workspaceId: number, ids: readonly number[]): Promise<Map<number, Date>> {
  const rows = await trx
    .selectFrom("source")
    .select(["id", "deleted_at"])
    .where("workspace_id", "=", workspaceId)
    .where("id", "in", [...ids])
    .execute();
  return new Map(rows.flatMap(({ id, deleted_at }): [number, Date][] => (deleted_at ? [[id, deleted_at]] : [])));
}

export async function markRouted(trx: Trx, workspaceId: number, ids: readonly string[], now: Date): Promise<void> {
  await trx
    .updateTable("event")
    .set({ routed_at: now })
    .where("workspace_id", "=", workspaceId)
    .where("id", "in", [...ids])
    .execute();
}

/** Nothing can be made of this event: it is listed with the reason. */
export async function rejectEvent(trx: Trx, workspaceId: number, id: string, rejection: string): Promise<void> {
  await trx
    .updateTable("event")
    .set({ rejection })
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .execute();
}
