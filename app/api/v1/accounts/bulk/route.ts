import { route } from "#app/api/handler.ts";
import { bulkAccounts } from "#app/api/operations/accounts.ts";
import { upsertAccounts } from "#lib/accounts/upsert.ts";

export const POST = route(bulkAccounts, ({ trx, workspaceId, body, now }) =>
  upsertAccounts(trx, workspaceId, body.accounts, now),
);
