import { route } from "#app/api/handler.ts";
import { retryHeldRows as operation } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { retryHeld } from "#lib/connections/held.ts";
import { connectionScope } from "#lib/connections/list.ts";

export const POST = route(operation, ({ db, workspaceId, params, body, now }) =>
  retryHeld(db, connectionScope(workspaceId, params.id), body, now),
);

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
