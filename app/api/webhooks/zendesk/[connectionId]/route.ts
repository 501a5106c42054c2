import { cappedRequest } from "#app/api/body.ts";
import { plainRoute } from "#app/api/handler.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { processDrainer } from "#lib/webhooks/drainer.ts";
import { takeDelivery } from "#lib/webhooks/intake.ts";

/** Zendesk's own are a few kilobytes. Counted before anything is reckoned over them (row 119). */
const maxBody = 256 * 1024;

/** A delivery of Zendesk's: its signature is who is asking. A success says that it is stored, and nothing more. */
export const POST = plainRoute("zendesk webhook", async (request, { context, params, now, askedBy }) => {
  const { headers } = request;
  const delivery = {
    connectionId: String(params.connectionId),
    timestamp: headers.get("x-zendesk-webhook-signature-timestamp"),
    signature: headers.get("x-zendesk-webhook-signature"),
    accountId: headers.get("x-zendesk-account-id"),
    webhookId: headers.get("x-zendesk-webhook-id"),
    body: Buffer.from(await cappedRequest(request, maxBody).arrayBuffer()),
  };
  const { scope, stored } = await takeDelivery(context, delivery, now);
  askedBy({ type: "webhook", workspaceId: scope.workspaceId, connectionId: String(scope.connectionId) });
  if (stored) processDrainer(context).nudge(scope);
  return Response.json({ stored: true });
});

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
