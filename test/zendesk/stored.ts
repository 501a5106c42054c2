import { expect } from "vitest";
import { truth } from "#test/support/zendesk/truth.ts";
import type { Account } from "#test/zendesk/account.ts";
import { type ComparedTable, compare, readByEveryRun, readStored, type Stored } from "#test/zendesk/compared.ts";

/** The stored rows of an account's connection. */
export function stored({ connectionId, read }: Account): Promise<Stored> {
  return read((trx) => readStored(trx, connectionId));
}

/** INV-CONV: tables equal the truth, row by row and field by field. */
export async function expectConverged(
  account: Account,
  tables: readonly ComparedTable[] = readByEveryRun,
): Promise<void> {
  for (const { table, is, should } of compare(await stored(account), truth(account.world)))
    if (tables.includes(table)) expect(is, table).toEqual(should);
}
