import { route } from "#app/api/handler.ts";
import { getChanges } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { versionOfChanges } from "#lib/reports/changes.ts";

export const GET = route(getChanges, async ({ db, workspaceId }) => ({
  version: await versionOfChanges(db, workspaceId),
}));

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
