import type { Db } from "#db/client.ts";
import { accountExists } from "#lib/accounts/store.ts";
import { notFound } from "#lib/errors.ts";

export { accountExists };

/** Throws `not_found` for an account that is none, or another workspace's. */
export async function requireAccount(db: Db, workspaceId: number, accountId: string): Promise<void> {
  if (!(await accountExists(db, workspaceId, accountId))) throw notFound(`Account ${accountId}`);
}
