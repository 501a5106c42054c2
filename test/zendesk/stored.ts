import { expect } from "vitest";
import { truth } from "#test/support/zendesk/truth.ts";
import type { Account } from "#test/zendesk/account.ts";
import { compare, readStored, type Stored } from "#test/zendesk/compared.ts";

/** The stored rows of an account's connection. */
export function stored({ connectionId, read }: Account): Promise<Stored> {
  return read((trx) => readStored(trx, connectionId));
}

/** INV-CONV: tables equal the truth, row by row and field by field. */
export async function expectConverged(account: Account): Promise<void> {
  for (const { is, should } of compare(await stored(account), truth(account.world))) expect(is).toEqual(should);
}
