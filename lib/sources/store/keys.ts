import { sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";

/** What a key that works lets in. */
export interface StoredOwner {
  workspaceId: number;
  keyId: string;
  sourceId: number;
  endsAt: Date | null;
  lastUsedAt: Date | null;
}

/** The key with this SHA-256, before any workspace is known. */
export async function findWriteKey(db: Db, keyHash: Buffer): Promise<StoredOwner | undefined> {
  const row = await db
    .selectFrom("write_key")
    .select(["workspace_id", "id", "source_id", "ends_at", "last_used_at"])
    .where("key_hash", "=", keyHash)
    .executeTakeFirst();
  return (
    row && {
      workspaceId: row.workspace_id,
      keyId: row.id,
      sourceId: row.source_id,
      endsAt: row.ends_at,
      lastUsedAt: row.last_used_at,
    }
  );
}

/** Whether a key's source takes events; undefined for one that was removed. */
export async function isSourceEnabled(trx: Trx, owner: StoredOwner): Promise<boolean | undefined> {
  const row = await trx
    .selectFrom("source")
    .select("enabled")
    .where("workspace_id", "=", owner.workspaceId)
    .where("id", "=", owner.sourceId)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  return row?.enabled;
}

export async function markWriteKeyUsed(trx: Trx, owner: StoredOwner, now: Date): Promise<void> {
  await trx
    .updateTable("write_key")
    .set({ last_used_at: now })
    .where("workspace_id", "=", owner.workspaceId)
    .where("id", "=", owner.keyId)
    .execute();
}

export async function insertWriteKey(
  trx: Trx,
  workspaceId: number,
  key: { sourceId: number; keyHash: Buffer; hint: string },
  now: Date,
): Promise<void> {
  await trx
    .insertInto("write_key")
    .values({
      workspace_id: workspaceId,
      source_id: key.sourceId,
      key_hash: key.keyHash,
      hint: key.hint,
      created_at: now,
    })
    .execute();
}

/** Lets the keys of a source end at `at`, unless they end before; those that have ended are forgotten. */
export async function endWriteKeys(
  trx: Trx,
  workspaceId: number,
  sourceId: number,
  { now, at }: { now: Date; at: Date },
): Promise<void> {
  const ofSource = sql`workspace_id = ${workspaceId} and source_id = ${sourceId}`;
  const end = sql`${at.toISOString()}::timestamptz`;
  await sql`update write_key set ends_at = least(ends_at, ${end}) where ${ofSource}`.execute(trx);
  await sql`delete from write_key where ${ofSource} and ends_at <= ${now.toISOString()}::timestamptz`.execute(trx);
}

/** Keys of all sources that ended before. */
export async function forgetEndedKeys(trx: Trx, workspaceId: number, now: Date): Promise<void> {
  await trx.deleteFrom("write_key").where("workspace_id", "=", workspaceId).where("ends_at", "<=", now).execute();
}
