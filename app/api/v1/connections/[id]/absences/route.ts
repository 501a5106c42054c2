import { route } from "#app/api/handler.ts";
import { listAbsences as operation } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { connectionScope } from "#lib/connections/list.ts";
import { listAbsences } from "#lib/reports/ledger.ts";

export const GET = route(operation, ({ context, trx, workspaceId, params, query }) =>
  listAbsences(trx, connectionScope(workspaceId, params.id), query, context.config.zendesk.urlTemplate),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
