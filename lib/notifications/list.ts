import type { Db } from "#db/client.ts";
import { type List, pageOf, positionFrom } from "#lib/api/cursor.ts";
import type { Notice } from "#lib/notifications/shapes.ts";
import { readNotices } from "#lib/notifications/store/notices.ts";

/** Notices, newest first; `open` "1" only those that go on, "0" only those that are over. */
export async function listNotices(
  db: Db,
  workspaceId: number,
  page: { limit: number; cursor?: string | undefined; open?: "0" | "1" | undefined },
): Promise<List<Notice>> {
  const [beforeId] = positionFrom(page.cursor, ["id"]) ?? [null];
  const open = page.open === undefined ? null : page.open === "1";
  const rows = await readNotices(db, workspaceId, { limit: page.limit + 1, beforeId, open });
  return pageOf(
    rows,
    page.limit,
    (row) => ({
      id: row.id,
      connectionId: String(row.connection_id),
      connection: row.connection,
      code: row.code,
      message: row.message,
      action: row.action,
      raisedAt: row.raised_at.toISOString(),
      clearedAt: row.cleared_at?.toISOString() ?? null,
      mailedAt: row.mailed_at?.toISOString() ?? null,
      mailFailure: row.mail_failure,
    }),
    (row) => [row.id],
  );
}
