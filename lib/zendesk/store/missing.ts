import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** Tickets that events or ratings since an instant speak of and that are not stored, in the order of their ids, after one. */
export async function unknownTickets(
  trx: Trx,
  scope: Scope,
  which: { since: Date; after: string | null; limit: number },
): Promise<string[]> {
  const { workspaceId, connectionId } = scope;
  const since = which.since.toISOString();
  const { rows } = await sql<{ id: string }>`
    select distinct named.ticket_id as id
      from (select ticket_id from ticket_event
             where workspace_id = ${workspaceId} and connection_id = ${connectionId}
               and field = 'created' and occurred_at >= ${since}::timestamptz
            union
            select ticket_id from satisfaction_rating
             where workspace_id = ${workspaceId} and connection_id = ${connectionId}
               and created_at >= ${since}::timestamptz) named
     where not exists (select from ticket
             where ticket.workspace_id = ${workspaceId} and ticket.connection_id = ${connectionId}
               and ticket.id = named.ticket_id)
       and (${which.after}::bigint is null or named.ticket_id > ${which.after}::bigint)
     order by 1 limit ${which.limit}`.execute(trx);
  return rows.map((row) => row.id);
}

/** A row asked for so soon after a second may lack a change of that very second: clocks differ. Seconds. */
const tooSoon = 10;

/**
 * Of tickets and Unix seconds at which they changed those that are stored in an older version, or not at all; also where they were
 * asked for within that second, which may have brought another change since.
 */
export async function outrunAmong(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  changes: readonly (readonly [id: string, second: number])[],
): Promise<[id: string, second: number][]> {
  if (changes.length === 0) return [];
  const { rows } = await sql<{ id: string; second: number }>`
    select distinct changed.id, changed.second::int as second
      from unnest(${changes.map(([id]) => id)}::bigint[], ${changes.map(([, second]) => second)}::bigint[])
           as changed (id, second)
      left join ticket on ticket.workspace_id = ${workspaceId} and ticket.connection_id = ${connectionId}
           and ticket.id = changed.id
     where ticket.id is null or ticket.generated_timestamp < changed.second
        or ticket.generated_timestamp = changed.second
           and ticket.fetched_at < to_timestamp(changed.second + ${tooSoon})
     order by changed.id, second`.execute(trx);
  return rows.map(({ id, second }) => [id, second]);
}
