import { sql } from "kysely";
import type { Trx } from "#db/client.ts";

/** Undoes `work` alone when it fails, so that the transaction can go on; the failure is thrown on. */
export async function insideSavepoint<T>(trx: Trx, work: () => Promise<T>): Promise<T> {
  await sql`savepoint work`.execute(trx);
  try {
    const result = await work();
    await sql`release savepoint work`.execute(trx);
    return result;
  } catch (error) {
    await sql`rollback to savepoint work`.execute(trx);
    throw error;
  }
}

/** Data exceptions, broken constraints, limits of an index entry: the rows' fault, not the server's (row 55). */
export function isAboutRows(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return typeof code === "string" && /^(21|22|23|54)[0-9A-Z]{3}$/.test(code);
}
