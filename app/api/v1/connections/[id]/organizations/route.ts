import { route } from "#app/api/handler.ts";
import { listOrganizations as operation } from "#app/api/operations/connections.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { inWorkspace } from "#lib/auth/workspace-transaction.ts";
import { connectionScope } from "#lib/matching/store.ts";
import { listOrganizations, organizationsCsv } from "#lib/reports/organizations.ts";

export const GET = route(operation, async ({ db, workspaceId, params, query, now }) => {
  const connection = await inWorkspace(db, workspaceId, (trx) => connectionScope(trx, workspaceId, params.id));
  return query.format === "csv"
    ? organizationsCsv(db, connection, query, now)
    : inWorkspace(db, workspaceId, (trx) => listOrganizations(trx, connection, query));
});

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
