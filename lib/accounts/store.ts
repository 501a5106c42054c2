import { sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { NewAccount } from "./account-row.ts";

export interface StoredAccount {
  id: string;
  externalId: string;
  name: string;
  ownerEmail: string | null;
}

export interface StoredAttribute {
  accountId: string;
  key: string;
  value: string;
}

export async function accountExists(db: Db, workspaceId: number, accountId: string): Promise<boolean> {
  const found = await db
    .selectFrom("account")
    .select("id")
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", accountId)
    .executeTakeFirst();
  return found !== undefined;
}

/** Those of the accounts that exist. */
export async function readAccounts(trx: Trx, workspaceId: number, externalIds: string[]): Promise<StoredAccount[]> {
  const rows = await trx
    .selectFrom("account")
    .select(["id", "external_id", "name", "owner_email"])
    .where("workspace_id", "=", workspaceId)
    .where("external_id", "=", sql<string>`any(${externalIds}::text[])`)
    .execute();
  return rows.map((row) => ({ id: row.id, externalId: row.external_id, name: row.name, ownerEmail: row.owner_email }));
}

export async function readAttributes(trx: Trx, workspaceId: number, accountIds: string[]): Promise<StoredAttribute[]> {
  const rows = await trx
    .selectFrom("account_attribute")
    .select(["account_id", "key", "value"])
    .where("workspace_id", "=", workspaceId)
    .where("account_id", "=", sql<string>`any(${accountIds}::bigint[])`)
    .execute();
  return rows.map((row) => ({ accountId: row.account_id, key: row.key, value: row.value }));
}

/** Makes accounts; their ids by external id. */
export async function insertAccounts(
  trx: Trx,
  workspaceId: number,
  accounts: NewAccount[],
  now: Date,
): Promise<Map<string, string>> {
  if (accounts.length === 0) return new Map();
  const { rows } = await sql<{ id: string; external_id: string }>`
    insert into account (workspace_id, external_id, name, owner_email, created_at, updated_at)
    select ${workspaceId}, came.external_id, came.name, came.owner_email, ${now}::timestamptz, ${now}::timestamptz
      from unnest(${accounts.map((a) => a.externalId)}::text[], ${accounts.map((a) => a.name)}::text[],
                  ${accounts.map((a) => a.ownerEmail ?? null)}::text[]) as came (external_id, name, owner_email)
    returning id, external_id`.execute(trx);
  return new Map(rows.map((row) => [row.external_id, row.id]));
}

/** Writes name and owner as given, and marks the accounts as updated. */
export async function updateAccounts(
  trx: Trx,
  workspaceId: number,
  accounts: StoredAccount[],
  now: Date,
): Promise<void> {
  if (accounts.length === 0) return;
  await sql`
    update account a set name = came.name, owner_email = came.owner_email, updated_at = ${now}::timestamptz
      from unnest(${accounts.map((a) => a.id)}::bigint[], ${accounts.map((a) => a.name)}::text[],
                  ${accounts.map((a) => a.ownerEmail)}::text[]) as came (id, name, owner_email)
     where a.workspace_id = ${workspaceId} and a.id = came.id`.execute(trx);
}

export async function writeAttributes(trx: Trx, workspaceId: number, attributes: StoredAttribute[]): Promise<void> {
  if (attributes.length === 0) return;
  await sql`
    insert into account_attribute (workspace_id, account_id, key, value)
    select ${workspaceId}, came.account_id, came.key, came.value
      from unnest(${attributes.map((a) => a.accountId)}::bigint[], ${attributes.map((a) => a.key)}::text[],
                  ${attributes.map((a) => a.value)}::text[]) as came (account_id, key, value)
        on conflict (workspace_id, account_id, key) do update set value = excluded.value`.execute(trx);
}
