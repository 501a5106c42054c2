import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** A row of timeline_entry without its scope. */
export interface StoredEntry {
  ticketId: string;
  kind: string;
  occurredAt: Date;
  organizationId: string | null;
  priorityThen: string | null;
  derived: boolean;
  moves: string | null;
  comment: string | null;
}

/** What is stored now for the tickets, known or not. */
export async function readEntries(trx: Trx, scope: Scope, ticketIds: string[]): Promise<StoredEntry[]> {
  const rows = await trx
    .selectFrom("timeline_entry")
    .select(["ticket_id", "kind", "occurred_at", "organization_id", "priority_then", "derived", "moves", "comment"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("ticket_id", "=", sql<string>`any(${ticketIds}::bigint[])`)
    .execute();
  return rows.map((row) => ({
    ticketId: row.ticket_id,
    kind: row.kind,
    occurredAt: row.occurred_at,
    organizationId: row.organization_id,
    priorityThen: row.priority_then,
    derived: row.derived,
    moves: row.moves,
    comment: row.comment,
  }));
}

export async function deleteEntries(trx: Trx, scope: Scope, entries: StoredEntry[]): Promise<void> {
  if (entries.length === 0) return;
  await sql`
    delete from timeline_entry entry
     using unnest(${entries.map((e) => e.ticketId)}::bigint[], ${entries.map((e) => e.kind)}::text[],
                  ${entries.map((e) => e.occurredAt)}::timestamptz[]) as gone (ticket_id, kind, occurred_at)
     where entry.workspace_id = ${scope.workspaceId} and entry.connection_id = ${scope.connectionId}
       and entry.ticket_id = gone.ticket_id and entry.kind = gone.kind and entry.occurred_at = gone.occurred_at`.execute(
    trx,
  );
}

/** Inserts entries, or replaces those of the same (ticket, kind, second). */
export async function writeEntries(trx: Trx, scope: Scope, entries: StoredEntry[]): Promise<void> {
  if (entries.length === 0) return;
  const column = <T>(read: (entry: StoredEntry) => T) => entries.map(read);
  await sql`
    insert into timeline_entry (workspace_id, connection_id, ticket_id, kind, occurred_at, organization_id,
                                priority_then, derived, moves, comment)
    select ${scope.workspaceId}, ${scope.connectionId}, page.*
      from unnest(${column((e) => e.ticketId)}::bigint[], ${column((e) => e.kind)}::text[],
                  ${column((e) => e.occurredAt)}::timestamptz[], ${column((e) => e.organizationId)}::bigint[],
                  ${column((e) => e.priorityThen)}::text[], ${column((e) => e.derived)}::boolean[],
                  ${column((e) => e.moves)}::text[], ${column((e) => e.comment)}::text[])
        as page (ticket_id, kind, occurred_at, organization_id, priority_then, derived, moves, comment)
     order by page.ticket_id, page.kind, page.occurred_at
        on conflict (workspace_id, connection_id, ticket_id, kind, occurred_at) do update set
           organization_id = excluded.organization_id, priority_then = excluded.priority_then,
           derived = excluded.derived, moves = excluded.moves, comment = excluded.comment`.execute(trx);
}
