import { plainRoute } from "#app/api/handler.ts";
import { requireCronSecret } from "#lib/jobs/cron-secret.ts";
import { maintain } from "#lib/jobs/maintenance.ts";
import { processWorker } from "#lib/jobs/process.ts";

/** Housekeeping; it starts no run, so that its list of connections is empty. */
export const POST = plainRoute("cron maintenance", async (request, { context, now }) => {
  requireCronSecret(request.headers.get("authorization"), context.config.secrets.cron);
  await processWorker(context).reap();
  await maintain(context.db, now);
  return Response.json({ connections: [] });
});
