import type { Db, Trx } from "#db/client.ts";
import type { Role } from "#lib/auth/shapes.ts";

/* The people of a workspace as its administrators see and change them. */

const userColumns = [
  "id",
  "email",
  "name",
  "role",
  "disabled_at",
  "locked_until",
  "last_sign_in_at",
  "created_at",
] as const;

export async function selectUsers(db: Db, workspaceId: number, page: { after: string | null; limit: number }) {
  return db
    .selectFrom("app_user")
    .select(userColumns)
    .where("workspace_id", "=", workspaceId)
    .$if(page.after !== null, (query) => query.where("email", ">", page.after ?? ""))
    .orderBy("email")
    .limit(page.limit)
    .execute();
}

/** Null when the address is taken. */
export async function insertUser(
  db: Db,
  workspaceId: number,
  user: { email: string; name: string | null; role: Role; passwordHash: string | null },
  now: Date,
) {
  const row = await db
    .insertInto("app_user")
    .values({
      workspace_id: workspaceId,
      email: user.email,
      name: user.name,
      role: user.role,
      password_hash: user.passwordHash,
      created_at: now,
    })
    .onConflict((conflict) => conflict.columns(["workspace_id", "email"]).doNothing())
    .returning(userColumns)
    .executeTakeFirst();
  return row ?? null;
}

/** The person's row, locked until the transaction ends. */
export async function lockUser(trx: Trx, workspaceId: number, userId: string) {
  return trx
    .selectFrom("app_user")
    .select([...userColumns, "session_version"])
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", userId)
    .forUpdate()
    .executeTakeFirst();
}

/** Ids of the administrators who can sign in, locked: two who demote each other at once must wait in line. */
export async function lockAdministrators(trx: Trx, workspaceId: number): Promise<string[]> {
  const rows = await trx
    .selectFrom("app_user")
    .select("id")
    .where("workspace_id", "=", workspaceId)
    .where("role", "=", "admin")
    .where("disabled_at", "is", null)
    .orderBy("id")
    .forUpdate()
    .execute();
  return rows.map((row) => row.id);
}

export interface UserChange {
  name?: string | null;
  role?: Role;
  disabledAt?: Date | null;
  passwordHash?: string;
  unlock?: boolean;
  /** Ends every session of the person. */
  signOut?: boolean;
}

export async function updateUserRow(trx: Trx, workspaceId: number, userId: string, change: UserChange) {
  return trx
    .updateTable("app_user")
    .set((value) => ({
      ...(change.name !== undefined && { name: change.name }),
      ...(change.role !== undefined && { role: change.role }),
      ...(change.disabledAt !== undefined && { disabled_at: change.disabledAt }),
      ...(change.passwordHash !== undefined && { password_hash: change.passwordHash }),
      ...(change.unlock && { failed_attempts: 0, locked_until: null }),
      session_version: value("session_version", "+", change.signOut ? 1 : 0),
    }))
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", userId)
    .returning(userColumns)
    .executeTakeFirstOrThrow();
}
