import { route } from "#app/api/handler.ts";
import { approveDelivery as operation } from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { inWorkspace } from "#lib/auth/workspace-transaction.ts";
import { nudgeDeliveries } from "#lib/destinations/deliverer.ts";
import { getDelivery } from "#lib/destinations/deliveries.ts";
import { approveDelivery } from "#lib/destinations/replay.ts";

export const POST = route(operation, async ({ context, workspaceId, actor, params, body, now }) => {
  const approved = await inWorkspace(context.db, workspaceId, async (trx) => {
    await approveDelivery(trx, workspaceId, params.id, actor.label, now, body.code);
    return getDelivery(trx, context.config, workspaceId, params.id);
  });
  nudgeDeliveries(context, workspaceId);
  return approved;
});

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
