import { route } from "#app/api/handler.ts";
import { getAccountTrend } from "#app/api/operations/accounts.ts";
import { readAccountTrend } from "#lib/reports/account.ts";

export const GET = route(getAccountTrend, ({ db, workspaceId, params, query, now }) =>
  readAccountTrend(db, workspaceId, params.id, query, now),
);
