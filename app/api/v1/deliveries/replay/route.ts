import { route } from "#app/api/handler.ts";
import { replayDeliveries as operation } from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { nudgeDeliveries } from "#lib/destinations/deliverer.ts";
import { replayDeliveries } from "#lib/destinations/replay.ts";

export const POST = route(operation, async ({ context, workspaceId, body, now }) => {
  const replayed = await replayDeliveries(context, workspaceId, body, now);
  nudgeDeliveries(context, workspaceId);
  return replayed;
});

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
