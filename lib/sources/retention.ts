import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import { messageIdDays } from "#lib/sources/intake.ts";
import { deleteOldEvents, deleteOldMessageIds } from "#lib/sources/store/events.ts";
import { forgetEndedKeys } from "#lib/sources/store/keys.ts";
import { forgetRemovedSources } from "#lib/sources/store/sources.ts";

const dayMs = 86_400_000;
const eventDays = 30;
/** So many rows in one transaction: whoever stores events meanwhile waits for no more. */
const together = 5000;

/**
 * Forgets events older than 30 days whose deliveries are at their end, message ids of more than seven days, and keys that
 * ended, all in batches; stops between two of them once `isOver`, and the next call goes on.
 */
export async function forgetOldIntake(db: Db, workspaceId: number, now: Date, isOver: () => boolean): Promise<void> {
  const daysAgo = (days: number) => new Date(now.getTime() - days * dayMs);
  const some = (work: (trx: Trx) => Promise<number>) => inWorkspace(db, workspaceId, work);
  const inBatches = async (work: (trx: Trx) => Promise<number>) => {
    while (!isOver() && (await some(work)) === together);
  };
  await inBatches((trx) => deleteOldMessageIds(trx, workspaceId, daysAgo(messageIdDays), together));
  await inBatches((trx) => deleteOldEvents(trx, workspaceId, daysAgo(eventDays), together));
  await inWorkspace(db, workspaceId, async (trx) => {
    await forgetEndedKeys(trx, workspaceId, now);
    await forgetRemovedSources(trx, workspaceId);
  });
}
