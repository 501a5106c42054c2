import { type Kysely, sql } from "kysely";

/** Without a primary key nothing could be deleted from them where all tables are published (logical replication). */
export async function up(db: Kysely<unknown>): Promise<void> {
  for (const table of ["departure", "drift_seen"]) {
    await sql`alter table ${sql.table(table)} replica identity full`.execute(db);
  }
}
