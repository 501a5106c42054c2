import { inWorkspace } from "#db/client.ts";
import { foreseen } from "#lib/api/failures.ts";
import { type Context, onePerContext } from "#lib/context.ts";
import { nudgeDeliveries } from "#lib/destinations/deliverer.ts";
import { passDoor } from "#lib/destinations/route-events.ts";
import { AppError } from "#lib/errors.ts";
import { apart } from "#lib/log.ts";
import { insertEvents, type NewEvent } from "#lib/sources/store/events.ts";

/** A message id is taken once in so many days. */
export const messageIdDays = 7;

/** Of all calls that wait, in this process: what is more is asked to come again, so that memory stays bounded. */
const mostWaitingBytes = 64 * 1024 * 1024;
/** Of one statement: the others wait for no giant. */
const mostTogether = { events: 2500, bytes: 4 * 1024 * 1024 };

/** The events of one call, which waits until they are committed. */
interface Waiting {
  events: readonly NewEvent[];
  bytes: number;
  stored: () => void;
  failed: (error: unknown) => void;
}

/**
 * Stores the events of many calls with one statement: while one is being committed, the calls that come meanwhile gather
 * behind it, a line for each workspace. So a call waits for two commits at most, and a thousand calls for hardly more.
 */
export class Intake {
  private readonly ctx: Context;
  private readonly lines = new Map<number, Waiting[]>();
  private waitingBytes = 0;

  constructor(ctx: Context) {
    this.ctx = ctx;
  }

  /**
   * Settles when the events are committed. One whose message id was taken within seven days is not stored again. Throws
   * `unavailable` where they could not be stored just now; whether they were is then told by their message ids, when they
   * come again.
   */
  take(workspaceId: number, events: readonly NewEvent[]): Promise<void> {
    if (events.length === 0) return Promise.resolve();
    const bytes = events.reduce((sum, { payload }) => sum + payload.length + 500, 0);
    if (this.waitingBytes + bytes > mostWaitingBytes) {
      return Promise.reject(new AppError("unavailable", "More events come than can be stored. Send them again later."));
    }
    this.waitingBytes += bytes;
    return new Promise<void>((stored, failed) => {
      const line = this.lines.get(workspaceId);
      const call = { events, bytes, stored, failed };
      if (line) line.push(call);
      else {
        this.lines.set(workspaceId, [call]);
        apart(() => void this.drain(workspaceId));
      }
    }).finally(() => {
      this.waitingBytes -= bytes;
    });
  }

  /** Until nobody waits in this workspace's line. */
  private async drain(workspaceId: number): Promise<void> {
    for (;;) {
      await new Promise(setImmediate); // what arrived in the same moment goes along
      const line = this.lines.get(workspaceId) ?? [];
      if (line.length === 0) break;
      const together = line.splice(0, fitting(line));
      await this.store(workspaceId, together);
    }
    this.lines.delete(workspaceId);
  }

  private async store(workspaceId: number, together: readonly Waiting[]): Promise<void> {
    try {
      const events = withoutRepeats(together.flatMap(({ events }) => events));
      const accepted = await inWorkspace(this.ctx.db, workspaceId, async (trx) => {
        await passDoor(trx, workspaceId);
        return insertEvents(trx, workspaceId, events, messageIdDays);
      });
      for (const call of together) call.stored();
      if (accepted > 0) nudgeDeliveries(this.ctx, workspaceId);
    } catch (error) {
      const isAway = foreseen(error)?.code === "unavailable";
      if (together.length === 1 || isAway) for (const call of together) call.failed(error);
      // Something in one of them cannot be stored: the others must not suffer for it.
      else for (const call of together) await this.store(workspaceId, [call]);
    }
  }
}

/** How many of those that wait go together. */
function fitting(line: readonly Waiting[]): number {
  let events = 0;
  let bytes = 0;
  const end = line.findIndex((call, index) => {
    events += call.events.length;
    bytes += call.bytes;
    return index > 0 && (events > mostTogether.events || bytes > mostTogether.bytes);
  });
  return end === -1 ? line.length : end;
}

/** Of several with the same message id the first. */
function withoutRepeats(events: readonly NewEvent[]): NewEvent[] {
  const seen = new Set<string>();
  return events.filter((event) => {
    if (!event.isNamed || event.rejection !== null) return true;
    const name = `${event.sourceId} ${event.messageId}`;
    const isFirst = !seen.has(name);
    seen.add(name);
    return isFirst;
  });
}

/** The process's one intake of a context. */
export const processIntake = onePerContext("intake", (ctx: Context) => new Intake(ctx));
