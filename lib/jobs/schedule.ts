import { Cron } from "croner";
import type { Context } from "#lib/context.ts";
import { jobs } from "#lib/jobs/catalogue.ts";
import type { Worker } from "#lib/jobs/worker.ts";
import { markTick } from "#lib/monitoring/registry.ts";

/** Runs the catalogue by this process's clock; with SCHEDULER=off, what never is left to the cron routes alone. A job that is still running is not started again. Gives the stop. */
export function startSchedule(
  ctx: Pick<Context, "config" | "db" | "log">,
  worker: Worker,
  clock: () => Date,
): () => void {
  const own = jobs.filter((job) => job.always || ctx.config.scheduler === "internal");
  const timers = own.map(
    (job) =>
      new Cron(
        job.pattern,
        {
          name: undefined,
          timezone: "UTC",
          protect: true,
          unref: true,
          catch: (error) => ctx.log.error({ err: error, job: job.name }, "a scheduled job failed"),
        },
        async () => {
          await job.run(ctx, worker, clock());
          markTick(job.name, clock());
        },
      ),
  );
  return () => {
    for (const timer of timers) timer.stop();
  };
}
