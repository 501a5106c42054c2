import type { Context } from "#lib/context.ts";
import { processDeliverer } from "#lib/destinations/deliverer.ts";
import { listWorkspaces } from "#lib/jobs/store/due.ts";

type JobContext = Pick<Context, "config" | "db" | "log">;

const lookEveryMs = 5000;
/** A request in hand may take that long; whoever comes next looks what was done. */
const patienceMs = 15_000;

/**
 * Looks regularly for what a dead process left, and for events and deliveries that are due; with SCHEDULER=off only
 * the cron route looks, and what this process is nudged for goes on. Gives the stop, at the end of the requests in hand.
 */
export function startDeliveries(ctx: JobContext): () => Promise<void> {
  const deliverer = processDeliverer(ctx);
  const look = () =>
    lookEverywhere(ctx).catch((error: unknown) =>
      ctx.log.warn({ err: error }, "deliveries that are due could not be looked for"),
    );
  let looking = look();
  let busy = false;
  const timer = setInterval(() => {
    if (busy || ctx.config.scheduler !== "internal") return;
    busy = true;
    looking = look().finally(() => {
      busy = false;
    });
  }, lookEveryMs);
  timer.unref();
  return async () => {
    clearInterval(timer);
    await Promise.all([deliverer.stop(patienceMs), looking]);
  };
}

/** Routes and delivers what is due in all workspaces, until that is done or the time is over. */
export async function deliverDue(ctx: JobContext, deadline: Date): Promise<void> {
  await lookEverywhere(ctx);
  await processDeliverer(ctx).idle(deadline);
}

function lookEverywhere(ctx: JobContext): Promise<void> {
  const deliverer = processDeliverer(ctx);
  return deliverer.together(async () => {
    for (const { id } of await listWorkspaces(ctx.db)) {
      try {
        await deliverer.freeFormer(id);
        await deliverer.look(id);
      } catch (error) {
        // What ails one workspace must not keep the others from their turn.
        ctx.log.error({ err: error, workspaceId: id }, "deliveries of a workspace could not be looked for");
      }
    }
  });
}
