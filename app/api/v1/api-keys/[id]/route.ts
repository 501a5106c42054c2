import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/workspace.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { revokeApiKey } from "#lib/auth/api-keys.ts";

export const DELETE = route(operations.revokeApiKey, (call) =>
  revokeApiKey(call.db, call.workspaceId, call.params.id, call.now),
);

export const { GET, POST, PUT, PATCH } = otherMethodsThan("DELETE");
