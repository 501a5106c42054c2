import type { Trx } from "#db/client.ts";
import type { Claimed } from "#lib/destinations/store/claims.ts";
import { requeueHeld, requeueOfLanes } from "#lib/destinations/store/requeue.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** A track that came before its identify waits for it so long. Milliseconds. */
const patience = 3_600_000;

/** What a command that is done makes possible for others: they are taken up again, in their old places. */
export async function takeUpAgain(
  trx: Trx,
  scope: Scope,
  { id, action, destinationId, lanes, approvedFor }: Claimed,
  now: Date,
): Promise<void> {
  if (action === "upsert_user") {
    const since = new Date(now.getTime() - patience);
    await requeueOfLanes(trx, scope, { destinationId, code: "user_not_found", lanes, since }, now);
  }
  // The fields that a person allowed for one are there for all; what still lacks some is held again.
  if (approvedFor.includes("unknown_traits"))
    await requeueHeld(trx, scope, { destinationId, code: "unknown_traits", except: id }, now);
}
