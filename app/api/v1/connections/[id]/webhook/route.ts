import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { connectionScope } from "#lib/connections/list.ts";
import { describeWebhook, findOpen, useManualWebhook } from "#lib/webhooks/manage.ts";
import { stopWebhook } from "#lib/webhooks/registration.ts";

export const GET = route(operations.getWebhook, ({ context, workspaceId, params }) =>
  describeWebhook(context, connectionScope(workspaceId, params.id)),
);

export const PUT = route(operations.putWebhook, ({ context, workspaceId, params, body, now }) =>
  useManualWebhook(context, connectionScope(workspaceId, params.id), body, now),
);

export const DELETE = route(operations.deleteWebhook, async ({ context, workspaceId, params }) => {
  const scope = connectionScope(workspaceId, params.id);
  await stopWebhook(context, scope, await findOpen(context.db, scope));
  return new Response(null, { status: 204 });
});

export const { POST, PATCH } = otherMethodsThan("GET", "PUT", "DELETE");
