import { route } from "#app/api/handler.ts";
import { listReasons as operation } from "#app/api/operations/destinations.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { listReasons } from "#lib/destinations/deliveries.ts";

export const GET = route(operation, ({ db, workspaceId, query }) => listReasons(db, workspaceId, query));

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
