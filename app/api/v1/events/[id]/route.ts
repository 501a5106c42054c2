import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/sources.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { getEvent } from "#lib/sources/events.ts";

export const GET = route(operations.getEvent, ({ db, workspaceId, params }) => getEvent(db, workspaceId, params.id));

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
