import { route } from "#app/api/handler.ts";
import { getAccount } from "#app/api/operations/accounts.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { readAccount } from "#lib/reports/account.ts";

export const GET = route(getAccount, ({ db, workspaceId, params, query, now }) =>
  readAccount(db, workspaceId, params.id, query, now),
);

export const { POST, PUT, PATCH, DELETE } = otherMethodsThan("GET");
