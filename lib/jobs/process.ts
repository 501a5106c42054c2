import { type Context, context } from "#lib/context.ts";
import { startDeliveries } from "#lib/jobs/deliveries.ts";
import { thisHolder } from "#lib/jobs/holder.ts";
import { type LeaseTimes, usualTimes } from "#lib/jobs/lease.ts";
import { reapWorkspace } from "#lib/jobs/reap.ts";
import { startSchedule } from "#lib/jobs/schedule.ts";
import { startWebhooks } from "#lib/jobs/webhooks.ts";
import { Worker } from "#lib/jobs/worker.ts";
import { apart } from "#lib/log.ts";

// The bundler may load this file more than once a process; the worker, which knows what the process executes, must not be.
const home = globalThis as typeof globalThis & { bellwetherWorker?: Worker };

const drainMs = 15_000;

/** The process's one worker. */
export function processWorker(ctx: Context = context(), times: LeaseTimes = usualTimes): Worker {
  home.bellwetherWorker ??= new Worker(ctx, { holder: thisHolder(ctx.config.dataDir), times });
  return home.bellwetherWorker;
}

/** Lets the worker look for what was just asked for, after the transaction that asked. */
export function nudge(ctx: Context): void {
  apart(() => processWorker(ctx).wake()).catch((error: unknown) =>
    ctx.log.error({ err: error }, "pending runs could not be started"),
  );
}

/**
 * Whoever reads runs must not be told that a dead one is running. A database that cannot be written just now does not keep
 * anybody from reading.
 */
export async function reapBeforeReading(ctx: Context, workspaceId: number, now: Date): Promise<void> {
  try {
    await reapWorkspace(ctx.db, workspaceId, processWorker(ctx), now);
  } catch (error) {
    ctx.log.warn({ err: error }, "dead runs could not be looked for");
  }
}

/**
 * Starts the background work of a serving process: runs that a former process left behind are ended and taken up again,
 * and the schedules run, of which SCHEDULER=off leaves most to the cron routes. Gives the graceful stop, at a page boundary within 20 s.
 */
export async function startJobs(
  ctx: Context = context(),
  times: LeaseTimes = usualTimes,
): Promise<() => Promise<void>> {
  const worker = processWorker(ctx, times);
  worker.start();
  const stopSchedule = startSchedule(ctx, worker, () => new Date());
  const stopWebhooks = startWebhooks(ctx);
  const stopDeliveries = startDeliveries(ctx);
  try {
    await worker.reap();
    await worker.wake({ all: true });
  } catch (error) {
    // The timers try again; a database that is away at start must not keep the process from serving (row 78).
    ctx.log.error({ err: error }, "the runs of the former process could not be taken up yet");
  }
  return async () => {
    stopSchedule();
    await Promise.all([worker.drain(drainMs), stopWebhooks(), stopDeliveries()]);
  };
}
