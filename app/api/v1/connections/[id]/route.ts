import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { inWorkspace } from "#lib/auth/workspace-transaction.ts";
import { changeConnection } from "#lib/connections/change.ts";
import { connectionScope, getConnection } from "#lib/connections/list.ts";
import { deleteConnection } from "#lib/connections/purge.ts";
import { nudge, processWorker } from "#lib/jobs/process.ts";
import { nudgeWebhooks } from "#lib/jobs/webhooks.ts";

export const GET = route(operations.getConnection, ({ db, workspaceId, params }) =>
  getConnection(db, connectionScope(workspaceId, params.id)),
);

export const PATCH = route(operations.updateConnection, async ({ context, workspaceId, params, body, now }) => {
  const scope = connectionScope(workspaceId, params.id);
  const { stopped } = await changeConnection(context, scope, body, now);
  if (stopped) processWorker(context).dismiss(scope);
  nudge(context);
  if (body.auth) nudgeWebhooks(context);
  return inWorkspace(context.db, workspaceId, (trx) => getConnection(trx, scope));
});

export const DELETE = route(operations.deleteConnection, async ({ db, workspaceId, params, query, now }) => {
  await deleteConnection(db, connectionScope(workspaceId, params.id), query.data, now);
  return new Response(null, { status: 204 });
});

export const { POST, PUT } = otherMethodsThan("GET", "PATCH", "DELETE");
