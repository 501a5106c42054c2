import { route } from "#app/api/handler.ts";
import { getSession } from "#app/api/operations/workspace.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { sessionOf } from "#lib/auth/actor.ts";

export const GET = route(getSession, (call) => sessionOf(call.db, call.actor));

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
