import { plainRoute } from "#app/api/handler.ts";
import { requireReady } from "#lib/auth/readiness.ts";

export const GET = plainRoute("ready", async (_, { context }) => {
  await requireReady(context.db, context.config);
  return Response.json({ status: "ready" });
});
