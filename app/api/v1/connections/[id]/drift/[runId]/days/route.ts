import { route } from "#app/api/handler.ts";
import { listDriftDays as operation } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { connectionScope } from "#lib/connections/list.ts";
import { listDriftDays } from "#lib/reports/ledger.ts";

export const GET = route(operation, ({ trx, workspaceId, params, query }) =>
  listDriftDays(trx, connectionScope(workspaceId, params.id), params.runId, { ...query, all: query.all === "1" }),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
