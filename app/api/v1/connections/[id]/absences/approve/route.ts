import { route } from "#app/api/handler.ts";
import { approveAbsences as operation } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { connectionScope } from "#lib/connections/list.ts";
import { approveAbsences } from "#lib/jobs/approve-absences.ts";
import { nudge, processWorker } from "#lib/jobs/process.ts";

export const POST = route(operation, async ({ context, workspaceId, params, body, actor, now }) => {
  const scope = connectionScope(workspaceId, params.id);
  const word = { ...body, approvedBy: actor.label };
  const runId = await approveAbsences(context.db, processWorker(context), scope, word, now);
  nudge(context);
  return { runId };
});

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
