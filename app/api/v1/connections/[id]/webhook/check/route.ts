import { route } from "#app/api/handler.ts";
import { checkWebhook as operation } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { connectionScope } from "#lib/connections/list.ts";
import { describeWebhook, findOpen } from "#lib/webhooks/manage.ts";
import { checkWebhook } from "#lib/webhooks/registration.ts";

export const POST = route(operation, async ({ context, workspaceId, params, now }) => {
  const scope = connectionScope(workspaceId, params.id);
  await findOpen(context.db, scope);
  await checkWebhook(context, scope, { clock: () => now });
  return describeWebhook(context, scope);
});

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
