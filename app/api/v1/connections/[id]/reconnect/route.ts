import { route } from "#app/api/handler.ts";
import { reconnectConnection } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { inWorkspace } from "#lib/auth/workspace-transaction.ts";
import { reconnect } from "#lib/connections/lifecycle.ts";
import { connectionScope, getConnection } from "#lib/connections/list.ts";
import { nudge, processWorker } from "#lib/jobs/process.ts";
import { nudgeWebhooks } from "#lib/jobs/webhooks.ts";

export const POST = route(reconnectConnection, async ({ context, workspaceId, params, body, actor, now }) => {
  const scope = connectionScope(workspaceId, params.id);
  await reconnect(context, scope, body, actor.label, now);
  processWorker(context).dismiss(scope);
  nudge(context);
  nudgeWebhooks(context);
  return inWorkspace(context.db, workspaceId, (trx) => getConnection(trx, scope));
});

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
