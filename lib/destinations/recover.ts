import type { Trx } from "#db/client.ts";
import type { Claimed } from "#lib/destinations/store/claims.ts";
import { requeueHeld, requeueOfLanes } from "#lib/destinations/store/requeue.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** What came before the identify of its user, or the group call of its organization, waits for it so long. Milliseconds. */
const patience = 3_600_000;

/** What a command that is done makes possible for others: they are taken up again, in their old places. */
export async function takeUpAgain(
  trx: Trx,
  scope: Scope,
  { id, action, destinationId, lanes, approvedFor }: Claimed,
  now: Date,
): Promise<void> {
  const since = new Date(now.getTime() - patience);
  if (action === "upsert_user")
    await requeueOfLanes(trx, scope, { destinationId, code: "user_not_found", lanes, since }, now);
  if (action === "upsert_organization") {
    const own = lanes.filter((lane) => lane.startsWith("o:"));
    await requeueOfLanes(trx, scope, { destinationId, code: "organization_not_found", lanes: own, since }, now);
  }
  // The fields that a person allowed for one are there for all; what still lacks some is held again.
  if (approvedFor.includes("unknown_traits"))
    await requeueHeld(trx, scope, { destinationId, code: "unknown_traits", except: id }, now);
}
