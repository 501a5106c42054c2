import { plainRoute } from "#app/api/handler.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { requireReady } from "#lib/auth/readiness.ts";
import { requireServing } from "#lib/jobs/signals.ts";

/** Red while the process stops, so that no balancer sends it anybody (row 84). */
export const GET = plainRoute(
  "ready",
  async (_, { context }) => {
    requireServing();
    await requireReady(context.db, context.config);
    return Response.json({ status: "ready" });
  },
  { quiet: true },
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
