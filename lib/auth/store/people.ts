import { sql } from "kysely";
import type { Db } from "#db/client.ts";
import type { Role } from "#lib/auth/shapes.ts";

export interface PersonRow {
  workspaceId: number;
  workspaceName: string;
  demo: boolean;
  userId: string;
  email: string;
  name: string | null;
  role: Role;
  sessionVersion: number;
  disabled: boolean;
}

/** One person with the workspace, as each request of a session reads it; nobody once that session was ended. */
export async function findPerson(
  db: Db,
  session: { workspaceId: number; userId: string; sessionId: string },
): Promise<PersonRow | undefined> {
  const row = await people(db)
    .where("app_user.workspace_id", "=", session.workspaceId)
    .where("app_user.id", "=", session.userId)
    .where(({ not, exists, selectFrom }) =>
      not(
        exists(
          selectFrom("ended_session")
            .select("id")
            .where("workspace_id", "=", session.workspaceId)
            .where("id", "=", session.sessionId),
        ),
      ),
    )
    .executeTakeFirst();
  return row && personOf(row);
}

/** Everybody with this address, those of the served kind of workspace first; one person a workspace. */
export async function findPeopleByEmail(
  db: Db,
  email: string,
  served: { demo: boolean },
): Promise<(PersonRow & { passwordHash: string | null })[]> {
  const rows = await people(db)
    .where("app_user.email", "=", email)
    .orderBy(sql`workspace.demo = ${served.demo}`, "desc")
    .orderBy("workspace.id")
    .limit(10)
    .execute();
  return rows.map((row) => ({ ...personOf(row), passwordHash: row.password_hash }));
}

function people(db: Db) {
  return db
    .selectFrom("app_user")
    .innerJoin("workspace", "workspace.id", "app_user.workspace_id")
    .select([
      "app_user.workspace_id",
      "app_user.id",
      "app_user.email",
      "app_user.name",
      "app_user.role",
      "app_user.session_version",
      "app_user.disabled_at",
      "app_user.password_hash",
      "workspace.name as workspace_name",
      "workspace.demo",
    ]);
}

function personOf(row: Awaited<ReturnType<ReturnType<typeof people>["executeTakeFirstOrThrow"]>>): PersonRow {
  return {
    workspaceId: row.workspace_id,
    workspaceName: row.workspace_name,
    demo: row.demo,
    userId: row.id,
    email: row.email,
    name: row.name,
    role: row.role as Role,
    sessionVersion: row.session_version,
    disabled: row.disabled_at !== null,
  };
}

/**
 * Counts one try at a password before it is verified, so that tries sent at once are counted like tries one by one.
 * Null while locked; else the instant until which this try, should it prove wrong, locks (null below the limit).
 */
export async function countAttempt(
  db: Db,
  person: { workspaceId: number; userId: string },
  limit: { attempts: number; lockedUntil: Date; now: Date },
): Promise<{ lockedUntil: Date | null } | null> {
  const attempts = sql<number>`case when locked_until is null then failed_attempts + 1 else 1 end`;
  const row = await db
    .updateTable("app_user")
    .set({
      failed_attempts: attempts,
      locked_until: sql<Date | null>`case when ${attempts} >= ${limit.attempts} then ${limit.lockedUntil}::timestamptz end`,
    })
    .where("workspace_id", "=", person.workspaceId)
    .where("id", "=", person.userId)
    .where((where) => where.or([where("locked_until", "is", null), where("locked_until", "<=", limit.now)]))
    .returning("locked_until")
    .executeTakeFirst();
  return row ? { lockedUntil: row.locked_until } : null;
}

export async function lockedUntil(db: Db, person: { workspaceId: number; userId: string }): Promise<Date | null> {
  const row = await db
    .selectFrom("app_user")
    .select("locked_until")
    .where("workspace_id", "=", person.workspaceId)
    .where("id", "=", person.userId)
    .executeTakeFirst();
  return row?.locked_until ?? null;
}

export async function markSignedIn(db: Db, person: { workspaceId: number; userId: string }, now: Date): Promise<void> {
  await db
    .updateTable("app_user")
    .set({ failed_attempts: 0, locked_until: null, last_sign_in_at: now })
    .where("workspace_id", "=", person.workspaceId)
    .where("id", "=", person.userId)
    .execute();
}
