import { route } from "#app/api/handler.ts";
import { listNotices as operation } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { listNotices } from "#lib/notifications/list.ts";

export const GET = route(operation, ({ db, workspaceId, query }) => listNotices(db, workspaceId, query));

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
