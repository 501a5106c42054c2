import { route } from "#app/api/handler.ts";
import { startSync } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { connectionScope } from "#lib/connections/list.ts";
import { forceSync } from "#lib/jobs/force.ts";
import { nudge, processWorker } from "#lib/jobs/process.ts";

export const POST = route(startSync, async ({ context, workspaceId, params, body, now }) => {
  const scope = connectionScope(workspaceId, params.id);
  const runId = await forceSync(context.db, processWorker(context), scope, body.mode, now);
  nudge(context);
  return { runId };
});

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
