import { route } from "#app/api/handler.ts";
import { listHeldRows as operation } from "#app/api/operations/connections.ts";
import { connectionScope, listHeldRows } from "#lib/connections/list.ts";

export const GET = route(operation, ({ db, workspaceId, params, query }) =>
  listHeldRows(db, connectionScope(workspaceId, params.id), query),
);
