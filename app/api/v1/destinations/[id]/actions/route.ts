import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { holdDestination, requireDestination } from "#lib/destinations/destinations.ts";
import { putActions, readActions } from "#lib/destinations/set-actions.ts";

export const GET = route(operations.getActions, async ({ db, workspaceId, params }) => {
  const { id } = await requireDestination(db, workspaceId, params.id);
  return readActions(db, workspaceId, id);
});

export const PUT = route(operations.replaceActions, async ({ trx, workspaceId, params, body, actor, now }) => {
  const { id } = await holdDestination(trx, workspaceId, params.id);
  return putActions(trx, workspaceId, id, body, actor.label, now);
});

export const { POST, PATCH, DELETE } = otherMethodsThan("GET", "PUT");
