import type { Trx } from "#db/client.ts";
import type { Oracle } from "#test/metrics/oracle.ts";
import type { ChaosAccount } from "../accounts.ts";

/** What is stored for an account, told to whoever counts by brute force. */
export async function tellStored(trx: Trx, oracle: Oracle, { scope }: ChaosAccount): Promise<void> {
  const { connectionId } = scope;
  const rowsOf = <Table extends "ticket" | "organization" | "satisfaction_rating" | "custom_status">(table: Table) =>
    trx
      .selectFrom(table as "ticket")
      .selectAll()
      .where("connection_id", "=", connectionId)
      .execute() as Promise<unknown>;
  const tickets = (await rowsOf("ticket")) as Record<string, never>[];
  for (const row of tickets) oracle.ticket(connectionId, camel(row) as Parameters<Oracle["ticket"]>[1]);
  const organizations = (await rowsOf("organization")) as Record<string, never>[];
  for (const row of organizations) {
    oracle.organization(connectionId, { ...camel(row), fields: [] } as unknown as Parameters<
      Oracle["organization"]
    >[1]);
  }
  const ratings = (await rowsOf("satisfaction_rating")) as Record<string, never>[];
  for (const row of ratings) oracle.rating(connectionId, camel(row) as Parameters<Oracle["rating"]>[1]);
  const statuses = (await rowsOf("custom_status")) as { id: string; category: string | null }[];
  for (const { id, category } of statuses) oracle.customStatuses.set(`${connectionId}/${id}`, category ?? "");
}

/** Columns under the names of the rows that a page brings. */
function camel(row: Record<string, unknown>): unknown & object {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [
      name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase()),
      value,
    ]),
  );
}
