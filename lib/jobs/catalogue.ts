import type { Context } from "#lib/context.ts";
import { processDeliverer } from "#lib/destinations/deliverer.ts";
import { queueDue } from "#lib/jobs/cron.ts";
import { maintain, turnDays } from "#lib/jobs/maintenance.ts";
import { tellNotices } from "#lib/jobs/notices.ts";
import { checkWebhooks } from "#lib/jobs/webhooks.ts";
import type { Worker } from "#lib/jobs/worker.ts";
import { writeBackChanges } from "#lib/jobs/write-back.ts";

/** A job of the internal schedule. `pattern` is a cron pattern with seconds, in UTC: who is due decides the database, not the pattern. */
export interface Job {
  name: string;
  pattern: string;
  /** Also where SCHEDULER=off leaves the rest to the cron routes: somebody has to notice that nobody calls them. */
  always?: true;
  run: (ctx: Pick<Context, "config" | "db" | "log">, worker: Worker, now: Date) => Promise<unknown>;
}

/** Everything that happens by the clock. The cron routes do the same from outside. */
export const jobs: Job[] = [
  {
    name: "sync",
    pattern: "*/30 * * * * *",
    run: async ({ db }, worker, now) => {
      await queueDue(db, { what: "sync", force: false, trigger: "schedule" }, now);
      await worker.wake();
    },
  },
  {
    name: "reconcile",
    pattern: "15 * * * * *",
    run: async ({ db }, worker, now) => {
      await queueDue(db, { what: "reconcile", force: false, trigger: "schedule" }, now);
      await worker.wake();
    },
  },
  { name: "metrics-day", pattern: "5 * * * * *", run: ({ db }, _worker, now) => turnDays(db, now) },
  {
    name: "notices",
    pattern: "50 * * * * *",
    always: true,
    run: (ctx, _worker, now) => tellNotices(ctx, now),
  },
  { name: "webhooks", pattern: "25 * * * * *", run: (ctx) => checkWebhooks(ctx, () => new Date()) },
  {
    name: "write-back",
    pattern: "*/15 * * * * *",
    always: true,
    run: async (ctx, _worker, now) => {
      for (const workspaceId of await writeBackChanges(ctx, now)) processDeliverer(ctx).nudge(workspaceId);
    },
  },
  { name: "maintenance", pattern: "40 17 * * * *", run: ({ db }, _worker, now) => maintain(db, now) },
];
