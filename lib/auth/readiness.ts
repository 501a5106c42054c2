import type { Kysely } from "kysely";
import type { Db } from "#db/client.ts";
import { isMigrated } from "#db/migrate.ts";
import { isWorkingKey } from "#lib/auth/api-keys.ts";
import { hasAdministrator, reachDatabase } from "#lib/auth/store/workspaces.ts";
import { AppError } from "#lib/errors.ts";

/** Throws `unavailable` with the reason until everything that a first visit needs is there. */
export async function requireReady(db: Db, config: { bootstrapApiKey: string | null }): Promise<void> {
  const reason = await missing(db, config);
  if (reason !== null) throw new AppError("unavailable", reason);
}

async function missing(db: Db, { bootstrapApiKey }: { bootstrapApiKey: string | null }): Promise<string | null> {
  await reachDatabase(db);
  if (!(await isMigrated(db as unknown as Kysely<never>))) return "The database has not been migrated to this version.";
  if (!(await hasAdministrator(db))) return "There is no administrator yet.";
  if (bootstrapApiKey !== null && !(await isWorkingKey(db, bootstrapApiKey))) {
    return "The API key of BOOTSTRAP_API_KEY does not exist yet.";
  }
  return null;
}
