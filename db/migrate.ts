import { Kysely, type Migration, Migrator, PostgresDialect, sql } from "kysely";
import pg from "pg";
import * as ground from "#db/migrations/2026-11-22-01-ground.ts";

// Imported by name, so that the bundled server and the launcher run the same list.
const migrations: Record<string, Migration> = {
  "2026-11-22-01-ground": ground,
};

/**
 * Brings the database at `url` (the owner's address) to the newest schema. Two processes may call it at once: kysely's
 * migrator takes an advisory lock, the second waits and finds nothing to do (row 84).
 */
export async function migrateToLatest(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  pool.on("error", () => {}); // a server that dies under us also fails the query (row 78)
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const { error } = await migrator(db).migrateToLatest();
    if (error) throw error;
  } finally {
    await db.destroy();
  }
}

/** True when the schema is the one this program was written for. */
export async function isMigrated(db: Kysely<never>): Promise<boolean> {
  const newest = Object.keys(migrations).sort().at(-1);
  const { rows } = await sql<{ name: string }>`select name from kysely_migration where name = ${newest}`
    .execute(db)
    .catch(() => ({ rows: [] }));
  return rows.length === 1;
}

function migrator(db: Kysely<unknown>): Migrator {
  return new Migrator({ db, provider: { getMigrations: async () => migrations } });
}
