import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { requireDestination } from "#lib/destinations/destinations.ts";
import { listActionVersions } from "#lib/destinations/set-actions.ts";

export const GET = route(operations.listActionVersions, async ({ db, workspaceId, params, query }) => {
  const { id } = await requireDestination(db, workspaceId, params.id);
  return listActionVersions(db, workspaceId, id, query);
});

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
