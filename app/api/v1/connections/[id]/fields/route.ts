import { route } from "#app/api/handler.ts";
import { listCustomFields as operation } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { listCustomFields } from "#lib/connections/custom-fields.ts";
import { connectionScope } from "#lib/connections/list.ts";

export const GET = route(operation, ({ context, db, workspaceId, params, query }) =>
  listCustomFields(db, connectionScope(workspaceId, params.id), query, context.config.zendesk.urlTemplate),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
