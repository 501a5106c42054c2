import type { Trx } from "#db/client.ts";
import type { Claimed } from "#lib/destinations/store/claims.ts";
import { stepsWritten } from "#lib/destinations/store/exchanges.ts";
import { requeueHeld, requeueOfLanes } from "#lib/destinations/store/requeue.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** What came before the identify of its user, or the group call of its organization, waits for it so long. Milliseconds. */
const patience = 3_600_000;

/**
 * What others fail for as long as it is not there, and the lanes that name it: whoever is about it, and is done, has made it
 * or knows it by a new name; and so has whoever has written the step on the way to something else.
 */
const makings = [
  { by: "upsert_user", step: "create user", code: "user_not_found", lanes: /^[umz]:/ },
  { by: "upsert_organization", step: "create organization", code: "organization_not_found", lanes: /^o:/ },
  { by: "create_ticket", step: "create ticket", code: "ticket_not_found", lanes: /^t:/ },
];

/**
 * What a command that has ended makes possible for others, which are taken up again in their old places: those behind it
 * whenever that is, those before it within the hour.
 */
export async function takeUpAgain(trx: Trx, scope: Scope, ended: Claimed, isDone: boolean, now: Date): Promise<void> {
  const { id, action, destinationId, lanes, approvedFor } = ended;
  const since = new Date(now.getTime() - patience);
  // One that failed again has made only what it wrote in its last try: two that fail for each other must not go on for ever.
  const steps = await stepsWritten(trx, scope.workspaceId, id, isDone || !ended.isLate ? null : ended.attempts);
  for (const { by, step, code, lanes: naming } of makings) {
    if (!(isDone && action === by) && !steps.includes(step)) continue;
    const own = lanes.filter((lane) => naming.test(lane));
    await requeueOfLanes(trx, scope, { destinationId, code, lanes: own, behind: id, since }, now);
  }
  // The fields that a person allowed for one are there for all; what still lacks some is held again.
  if (isDone && approvedFor.includes("unknown_traits"))
    await requeueHeld(trx, scope, { destinationId, code: "unknown_traits", except: id }, now);
}
