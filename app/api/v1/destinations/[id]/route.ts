import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { deleteDestination } from "#lib/destinations/delete.ts";
import { changeDestination, getDestination } from "#lib/destinations/destinations.ts";

export const GET = route(operations.getDestination, ({ db, workspaceId, params, now }) =>
  getDestination(db, workspaceId, params.id, now),
);

export const PATCH = route(operations.updateDestination, ({ context, workspaceId, params, body, actor, now }) =>
  changeDestination(context, workspaceId, params.id, body, actor.label, now),
);

export const DELETE = route(operations.deleteDestination, async ({ context, workspaceId, params, actor, now }) => {
  await deleteDestination(context, workspaceId, params.id, actor.label, now);
  return new Response(null, { status: 204 });
});

export const { POST, PUT } = otherMethodsThan("GET", "PATCH", "DELETE");
