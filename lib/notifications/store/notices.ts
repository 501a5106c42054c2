import { type Selectable, sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { NoticeTable } from "#db/schema.ts";
import type { DueNotice } from "#lib/notifications/facts.ts";

export type StoredNotice = Selectable<NoticeTable>;

export async function readOpen(trx: Trx, workspaceId: number): Promise<StoredNotice[]> {
  return trx
    .selectFrom("notice")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("cleared_at", "is", null)
    .orderBy("id")
    .execute();
}

/** Opens a notice; nothing happens where another process has done so. `mailAt`: when its letter is due. */
export async function insertNotice(
  trx: Trx,
  workspaceId: number,
  connectionId: number,
  notice: DueNotice,
  at: { raised: Date; mailAt: Date },
): Promise<void> {
  await trx
    .insertInto("notice")
    .values({
      workspace_id: workspaceId,
      connection_id: connectionId,
      ...notice,
      raised_at: at.raised,
      next_mail_at: at.mailAt,
    })
    .onConflict((conflict) =>
      conflict.columns(["workspace_id", "connection_id", "code"]).where("cleared_at", "is", null).doNothing(),
    )
    .execute();
}

export async function changeWords(trx: Trx, workspaceId: number, id: string, notice: DueNotice): Promise<void> {
  await trx
    .updateTable("notice")
    .set({ message: notice.message, action: notice.action })
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .execute();
}

/** Ends a notice. Whoever was told that it began is told that it is over, unless `quietly`. */
export async function clearNotice(
  trx: Trx,
  workspaceId: number,
  id: string,
  now: Date,
  options: { quietly: boolean },
): Promise<void> {
  await trx
    .updateTable("notice")
    .set({
      cleared_at: now,
      next_mail_at: options.quietly
        ? null
        : sql<Date | null>`case when mailed_at is not null then ${now}::timestamptz end`,
      mail_attempts: 0,
      mail_failure: null,
    })
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .where("cleared_at", "is", null)
    .execute();
}

/** When administrators were last written to that this began, since `since`. */
export async function lastMailedAt(
  trx: Trx,
  workspaceId: number,
  connectionId: number,
  code: string,
  since: Date,
): Promise<Date | null> {
  const row = await trx
    .selectFrom("notice")
    .select((eb) => eb.fn.max("mailed_at").as("at"))
    .where("workspace_id", "=", workspaceId)
    .where("connection_id", "=", connectionId)
    .where("code", "=", code)
    .where("mailed_at", ">", since)
    .executeTakeFirst();
  return row?.at ?? null;
}

/** Newest first, with the name of the connection; those of a connection that no list shows are left out. */
export async function readNotices(
  db: Db,
  workspaceId: number,
  page: { limit: number; beforeId: string | null; open: boolean | null },
): Promise<(StoredNotice & { connection: string })[]> {
  let query = db
    .selectFrom("notice as n")
    .innerJoin("connection as c", (join) =>
      join.onRef("c.workspace_id", "=", "n.workspace_id").onRef("c.id", "=", "n.connection_id"),
    )
    .selectAll("n")
    .select("c.name as connection")
    .where("n.workspace_id", "=", workspaceId)
    .where("c.state", "not in", ["deleted", "purging"]);
  if (page.open !== null) query = query.where("n.cleared_at", page.open ? "is" : "is not", null);
  if (page.beforeId !== null) query = query.where("n.id", "<", page.beforeId);
  return query.orderBy("n.id", "desc").limit(page.limit).execute();
}

export async function deleteNotices(trx: Trx, workspaceId: number, clearedBefore: Date): Promise<void> {
  await trx
    .deleteFrom("notice")
    .where("workspace_id", "=", workspaceId)
    .where("cleared_at", "<", clearedBefore)
    .execute();
}
