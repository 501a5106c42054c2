import { Cron } from "croner";
import type { Context } from "#lib/context.ts";
import { jobs } from "#lib/jobs/catalogue.ts";
import type { Worker } from "#lib/jobs/worker.ts";

/** Runs the catalogue by this process's clock (SCHEDULER=internal). A job that is still running is not started again. Gives the stop. */
export function startSchedule(
  ctx: Pick<Context, "config" | "db" | "log">,
  worker: Worker,
  clock: () => Date,
): () => void {
  const timers = jobs.map(
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
        },
      ),
  );
  return () => {
    for (const timer of timers) timer.stop();
  };
}
