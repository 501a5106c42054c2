import { route } from "#app/api/handler.ts";
import { listAccountOrganizations as operation } from "#app/api/operations/accounts.ts";
import { listAccountOrganizations } from "#lib/reports/organizations.ts";

export const GET = route(operation, ({ db, workspaceId, params, query }) =>
  listAccountOrganizations(db, workspaceId, params.id, query),
);
