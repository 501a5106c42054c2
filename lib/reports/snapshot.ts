import { sql } from "kysely";
import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import type { MetricSettings } from "#lib/metrics/counts.ts";
import { ensureMetricsDay } from "#lib/metrics/store.ts";

/** A client that stops reading a download is let go after this long: it holds a transaction open. */
const STALL = "60s";

/**
 * Batches of one download, all read from one state of the database although they are fetched one by one. `db` is the pool:
 * the transaction lives as long as the download.
 */
export async function* fromOneState<Batch>(
  db: Db,
  workspaceId: number,
  now: Date,
  read: (trx: Trx, settings: MetricSettings) => AsyncGenerator<Batch>,
): AsyncGenerator<Batch> {
  // Moving the windows writes, and the snapshot below must already see it.
  await inWorkspace(db, workspaceId, (trx) => ensureMetricsDay(trx, workspaceId, now));
  const trx = await db.startTransaction().setIsolationLevel("repeatable read").execute();
  try {
    await sql`select set_config('app.workspace', ${String(workspaceId)}, true),
                     set_config('idle_in_transaction_session_timeout', ${STALL}, true)`.execute(trx);
    yield* read(trx, await ensureMetricsDay(trx, workspaceId, now));
  } finally {
    await trx.rollback().execute();
  }
}
