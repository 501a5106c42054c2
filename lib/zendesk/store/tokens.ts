import type { Selectable } from "kysely";
import type { Trx } from "#db/client.ts";
import type { ConnectionTable } from "#db/schema.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

export type StoredSecrets = Pick<Selectable<ConnectionTable>, "auth_type" | "auth_secret" | "token_secret" | "access">;

/** Reads a connection's sealed secrets and keeps everybody else from renewing its token until the transaction ends (row 60). */
export function lockSecrets(trx: Trx, scope: Scope): Promise<StoredSecrets | undefined> {
  return trx
    .selectFrom("connection")
    .select(["auth_type", "auth_secret", "token_secret", "access"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("id", "=", scope.connectionId)
    .forUpdate()
    .executeTakeFirst();
}

export async function saveToken(
  trx: Trx,
  scope: Scope,
  token: Pick<ConnectionTable, "token_secret" | "token_expires_at" | "scopes" | "login_ends_at">,
): Promise<void> {
  await trx
    .updateTable("connection")
    .set(token)
    .where("workspace_id", "=", scope.workspaceId)
    .where("id", "=", scope.connectionId)
    .execute();
}
