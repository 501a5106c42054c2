import { plainRoute } from "#app/api/handler.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { keyHolderOf } from "#lib/auth/actor.ts";
import { isCronSecret } from "#lib/jobs/cron-secret.ts";
import { collectMetrics, metricsContentType } from "#lib/monitoring/collect.ts";

/** For Prometheus: everything to whoever holds CRON_SECRET, one workspace's numbers to its API keys. */
export const GET = plainRoute(
  "metrics",
  async (request, { context, now, askedBy }) => {
    const authorization = request.headers.get("authorization") ?? "";
    if (isCronSecret(authorization, context.config.secrets.cron)) {
      return answer(await collectMetrics(context, { all: true }, now));
    }
    const program = await keyHolderOf(context, authorization, now);
    askedBy(program);
    return answer(await collectMetrics(context, { all: false, workspaceId: program.workspaceId }, now));
  },
  { quiet: true },
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");

const answer = (metrics: string) => new Response(metrics, { headers: { "content-type": metricsContentType } });
