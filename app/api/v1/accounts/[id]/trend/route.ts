import { route } from "#app/api/handler.ts";
import { getAccountTrend } from "#app/api/operations/accounts.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { readAccountTrend } from "#lib/reports/account.ts";

export const GET = route(getAccountTrend, ({ db, workspaceId, params, query, now }) =>
  readAccountTrend(db, workspaceId, params.id, query, now),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
