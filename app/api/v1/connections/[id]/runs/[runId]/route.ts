import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { inWorkspace } from "#lib/auth/workspace-transaction.ts";
import { connectionScope, requireConnection } from "#lib/connections/list.ts";
import { reapBeforeReading } from "#lib/jobs/process.ts";
import { getRun } from "#lib/jobs/runs.ts";

export const GET = route(operations.getRun, async ({ context, workspaceId, params, now }) => {
  const scope = connectionScope(workspaceId, params.id);
  await reapBeforeReading(context, workspaceId, now);
  return inWorkspace(context.db, workspaceId, async (trx) => {
    await requireConnection(trx, scope);
    return getRun(trx, scope, params.runId);
  });
});

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
