import type { Db } from "#db/client.ts";
import type { Role } from "#lib/auth/shapes.ts";

/*
 * The directory: workspaces, people and keys. These tables are read before a workspace is known, so row-level security
 * does not bind them; every other query names its workspace.
 */

export interface KeyHolder {
  workspaceId: number;
  keyId: string;
  name: string;
  role: Role;
  lastUsedAt: Date | null;
}

/** The key with this SHA-256, unless it was revoked. */
export async function findKey(db: Db, keyHash: Buffer): Promise<KeyHolder | undefined> {
  const row = await db
    .selectFrom("api_key")
    .select(["workspace_id", "id", "name", "role", "last_used_at"])
    .where("key_hash", "=", keyHash)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  return (
    row && {
      workspaceId: row.workspace_id,
      keyId: row.id,
      name: row.name,
      role: row.role as Role,
      lastUsedAt: row.last_used_at,
    }
  );
}

export async function markKeyUsed(db: Db, key: KeyHolder, now: Date): Promise<void> {
  await db
    .updateTable("api_key")
    .set({ last_used_at: now })
    .where("workspace_id", "=", key.workspaceId)
    .where("id", "=", key.keyId)
    .execute();
}

/** `role`, `createdBy` (a label for people) and the rest as they are kept. */
export interface NewKey {
  name: string;
  role: Role;
  keyHash: Buffer;
  hint: string;
  createdBy: string | null;
}

export async function insertKey(db: Db, workspaceId: number, key: NewKey, now: Date) {
  return db
    .insertInto("api_key")
    .values(rowOf(workspaceId, key, now))
    .returningAll()
    .executeTakeFirstOrThrow();
}

/** The key exists from now on, in this workspace and as given, whatever it was before. */
export async function upsertKey(db: Db, workspaceId: number, key: NewKey, now: Date): Promise<void> {
  await db
    .insertInto("api_key")
    .values(rowOf(workspaceId, key, now))
    .onConflict((conflict) =>
      conflict.column("key_hash").doUpdateSet({ workspace_id: workspaceId, role: key.role, revoked_at: null }),
    )
    .execute();
}

export async function selectKeys(db: Db, workspaceId: number, page: { after: string | null; limit: number }) {
  return db
    .selectFrom("api_key")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("revoked_at", "is", null)
    .$if(page.after !== null, (query) => query.where("id", "<", page.after ?? ""))
    .orderBy("id", "desc")
    .limit(page.limit)
    .execute();
}

/** False when there is no such key that still works. */
export async function revokeKey(db: Db, workspaceId: number, keyId: string, now: Date): Promise<boolean> {
  const { numUpdatedRows } = await db
    .updateTable("api_key")
    .set({ revoked_at: now })
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", keyId)
    .where("revoked_at", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

export async function revokeKeysNamed(db: Db, workspaceId: number, name: string, now: Date): Promise<void> {
  await db
    .updateTable("api_key")
    .set({ revoked_at: now })
    .where("workspace_id", "=", workspaceId)
    .where("name", "=", name)
    .where("created_by", "is", null)
    .where("revoked_at", "is", null)
    .execute();
}

function rowOf(workspaceId: number, key: NewKey, now: Date) {
  return {
    workspace_id: workspaceId,
    name: key.name,
    role: key.role,
    key_hash: key.keyHash,
    hint: key.hint,
    created_by: key.createdBy,
    created_at: now,
  };
}
