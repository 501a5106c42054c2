import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { previewActions } from "#lib/destinations/preview.ts";

export const POST = route(operations.previewActions, ({ db, workspaceId, params, body, now }) =>
  previewActions(db, workspaceId, params.id, body, now),
);

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
