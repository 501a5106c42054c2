import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/workspace.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { createUser, listUsers } from "#lib/auth/users.ts";

export const GET = route(operations.listUsers, (call) => listUsers(call.db, call.workspaceId, call.query));

export const POST = route(operations.createUser, (call) => createUser(call.db, call.workspaceId, call.body, call.now));

export const { PUT, PATCH, DELETE } = otherMethodsThan("GET", "POST");
