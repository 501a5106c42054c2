import { route } from "#app/api/handler.ts";
import { getAccountMetrics } from "#app/api/operations/accounts.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { readAccountMetrics } from "#lib/reports/account.ts";

export const GET = route(getAccountMetrics, ({ db, workspaceId, params, query, now }) =>
  readAccountMetrics(db, workspaceId, params.id, query, now),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
