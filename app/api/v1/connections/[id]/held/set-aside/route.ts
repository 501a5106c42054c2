import { route } from "#app/api/handler.ts";
import { setHeldRowAside as operation } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { decideHeld } from "#lib/connections/held.ts";
import { connectionScope } from "#lib/connections/list.ts";

export const POST = route(operation, ({ trx, workspaceId, params, body, actor, now }) =>
  decideHeld(trx, connectionScope(workspaceId, params.id), body, actor.label, now),
);

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
