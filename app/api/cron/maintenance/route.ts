import { callOf } from "#app/api/cron/call.ts";
import { plainRoute } from "#app/api/handler.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { maintain } from "#lib/jobs/maintenance.ts";
import { tellNotices } from "#lib/jobs/notices.ts";
import { processWorker } from "#lib/jobs/process.ts";
import { checkWebhooks } from "#lib/jobs/webhooks.ts";
import { markTick } from "#lib/monitoring/registry.ts";

/** Housekeeping; it starts no run, so that its list of connections is empty. */
export const POST = plainRoute("cron maintenance", async (request, { context, now }) => {
  const { budgetSeconds } = callOf(request, context);
  await processWorker(context).reap();
  const isOver = () => Date.now() >= now.getTime() + budgetSeconds * 1000;
  await checkWebhooks(context, () => new Date(), { isOver });
  await maintain(context.db, now, isOver);
  await tellNotices(context, new Date());
  markTick("maintenance", now);
  return Response.json({ connections: [] });
});

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
