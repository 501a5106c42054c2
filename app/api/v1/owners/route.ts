import { route } from "#app/api/handler.ts";
import { listOwners as operation } from "#app/api/operations/accounts.ts";
import { listOwners } from "#lib/reports/owners.ts";

export const GET = route(operation, ({ db, workspaceId, query }) => listOwners(db, workspaceId, query));
