import { route } from "#app/api/handler.ts";
import { listDrift } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { connectionScope } from "#lib/connections/list.ts";
import { listDriftRuns } from "#lib/reports/ledger.ts";

export const GET = route(listDrift, ({ trx, workspaceId, params, query }) =>
  listDriftRuns(trx, connectionScope(workspaceId, params.id), query),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
