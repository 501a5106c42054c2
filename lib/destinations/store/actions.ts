import { type Selectable, sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { DestinationActionTable } from "#db/schema.ts";

export type StoredAction = Selectable<DestinationActionTable>;

/** The actions as they are set now, in their order, by destination. */
export async function currentActions(
  db: Db,
  workspaceId: number,
  destinationIds: readonly number[],
): Promise<Map<number, StoredAction[]>> {
  const { rows } = await sql<StoredAction>`
    select * from (
      select distinct on (destination_id, action) * from destination_action
       where workspace_id = ${workspaceId} and destination_id = any(${[...destinationIds]}::int[])
       order by destination_id, action, version desc) latest
     order by destination_id, position, action`.execute(db);
  const byDestination = new Map<number, StoredAction[]>(destinationIds.map((id) => [id, []]));
  for (const row of rows) byDestination.get(row.destination_id)?.push(row);
  return byDestination;
}

export async function insertActions(trx: Trx, rows: readonly StoredAction[]): Promise<void> {
  if (rows.length > 0)
    await trx
      .insertInto("destination_action")
      .values([...rows])
      .execute();
}

/** What the actions were and are, newest first, after a position. */
export async function actionVersions(
  db: Db,
  workspaceId: number,
  destinationId: number,
  page: { limit: number; after: { createdAt: string; action: string; version: number } | null },
): Promise<StoredAction[]> {
  const { after } = page;
  let query = db
    .selectFrom("destination_action")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("destination_id", "=", destinationId);
  if (after) {
    query = query.where(
      sql<boolean>`(created_at, action, version) < (${after.createdAt}::timestamptz, ${after.action}::text, ${after.version}::int)`,
    );
  }
  return query
    .orderBy("created_at", "desc")
    .orderBy("action", "desc")
    .orderBy("version", "desc")
    .limit(page.limit)
    .execute();
}
