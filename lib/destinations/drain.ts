import { randomUUID } from "node:crypto";
import { inWorkspace } from "#db/client.ts";
import { loadConnection } from "#lib/connections/load.ts";
import { deliver } from "#lib/destinations/deliver.ts";
import { type DeliveryContext, openSession, type Session, type Working } from "#lib/destinations/session.ts";
import { type Claimed, claimDeliveries, mostInFlight } from "#lib/destinations/store/claims.ts";
import { putOff as putOffQueued } from "#lib/destinations/store/requeue.ts";
import type { Ending } from "#lib/destinations/verdicts.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** A session asks again who is signed in, and takes up a login that was changed, after this. Milliseconds. */
const longestSession = 60_000;
/** So many deliveries in a row that were put off say that the account as a whole takes nothing now. */
const mostPutOff = 8;

export interface Drained {
  /** Nothing is to be sent to this account before. */
  standstill: Date | null;
  /** Stopped before everything that was due had been tried. */
  isCutShort: boolean;
}

/**
 * Sends what is due for a connection, the oldest of each lane first and a few at once, until nothing is left, Zendesk takes no
 * more, or the session is over. Any number of processes may do so at the same time.
 */
export async function drainConnection(
  ctx: DeliveryContext,
  scope: Scope,
  working: Working,
  { until = null, only }: { until?: Date | null; only?: readonly string[] } = {},
): Promise<Drained> {
  const connection = await inWorkspace(ctx.db, scope.workspaceId, (trx) => loadConnection(trx, scope));
  if (!connection) return { standstill: null, isCutShort: false };
  const session = openSession(ctx, connection, working);
  const began = session.clock().getTime();
  const end = new Date(Math.min(began + longestSession, until?.getTime() ?? Number.POSITIVE_INFINITY));
  try {
    return await drainSession(session, end, only);
  } finally {
    await session.client.close();
  }
}

async function drainSession(session: Session, end: Date, only: readonly string[] | undefined): Promise<Drained> {
  const running = new Set<Promise<void>>();
  const drained: Drained = { standstill: null, isCutShort: false };
  let putOff: Date[] = [];
  const isOver = () => session.isEnding() || session.clock() >= end || drained.standstill !== null;
  for (;;) {
    const places = mostInFlight - running.size;
    const claimed = isOver() || places === 0 ? [] : await claim(session, places, only);
    for (const delivery of claimed) {
      const work = deliverOne(session, delivery)
        .then(async (ending) => {
          if (ending) await putOffEvents(session, delivery, ending);
          putOff = ending?.dueAt && ending.code === "rate_limited" ? [...putOff, ending.dueAt] : [];
          if (putOff.length >= mostPutOff) drained.standstill = earliest(putOff);
          drained.standstill = ending?.standstill ?? drained.standstill;
        })
        .finally(() => running.delete(work));
      running.add(work);
    }
    if (running.size === 0) {
      drained.isCutShort = session.clock() >= end && drained.standstill === null;
      return drained;
    }
    await Promise.race(running);
  }
}

function claim(session: Session, places: number, only: readonly string[] | undefined): Promise<Claimed[]> {
  const { ctx, scope, holder, subdomain } = session;
  return inWorkspace(ctx.db, scope.workspaceId, (trx) =>
    claimDeliveries(trx, scope, `${holder}/${randomUUID()}`, places, session.times(), { only, subdomain }),
  );
}

/** Customer events have one budget for all of them: what one is told to wait for, the others need not be tried for. */
async function putOffEvents({ ctx, scope, clock }: Session, { action }: Claimed, ending: Ending): Promise<void> {
  const { state, code, reason, dueAt } = ending;
  if (action !== "track_event" || state !== "queued" || code !== "rate_limited" || dueAt === null) return;
  await inWorkspace(ctx.db, scope.workspaceId, (trx) =>
    putOffQueued(trx, scope, { action, until: dueAt, code, reason }, clock()),
  );
}

/** A result that the database does not take leaves the claim to run out; the next holder looks what was sent. */
async function deliverOne(session: Session, delivery: Claimed) {
  try {
    return await deliver(session, delivery);
  } catch (error) {
    session.ctx.log.error({ err: error, delivery: delivery.id }, "the result of a delivery could not be kept");
    return null;
  }
}

const earliest = (instants: readonly Date[]) => new Date(Math.min(...instants.map((at) => at.getTime())));
