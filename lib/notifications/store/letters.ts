import { sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { StoredNotice } from "#lib/notifications/store/notices.ts";

/** A notice whose letter is due, with the name of its connection. */
export type DueLetter = StoredNotice & { connection: string };

/** Takes letters that are due: until `until` nobody else takes them, should this process end before it has sent them. */
export async function claimLetters(
  trx: Trx,
  workspaceId: number,
  now: Date,
  until: Date,
  limit: number,
): Promise<DueLetter[]> {
  const due = trx
    .selectFrom("notice")
    .select("id")
    .where("workspace_id", "=", workspaceId)
    .where("next_mail_at", "<=", now)
    .orderBy("id")
    .limit(limit)
    .forUpdate()
    .skipLocked();
  return trx
    .updateTable("notice as n")
    .from("connection as c")
    .set({ next_mail_at: until })
    .whereRef("c.workspace_id", "=", "n.workspace_id")
    .whereRef("c.id", "=", "n.connection_id")
    .where("n.workspace_id", "=", workspaceId)
    .where("n.id", "in", due)
    .returningAll("n")
    .returning("c.name as connection")
    .execute();
}

/** A letter went out. What was over by then, and not when the letter was written, is told of next. */
export async function markSent(trx: Trx, letter: DueLetter, now: Date, failure: string | null): Promise<void> {
  const next = sql<Date | null>`case when cleared_at is not null then ${now}::timestamptz end`;
  await trx
    .updateTable("notice")
    .set(
      letter.cleared_at === null
        ? { mailed_at: now, next_mail_at: next }
        : { clear_mailed_at: now, next_mail_at: null },
    )
    .set({ mail_attempts: 0, mail_failure: failure })
    .where("workspace_id", "=", letter.workspace_id)
    .where("id", "=", letter.id)
    .execute();
}

/** It did not. A notice that ended meanwhile, of which nobody was told, has nothing more to say. */
export async function markUnsent(
  trx: Trx,
  letter: DueLetter,
  again: { next: Date | null; failure: string },
): Promise<void> {
  const next = sql<Date | null>`case when cleared_at is null or mailed_at is not null then ${again.next}::timestamptz end`;
  await trx
    .updateTable("notice")
    .set({ next_mail_at: next, mail_attempts: letter.mail_attempts + 1, mail_failure: again.failure })
    .where("workspace_id", "=", letter.workspace_id)
    .where("id", "=", letter.id)
    .execute();
}

/** Administrators' addresses: of those who may sign in. */
export async function readAddresses(db: Db, workspaceId: number): Promise<string[]> {
  const rows = await db
    .selectFrom("app_user")
    .select("email")
    .where("workspace_id", "=", workspaceId)
    .where("role", "=", "admin")
    .where("disabled_at", "is", null)
    .orderBy("email")
    .execute();
  return rows.map((row) => row.email);
}
