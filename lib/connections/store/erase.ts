import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** Tables whose rows belong to a connection, those first that hold the most. `sync_run` and the rest go with the connection itself. */
export const tablesOfConnection = [
  "customer_event",
  "delivery_lane",
  "delivery",
  "destination",
  "timeline_entry",
  "ticket_event",
  "ticket_payload",
  "satisfaction_rating",
  "former_rating",
  "ticket",
  "zendesk_user",
  "zendesk_group",
  "field_definition",
  "custom_status",
  "organization_field_value",
  "organization",
  "org_day",
  "org_metric",
  "match_decision",
  "match_key",
  "held_row",
  "webhook_delivery",
  "webhook_hint",
  "webhook",
  "drift_row",
  "drift_day",
  "drift_seen",
  "organization_membership",
  "absence",
  "departure",
  "absence_approval",
  "doctor_check",
  "notice",
  "stream_state",
  "sync_run_stream",
  "sync_run",
  "connection_lease",
] as const;

/** Tables whose rows belong to a destination or a delivery of a connection, and are gone before those are. */
export const partsOfDestinations = [
  { table: "destination_source", column: "destination_id", of: "destination" },
  { table: "destination_action", column: "destination_id", of: "destination" },
  { table: "write_back_rule", column: "destination_id", of: "destination" },
  { table: "write_back_value", column: "destination_id", of: "destination" },
  { table: "delivery_exchange", column: "delivery_id", of: "delivery" },
] as const;

/** Deletes at most `limit` rows of a connection from a table; how many it were. */
export async function deleteSome(
  trx: Trx,
  scope: Scope,
  table: (typeof tablesOfConnection)[number],
  limit: number,
): Promise<number> {
  const { workspaceId, connectionId } = scope;
  const result = await sql`
    delete from ${sql.table(table)} where workspace_id = ${workspaceId} and connection_id = ${connectionId}
      and ctid = any (array(select ctid from ${sql.table(table)}
        where workspace_id = ${workspaceId} and connection_id = ${connectionId} limit ${limit}))`.execute(trx);
  return Number(result.numAffectedRows ?? 0n);
}

/** The same of what hangs on its destinations. */
export async function deleteSomeParts(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  { table, column, of }: (typeof partsOfDestinations)[number],
  limit: number,
): Promise<number> {
  const result = await sql`
    delete from ${sql.table(table)} where workspace_id = ${workspaceId}
      and ctid = any (array(select part.ctid from ${sql.table(table)} part
        join ${sql.table(of)} whole on whole.workspace_id = ${workspaceId} and whole.id = part.${sql.ref(column)}
        where part.workspace_id = ${workspaceId} and whole.connection_id = ${connectionId} limit ${limit}))`.execute(
    trx,
  );
  return Number(result.numAffectedRows ?? 0n);
}
