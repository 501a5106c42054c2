import { type Db, inWorkspace } from "#db/client.ts";
import { removeLeftUploads } from "#lib/accounts/csv-file.ts";
import { forgetOldAnswers } from "#lib/api/idempotency.ts";
import { forgetEndedSessions } from "#lib/auth/store/sessions.ts";
import { forgetOldStates } from "#lib/connections/authorize.ts";
import { resumePurges } from "#lib/connections/purge.ts";
import { forgetOldDeliveries } from "#lib/destinations/retention.ts";
import { listWorkspaces } from "#lib/jobs/store/due.ts";
import { foldRuns } from "#lib/jobs/store/runs.ts";
import { forgetDeliveries } from "#lib/jobs/webhooks.ts";
import { ensureMetricsDay } from "#lib/metrics/store.ts";
import { forgetOldIntake } from "#lib/sources/retention.ts";
import { thinLedgers } from "#lib/zendesk/store/drift.ts";

const runsKeptMs = 90 * 86_400_000;
const ledgersKeptMs = 365 * 86_400_000;

/** Moves every workspace's windows to its today. Cheap when nothing is to be done. */
export async function turnDays(db: Db, now: Date): Promise<void> {
  for (const { id } of await listWorkspaces(db)) await inWorkspace(db, id, (trx) => ensureMetricsDay(trx, id, now));
}

/**
 * Housekeeping of all workspaces: runs older than 90 days, ledgers older than a year, answers kept for repeated POSTs, authorizations that nobody
 * finished, sessions that ended, events and deliveries that are over and old, purges that broke off; and uploads that a killed process left. What takes long stops between two batches once `isOver`; the next call goes on.
 */
export async function maintain(db: Db, now: Date, isOver: () => boolean = () => false): Promise<void> {
  for (const { id } of await listWorkspaces(db)) {
    await inWorkspace(db, id, async (trx) => {
      await thinLedgers(trx, id, new Date(now.getTime() - ledgersKeptMs));
      await foldRuns(trx, id, new Date(now.getTime() - runsKeptMs));
      await forgetOldAnswers(trx, id, now);
      await forgetOldStates(trx, id, now);
      await forgetEndedSessions(trx, id, now);
    });
    await resumePurges(db, id, now, isOver);
    await forgetOldIntake(db, id, now, isOver);
    await forgetOldDeliveries(db, id, now, isOver);
  }
  await turnDays(db, now);
  await forgetDeliveries(db, now);
  await removeLeftUploads(now);
}
