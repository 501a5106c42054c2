import { route } from "#app/api/handler.ts";
import { startDestination as operation } from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { inWorkspace } from "#lib/auth/workspace-transaction.ts";
import { nudgeDeliveries } from "#lib/destinations/deliverer.ts";
import { getDestination } from "#lib/destinations/destinations.ts";
import { startDestination } from "#lib/destinations/stop.ts";

export const POST = route(operation, async ({ context, workspaceId, params, now }) => {
  const started = await inWorkspace(context.db, workspaceId, async (trx) => {
    await startDestination(trx, workspaceId, params.id, now);
    return getDestination(trx, workspaceId, params.id, now);
  });
  nudgeDeliveries(context, workspaceId);
  return started;
});

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
