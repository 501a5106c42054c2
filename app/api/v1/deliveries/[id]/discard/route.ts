import { route } from "#app/api/handler.ts";
import { discardDelivery as operation } from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { inWorkspace } from "#lib/auth/workspace-transaction.ts";
import { nudgeDeliveries } from "#lib/destinations/deliverer.ts";
import { getDelivery } from "#lib/destinations/deliveries.ts";
import { discardDelivery } from "#lib/destinations/replay.ts";

export const POST = route(operation, async ({ context, workspaceId, actor, params, body, now }) => {
  const discarded = await inWorkspace(context.db, workspaceId, async (trx) => {
    await discardDelivery(trx, workspaceId, params.id, actor.label, now, body.code);
    return getDelivery(trx, context.config, workspaceId, params.id);
  });
  // Those behind it in its lanes need not wait any more.
  nudgeDeliveries(context, workspaceId);
  return discarded;
});

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
