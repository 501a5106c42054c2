import { sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { Role } from "#lib/auth/shapes.ts";

/** Processes that start at once wait for each other here; released at the end of the transaction. */
export async function lockFirstStart(trx: Trx): Promise<void> {
  await sql`select pg_advisory_xact_lock(hashtextextended('bellwether first start', 0))`.execute(trx);
}

/** The oldest workspace of the kind, or undefined. */
export async function findWorkspace(db: Db, kind: { demo: boolean }): Promise<number | undefined> {
  const row = await db
    .selectFrom("workspace")
    .select("id")
    .where("demo", "=", kind.demo)
    .orderBy("id")
    .limit(1)
    .executeTakeFirst();
  return row?.id;
}

export async function insertWorkspace(db: Db, workspace: { name: string; demo: boolean }, now: Date): Promise<number> {
  const row = await db
    .insertInto("workspace")
    .values({ name: workspace.name, demo: workspace.demo, created_at: now })
    .returning("id")
    .executeTakeFirstOrThrow();
  return row.id;
}

export async function workspaceFacts(db: Db, workspaceId: number): Promise<{ name: string; demo: boolean }> {
  return db.selectFrom("workspace").select(["name", "demo"]).where("id", "=", workspaceId).executeTakeFirstOrThrow();
}

/** Without a workspace: any administrator of the installation. */
export async function hasAdministrator(db: Db, workspaceId?: number): Promise<boolean> {
  const row = await db
    .selectFrom("app_user")
    .select("id")
    .where("role", "=", "admin" satisfies Role)
    .$if(workspaceId !== undefined, (query) => query.where("workspace_id", "=", workspaceId ?? 0))
    .limit(1)
    .executeTakeFirst();
  return row !== undefined;
}

/** Makes the person an administrator with this password, also where the address was somebody's before. */
export async function upsertAdministrator(
  db: Db,
  workspaceId: number,
  person: { email: string; passwordHash: string },
  now: Date,
): Promise<void> {
  await db
    .insertInto("app_user")
    .values({
      workspace_id: workspaceId,
      email: person.email,
      name: null,
      role: "admin",
      password_hash: person.passwordHash,
      created_at: now,
    })
    .onConflict((conflict) =>
      conflict
        .columns(["workspace_id", "email"])
        .doUpdateSet({ role: "admin", password_hash: person.passwordHash, disabled_at: null }),
    )
    .execute();
}

/** True while the workspace has no connection; `trx` must see its rows. A filling that broke off before it is done again. */
export async function isUnconnected(trx: Trx, workspaceId: number): Promise<boolean> {
  const { rows } = await sql<{ unconnected: boolean }>`
    select not exists (select from connection where workspace_id = ${workspaceId}) as unconnected`.execute(trx);
  return rows[0]?.unconnected ?? false;
}

/** Throws what the driver throws when the database is out of reach. */
export async function reachDatabase(db: Db): Promise<void> {
  await sql`select 1`.execute(db);
}
