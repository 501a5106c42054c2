import { route } from "#app/api/handler.ts";
import { listAccountOrganizations as operation } from "#app/api/operations/accounts.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { listAccountOrganizations } from "#lib/reports/organizations.ts";

export const GET = route(operation, ({ context, db, workspaceId, params, query }) =>
  listAccountOrganizations(db, workspaceId, params.id, query, context.config.zendesk.urlTemplate),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
