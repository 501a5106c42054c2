import { type Db, inWorkspace } from "#db/client.ts";
import { deleteOldDeliveries } from "#lib/destinations/store/old.ts";

/** So many rows in one transaction. */
const together = 2000;
const dayMs = 86_400_000;
/** What is done is kept for so long, and longer what a person may still want to look at. */
const keptDays = { done: 30, failed: 90 };

/** Forgets deliveries that are at their end and old, with what was said to Zendesk; stops between two batches once `isOver`. */
export async function forgetOldDeliveries(
  db: Db,
  workspaceId: number,
  now: Date,
  isOver: () => boolean,
): Promise<void> {
  for (const state of ["done", "failed"] as const) {
    const before = new Date(now.getTime() - keptDays[state] * dayMs);
    let deleted = together;
    while (deleted === together && !isOver()) {
      deleted = await inWorkspace(db, workspaceId, (trx) =>
        deleteOldDeliveries(trx, workspaceId, { state, before }, together),
      );
    }
  }
}
