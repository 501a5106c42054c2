import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { nudgeDeliveries } from "#lib/destinations/deliverer.ts";
import { countReplayable, replayDeliveries } from "#lib/destinations/replay.ts";

export const GET = route(operations.countReplayable, ({ db, workspaceId, query }) =>
  countReplayable(db, workspaceId, query),
);

export const POST = route(operations.replayDeliveries, async ({ context, workspaceId, body, now }) => {
  const replayed = await replayDeliveries(context, workspaceId, body, now);
  nudgeDeliveries(context, workspaceId);
  return replayed;
});

export const { PUT, PATCH, DELETE } = otherMethodsThan("GET", "POST");
