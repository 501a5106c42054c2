import { sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";

/** Reads one workspace as it stood at one instant, while the product goes on. */
export function snapshot<T>(db: Db, workspaceId: number, work: (trx: Trx) => Promise<T>): Promise<T> {
  return db
    .transaction()
    .setIsolationLevel("repeatable read")
    .execute(async (trx) => {
      await sql`select set_config('app.workspace', ${String(workspaceId)}, true)`.execute(trx);
      return work(trx);
    });
}
