import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { inWorkspace } from "#lib/auth/workspace-transaction.ts";
import { createConnection } from "#lib/connections/create.ts";
import { getConnection, listConnections } from "#lib/connections/list.ts";
import { nudge } from "#lib/jobs/process.ts";
import { nudgeWebhooks } from "#lib/jobs/webhooks.ts";

export const GET = route(operations.listConnections, (call) => listConnections(call.db, call.workspaceId, call.query));

export const POST = route(operations.createConnection, async ({ context, workspaceId, body, actor, now }) => {
  const scope = await createConnection(context, workspaceId, body, actor.label, now);
  nudge(context);
  nudgeWebhooks(context);
  return inWorkspace(context.db, workspaceId, (trx) => getConnection(trx, scope));
});

export const { PUT, PATCH, DELETE } = otherMethodsThan("GET", "POST");
