import { route } from "#app/api/handler.ts";
import { bulkAccounts } from "#app/api/operations/accounts.ts";
import { otherMethodsThan } from "#app/api/other-methods.ts";
import { upsertAccounts } from "#lib/accounts/upsert.ts";

export const POST = route(bulkAccounts, ({ trx, workspaceId, body, now }) =>
  upsertAccounts(trx, workspaceId, body.accounts, now),
);

export const { GET, PUT, PATCH, DELETE } = otherMethodsThan("POST");
