import { route } from "#app/api/handler.ts";
import { listOwners as operation } from "#app/api/operations/accounts.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { listOwners } from "#lib/reports/owners.ts";

export const GET = route(operation, ({ db, workspaceId, query }) => listOwners(db, workspaceId, query));

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
