import { route } from "#app/api/handler.ts";
import * as operations from "#app/api/operations/sources.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { listEvents } from "#lib/sources/events.ts";

export const GET = route(operations.listEvents, ({ db, workspaceId, query }) => listEvents(db, workspaceId, query));

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
