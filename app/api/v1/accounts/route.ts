import { route } from "#app/api/handler.ts";
import { listAccounts } from "#app/api/operations/accounts.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { inWorkspace } from "#lib/auth/workspace-transaction.ts";
import { listPortfolio, portfolioCsv } from "#lib/reports/portfolio.ts";

export const GET = route(listAccounts, ({ db, workspaceId, query, now }) =>
  query.format === "csv"
    ? portfolioCsv(db, workspaceId, query, now)
    : inWorkspace(db, workspaceId, (trx) => listPortfolio(trx, workspaceId, query, now)),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
