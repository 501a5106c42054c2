import { route } from "#app/api/handler.ts";
import { disconnectConnection } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { inWorkspace } from "#lib/auth/workspace-transaction.ts";
import { disconnect } from "#lib/connections/lifecycle.ts";
import { connectionScope, getConnection } from "#lib/connections/list.ts";
import { processWorker } from "#lib/jobs/process.ts";

export const POST = route(disconnectConnection, async ({ context, workspaceId, params, now }) => {
  const scope = connectionScope(workspaceId, params.id);
  await disconnect(context, scope, now, () => processWorker(context).dismiss(scope));
  return inWorkspace(context.db, workspaceId, (trx) => getConnection(trx, scope));
});

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
