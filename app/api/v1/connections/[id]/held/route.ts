import { route } from "#app/api/handler.ts";
import { listHeldRows as operation } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { connectionScope, listHeldRows } from "#lib/connections/list.ts";

export const GET = route(operation, ({ db, workspaceId, params, query }) =>
  listHeldRows(db, connectionScope(workspaceId, params.id), query),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
