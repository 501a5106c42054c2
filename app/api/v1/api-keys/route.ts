import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/workspace.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { createApiKey, listApiKeys } from "#lib/auth/api-keys.ts";

export const GET = route(operations.listApiKeys, (call) => listApiKeys(call.db, call.workspaceId, call.query));

export const POST = route(operations.createApiKey, (call) =>
  createApiKey(call.db, call.workspaceId, call.body, call.actor.label, call.now),
);

export const { PUT, PATCH, DELETE } = otherMethodsThan("GET", "POST");
