import type { Db } from "#db/client.ts";

/* Sign-ins that their people have ended. A session itself is kept nowhere: its token says everything. */

/** `endsAt`: when the session's token would have ended by itself. */
export async function endSession(
  db: Db,
  ended: { workspaceId: number; sessionId: string; endsAt: Date },
): Promise<void> {
  await db
    .insertInto("ended_session")
    .values({ workspace_id: ended.workspaceId, id: ended.sessionId, ends_at: ended.endsAt })
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}

/** Forgets those whose token would have ended by itself by now. */
export async function forgetEndedSessions(db: Db, workspaceId: number, now: Date): Promise<void> {
  await db.deleteFrom("ended_session").where("workspace_id", "=", workspaceId).where("ends_at", "<", now).execute();
}
