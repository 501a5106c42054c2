import { route } from "#app/api/handler.ts";
import { getSession } from "#app/api/operations/workspace.ts";
import { sessionOf } from "#lib/auth/actor.ts";

export const GET = route(getSession, (call) => sessionOf(call.db, call.actor));
