import { callOf } from "#app/api/cron/call.ts";
import { plainRoute } from "#app/api/handler.ts";
import { maintain } from "#lib/jobs/maintenance.ts";
import { processWorker } from "#lib/jobs/process.ts";

/** Housekeeping; it starts no run, so that its list of connections is empty. */
export const POST = plainRoute("cron maintenance", async (request, { context, now }) => {
  const { budgetSeconds } = callOf(request, context);
  await processWorker(context).reap();
  await maintain(context.db, now, () => Date.now() >= now.getTime() + budgetSeconds * 1000);
  return Response.json({ connections: [] });
});
