import type { Insertable } from "kysely";
import type { Trx } from "#db/client.ts";
import type { Database } from "#db/schema.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

type TicketColumns = Omit<Insertable<Database["ticket"]>, "workspace_id" | "connection_id" | "id">;

/** Puts a ticket straight into its table, over an earlier version of it: what the tickets stream would leave there. */
export async function putTicket(
  trx: Trx,
  scope: Scope,
  id: string,
  columns: Partial<TicketColumns> = {},
): Promise<void> {
  const plain = { created_at: new Date("2026-03-01T10:00:00Z"), generated_timestamp: "1", content_hash: "0" };
  const values = { ...plain, ...columns };
  await trx
    .insertInto("ticket")
    .values({ workspace_id: scope.workspaceId, connection_id: scope.connectionId, id, ...values })
    .onConflict((conflict) => conflict.columns(["workspace_id", "connection_id", "id"]).doUpdateSet(values))
    .execute();
}

/** A connection row of a workspace; its scope. */
export async function putConnection(trx: Trx, workspaceId: number, subdomain = "acme"): Promise<Scope> {
  const at = new Date("2026-01-01T00:00:00Z");
  const { id } = await trx
    .insertInto("connection")
    .values({
      workspace_id: workspaceId,
      name: subdomain,
      subdomain,
      access: "read",
      auth_type: "api_token",
      created_at: at,
      updated_at: at,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return { workspaceId, connectionId: id };
}
