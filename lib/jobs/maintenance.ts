import { type Db, inWorkspace } from "#db/client.ts";
import { forgetOldAnswers } from "#lib/api/idempotency.ts";
import { forgetOldStates } from "#lib/connections/authorize.ts";
import { resumePurges } from "#lib/connections/purge.ts";
import { listWorkspaces } from "#lib/jobs/store/due.ts";
import { foldRuns } from "#lib/jobs/store/runs.ts";
import { ensureMetricsDay } from "#lib/metrics/store.ts";

const runsKeptMs = 90 * 86_400_000;

/** Moves every workspace's windows to its today. Cheap when nothing is to be done. */
export async function turnDays(db: Db, now: Date): Promise<void> {
  for (const { id } of await listWorkspaces(db)) await inWorkspace(db, id, (trx) => ensureMetricsDay(trx, id, now));
}

/**
 * Housekeeping of all workspaces: runs older than 90 days, answers kept for repeated POSTs, authorizations that nobody
 * finished, purges that broke off. What takes long stops between two batches once `isOver`; the next call goes on.
 */
export async function maintain(db: Db, now: Date, isOver: () => boolean = () => false): Promise<void> {
  for (const { id } of await listWorkspaces(db)) {
    await inWorkspace(db, id, async (trx) => {
      await foldRuns(trx, id, new Date(now.getTime() - runsKeptMs));
      await forgetOldAnswers(trx, id, now);
      await forgetOldStates(trx, id, now);
    });
    await resumePurges(db, id, now, isOver);
  }
  await turnDays(db, now);
}
