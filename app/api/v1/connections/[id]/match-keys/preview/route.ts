import { route } from "#app/api/handler.ts";
import { previewMatchKeys } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { previewMatch } from "#lib/matching/run.ts";
import { connectionScope } from "#lib/matching/store.ts";

export const POST = route(previewMatchKeys, async ({ db, workspaceId, params, body }) =>
  previewMatch(db, await connectionScope(db, workspaceId, params.id), body.keys),
);

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
