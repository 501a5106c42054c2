import { route } from "#app/api/handler.ts";
import { readHeldText as operation } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { heldTextOf } from "#lib/connections/held.ts";
import { connectionScope } from "#lib/connections/list.ts";

export const GET = route(operation, ({ trx, workspaceId, params, query }) =>
  heldTextOf(trx, connectionScope(workspaceId, params.id), query),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
