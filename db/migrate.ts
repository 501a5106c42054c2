import { Kysely, type Migration, Migrator, PostgresDialect, type QueryExecutorProvider, sql } from "kysely";
import pg from "pg";
import * as ground from "#db/migrations/2026-11-22-01-ground.ts";
import * as trust from "#db/migrations/2026-11-22-02-trust.ts";
import * as destinations from "#db/migrations/2026-11-22-03-destinations.ts";
import * as lostDeliveries from "#db/migrations/2026-11-22-04-lost-deliveries.ts";
import * as kept from "#db/migrations/2026-11-22-05-kept.ts";
import * as memberships from "#db/migrations/2026-11-22-06-memberships.ts";
import * as departures from "#db/migrations/2026-11-23-01-departures.ts";
import * as replicaIdentity from "#db/migrations/2026-11-23-02-replica-identity.ts";

// Imported by name, so that the bundled server and the launcher run the same list.
const migrations: Record<string, Migration> = {
  "2026-11-22-01-ground": ground,
  "2026-11-22-02-trust": trust,
  "2026-11-22-03-destinations": destinations,
  "2026-11-22-04-lost-deliveries": lostDeliveries,
  "2026-11-22-05-kept": kept,
  "2026-11-22-06-memberships": memberships,
  "2026-11-23-01-departures": departures,
  "2026-11-23-02-replica-identity": replicaIdentity,
};

/**
 * Brings the database at `url` (the owner's address) to the newest schema. Two processes may call it at once: kysely's
 * migrator takes an advisory lock, the second waits and finds nothing to do (row 84).
 */
export async function migrateToLatest(url: string): Promise<void> {
  const pool = new pg.Pool({ connectionString: url, max: 2 });
  // A server that dies under us also fails the query (row 78).
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("error", () => {}));
  const db = new Kysely<unknown>({ dialect: new PostgresDialect({ pool }) });
  try {
    const { error } = await migrator(db).migrateToLatest();
    if (error) throw error;
  } finally {
    await db.destroy();
  }
}

/** All of them, in their order. */
export const migrationNames: readonly string[] = Object.keys(migrations).sort();

/** The lock of kysely's migrator, held for the rest of the session: who wants to migrate waits. */
export async function lockMigrations(db: QueryExecutorProvider): Promise<void> {
  await sql`select pg_advisory_lock(3853314791062309107)`.execute(db);
}

/**
 * Brings the schema to the state after `names` inside of a transaction, which the migrator cannot. `afresh`: nothing is there.
 * The caller holds the lock.
 */
export async function migrateWithin(
  trx: QueryExecutorProvider,
  names: readonly string[],
  { afresh = false } = {},
): Promise<void> {
  await sql`create table if not exists kysely_migration
    (name varchar(255) primary key, timestamp varchar(255) not null)`.execute(trx);
  if (afresh) await sql`delete from kysely_migration`.execute(trx);
  const { rows } = await sql<{ name: string }>`select name from kysely_migration`.execute(trx);
  for (const name of names.filter((name) => !rows.some((row) => row.name === name))) {
    await migrations[name]?.up(trx as Kysely<unknown>);
    await sql`insert into kysely_migration values (${name}, ${new Date().toISOString()})`.execute(trx);
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
