import { type Insertable, type Selectable, sql, type Updateable } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { ConnectionTable } from "#db/schema.ts";
import { streamNames } from "#lib/connections/shapes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** States that no list shows: rows of a deleted connection that were kept, or are still being erased. */
export const hiddenStates = ["deleted", "purging"];

/** The row that streams are shown from; the other purposes keep their own places. */
export const shownPurpose = "incremental";

export async function insertConnection(trx: Trx, connection: Insertable<ConnectionTable>): Promise<number> {
  const { id } = await trx.insertInto("connection").values(connection).returning("id").executeTakeFirstOrThrow();
  return id;
}

/** Every stream has a row from the beginning: a stream that was never read is shown as waiting, not left out. */
export async function insertStreamStates(trx: Trx, scope: Scope, now: Date): Promise<void> {
  await trx
    .insertInto("stream_state")
    .values(
      streamNames.map((stream) => ({
        workspace_id: scope.workspaceId,
        connection_id: scope.connectionId,
        stream,
        purpose: shownPurpose,
        updated_at: now,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function insertLeaseRow(trx: Trx, scope: Scope): Promise<void> {
  await trx
    .insertInto("connection_lease")
    .values({ workspace_id: scope.workspaceId, connection_id: scope.connectionId, epoch: "0" })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

export async function findConnection(db: Db, scope: Scope): Promise<Selectable<ConnectionTable> | undefined> {
  return db
    .selectFrom("connection")
    .selectAll()
    .where("workspace_id", "=", scope.workspaceId)
    .where("id", "=", scope.connectionId)
    .executeTakeFirst();
}

/**
 * The same, held until the transaction ends with the connection's lease, which comes first, as in every transaction of a
 * run: two calls about one connection take turns, and no page is committed between them.
 */
export async function holdConnection(trx: Trx, scope: Scope): Promise<Selectable<ConnectionTable> | undefined> {
  await trx
    .selectFrom("connection_lease")
    .select("epoch")
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .forUpdate()
    .executeTakeFirst();
  return lockConnection(trx, scope);
}

/** The connection's own row, for whoever holds its lease already. */
export async function lockConnection(trx: Trx, scope: Scope): Promise<Selectable<ConnectionTable> | undefined> {
  return trx
    .selectFrom("connection")
    .selectAll()
    .where("workspace_id", "=", scope.workspaceId)
    .where("id", "=", scope.connectionId)
    .forUpdate()
    .executeTakeFirst();
}

/** Connections of a subdomain, kept rows of deleted ones included. */
export async function findBySubdomain(
  db: Db,
  workspaceId: number,
  subdomain: string,
): Promise<Selectable<ConnectionTable>[]> {
  return db
    .selectFrom("connection")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("subdomain", "=", subdomain)
    .where("state", "<>", "purging")
    .orderBy("id")
    .execute();
}

/** Calls that add connections to a workspace take turns. A statement of its own, so that the next one sees what the former call did. */
export async function lockConnections(trx: Trx, workspaceId: number): Promise<void> {
  await sql`select pg_advisory_xact_lock(${7_302}::int, ${workspaceId}::int)`.execute(trx);
}

export async function updateConnection(
  trx: Trx,
  scope: Scope,
  columns: Updateable<Omit<ConnectionTable, "workspace_id">>,
  now: Date,
): Promise<void> {
  await trx
    .updateTable("connection")
    .set({ ...columns, updated_at: now })
    .where("workspace_id", "=", scope.workspaceId)
    .where("id", "=", scope.connectionId)
    .execute();
}

export async function findConnections(
  db: Db,
  workspaceId: number,
  page: { limit: number; afterId: number; id?: number },
): Promise<Selectable<ConnectionTable>[]> {
  let query = db
    .selectFrom("connection")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("state", "not in", hiddenStates);
  query = page.id === undefined ? query.where("id", ">", page.afterId) : query.where("id", "=", page.id);
  return query.orderBy("id").limit(page.limit).execute();
}

export async function findExpiredPauses(
  trx: Trx,
  workspaceId: number,
  now: Date,
): Promise<Selectable<ConnectionTable>[]> {
  return trx
    .selectFrom("connection")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("state", "=", "paused")
    .where("paused_until", "<=", now)
    .orderBy("id")
    .forUpdate()
    .execute();
}

export async function findByState(db: Db, workspaceId: number, state: string): Promise<number[]> {
  const rows = await db
    .selectFrom("connection")
    .select("id")
    .where("workspace_id", "=", workspaceId)
    .where("state", "=", state)
    .execute();
  return rows.map((row) => row.id);
}

/** The workspace's settings that a connection falls back on. */
export async function readRhythm(
  db: Db,
  workspaceId: number,
): Promise<{ timeZone: string; syncIntervalMinutes: number }> {
  return db
    .selectFrom("workspace")
    .select(["time_zone as timeZone", "sync_interval_minutes as syncIntervalMinutes"])
    .where("id", "=", workspaceId)
    .executeTakeFirstOrThrow();
}

/** Whether an end user or agent of this id and address was read from the connection's account. */
export async function knowsUser(db: Db, scope: Scope, user: { id: string; email: string | null }): Promise<boolean> {
  const row = await db
    .selectFrom("zendesk_user")
    .select(sql<boolean>`lower(email) is not distinct from lower(${user.email}::text)`.as("same"))
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("id", "=", user.id)
    .executeTakeFirst();
  return row?.same ?? false;
}

export async function hasUsers(db: Db, scope: Scope): Promise<boolean> {
  const row = await db
    .selectFrom("zendesk_user")
    .select("id")
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

export async function deleteConnectionRow(trx: Trx, scope: Scope): Promise<void> {
  await trx
    .deleteFrom("connection")
    .where("workspace_id", "=", scope.workspaceId)
    .where("id", "=", scope.connectionId)
    .execute();
}
