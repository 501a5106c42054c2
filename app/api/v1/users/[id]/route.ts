import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/workspace.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { updateUser } from "#lib/auth/users.ts";

export const PATCH = route(operations.updateUser, (call) =>
  updateUser(call.trx, call.workspaceId, call.params.id, call.body, call.now),
);

export const { GET, POST, PUT, DELETE } = otherMethodsThan("PATCH");
