import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

export async function countOrganizations(trx: Trx, scope: Scope): Promise<number> {
  const { rows } = await sql<{ count: string }>`
    select count(*) as count from organization
     where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId} and deleted_at is null`.execute(
    trx,
  );
  return Number(rows[0]?.count ?? 0);
}

/** Ids of organizations that are not gone, in order, after one. */
export async function organizationIdsAfter(
  trx: Trx,
  scope: Scope,
  after: string | null,
  limit: number,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from organization
     where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId} and deleted_at is null
       and (${after}::bigint is null or id > ${after}::bigint)
     order by id limit ${limit}`.execute(trx);
  return rows.map((row) => row.id);
}

/** Tickets of a span of versions (Unix seconds), not gone, in order of their ids, after one. */
export async function ticketIdsBetween(
  trx: Trx,
  scope: Scope,
  span: { from: number; to: number; after: string | null; limit: number },
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from ticket
     where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId} and deleted_at is null
       and generated_timestamp between ${span.from}::bigint and ${span.to}::bigint
       and (${span.after}::bigint is null or id > ${span.after}::bigint)
     order by id limit ${span.limit}`.execute(trx);
  return rows.map((row) => row.id);
}

/** Tickets that events or ratings of a year speak of and that are not stored. */
export async function unknownTickets(trx: Trx, scope: Scope, since: Date, limit: number): Promise<string[]> {
  const { workspaceId, connectionId } = scope;
  const { rows } = await sql<{ id: string }>`
    select distinct named.ticket_id as id
      from (select ticket_id from ticket_event
             where workspace_id = ${workspaceId} and connection_id = ${connectionId}
               and field = 'created' and occurred_at >= ${since.toISOString()}::timestamptz
            union
            select ticket_id from satisfaction_rating
             where workspace_id = ${workspaceId} and connection_id = ${connectionId}
               and created_at >= ${since.toISOString()}::timestamptz) named
     where not exists (select from ticket
             where ticket.workspace_id = ${workspaceId} and ticket.connection_id = ${connectionId}
               and ticket.id = named.ticket_id)
     order by 1 limit ${limit}`.execute(trx);
  return rows.map((row) => row.id);
}

export async function repairedInRun(trx: Trx, scope: Scope, runId: string): Promise<number> {
  const { rows } = await sql<{ repaired: string | null }>`
    select sum(repaired) as repaired from sync_run_stream
     where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId} and run_id = ${runId}`.execute(
    trx,
  );
  return Number(rows[0]?.repaired ?? 0);
}
