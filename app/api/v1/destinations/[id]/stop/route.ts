import { route } from "#app/api/handler.ts";
import { stopDestination as operation } from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { getDestination } from "#lib/destinations/destinations.ts";
import { stopDestination } from "#lib/destinations/stop.ts";

export const POST = route(operation, async ({ db, trx, workspaceId, actor, params, now }) => {
  await stopDestination(trx, workspaceId, params.id, actor.label, now);
  return getDestination(db, workspaceId, params.id, now);
});

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
