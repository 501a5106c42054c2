import { route } from "#app/api/handler.ts";
import { listDriftRows as operation } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { connectionScope } from "#lib/connections/list.ts";
import { listDriftRows } from "#lib/reports/ledger.ts";

export const GET = route(operation, ({ context, trx, workspaceId, params, query }) =>
  listDriftRows(trx, connectionScope(workspaceId, params.id), params.runId, query, context.config.zendesk.urlTemplate),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
