import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { TicketEventRow } from "#lib/zendesk/row-types.ts";
import type { PageResult, Scope } from "#lib/zendesk/scope.ts";

/** An audit may change one field twice (set at creation, then by a trigger): `position` counts the changes of a field from 0. */
export type PlacedEvent = TicketEventRow & { position: number };

/**
 * Stores a page of ticket events; `rows` stand in the order in which Zendesk listed them, the changes of one audit together.
 * Events never change: pages overlap by design, so what is stored already is left alone, without a lock or a log record.
 * `ids` are the tickets that gained something, `written` the events.
 */
export async function storeEvents(trx: Trx, scope: Scope, rows: TicketEventRow[], _now: Date): Promise<PageResult> {
  const events = placed(rows);
  const column = <T>(read: (event: PlacedEvent) => T) => events.map(read);
  const { rows: written } = await sql<{ key: string; ticket_id: string; inserted: boolean }>`
    with page as (
      select * from unnest(
        ${column((e) => e.id)}::bigint[], ${column((e) => e.field)}::text[], ${column((e) => e.position)}::smallint[],
        ${column((e) => e.ticketId)}::bigint[], ${column((e) => e.occurredAt)}::timestamptz[], ${column((e) => e.kind)}::text[],
        ${column((e) => e.value)}::text[], ${column((e) => e.previous)}::text[], ${column((e) => e.updaterId)}::bigint[]
      ) as page (id, field, position, ticket_id, occurred_at, kind, value, previous, updater_id)
    )
    insert into ticket_event as stored
      (workspace_id, connection_id, id, field, position, ticket_id, occurred_at, kind, value, previous, updater_id)
    select ${scope.workspaceId}, ${scope.connectionId}, page.*
      from page
     where not exists (
       select from ticket_event known
        where known.workspace_id = ${scope.workspaceId} and known.connection_id = ${scope.connectionId}
          and known.id = page.id and known.field = page.field and known.position = page.position
          and (known.ticket_id, known.occurred_at, known.kind, known.value, known.previous, known.updater_id)
              is not distinct from
              (page.ticket_id, page.occurred_at, page.kind, page.value, page.previous, page.updater_id))
     order by page.id, page.field, page.position
        on conflict (workspace_id, connection_id, id, field, position) do update set
           ticket_id = excluded.ticket_id, occurred_at = excluded.occurred_at, kind = excluded.kind,
           value = excluded.value, previous = excluded.previous, updater_id = excluded.updater_id
    returning stored.id || ':' || stored.field || ':' || stored.position as key, stored.ticket_id, stored.xmax = 0 as inserted`.execute(
    trx,
  );
  const inserted = written.filter((row) => row.inserted).length;
  return {
    read: rows.length,
    inserted,
    updated: written.length - inserted,
    unchanged: rows.length - written.length,
    deleted: 0,
    ids: [...new Set(written.map((row) => row.ticket_id))],
    written: written.map((row) => row.key),
  };
}

/** Drops repeats (the boundary second comes again, also within a page) and numbers the changes that one audit made to one field. */
export function placed(rows: readonly TicketEventRow[]): PlacedEvent[] {
  const seen = new Set<string>();
  const counts = new Map<string, number>();
  const events: PlacedEvent[] = [];
  for (const row of rows) {
    const identity = JSON.stringify([row.id, row.field, row.kind, row.value, row.previous]);
    if (seen.has(identity)) continue;
    seen.add(identity);
    const key = `${row.id} ${row.field}`;
    const position = counts.get(key) ?? 0;
    counts.set(key, position + 1);
    events.push({ ...row, position });
  }
  return events;
}
