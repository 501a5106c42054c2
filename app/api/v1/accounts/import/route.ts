import { route } from "#app/api/handler.ts";
import { importAccounts as importOperation } from "#app/api/operations/accounts.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { importAccounts } from "#lib/accounts/import-csv.ts";

export const POST = route(importOperation, ({ db, workspaceId, request, now }) =>
  importAccounts(db, workspaceId, request.body, now),
);

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
