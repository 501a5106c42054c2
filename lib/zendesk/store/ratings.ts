import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { columnList, effectiveRatings } from "#lib/metrics/counts.ts";
import { lockMetricsAtToday } from "#lib/metrics/store.ts";
import type { RatingRow } from "#lib/zendesk/row-types.ts";
import type { PageResult, Scope } from "#lib/zendesk/scope.ts";
import { instant, latestVersions, overwritten, type PageColumns, pageTable } from "#lib/zendesk/store/page.ts";
import { forgetComments } from "#lib/zendesk/store/rating-comments.ts";
import { rewriteTickets } from "#lib/zendesk/store/rewrite-tickets.ts";

export const columns = {
  system: ["text", (row) => row.system],
  id: ["text", (row) => row.id],
  ticket_id: ["bigint", (row) => row.ticketId],
  score: ["text", (row) => row.score],
  category: ["text", (row) => row.category],
  comment: ["text", (row) => row.comment],
  rated_at: ["timestamptz", (row) => instant(row.ratedAt)],
  created_at: ["timestamptz", (row) => instant(row.createdAt)],
  updated_at: ["timestamptz", (row) => instant(row.updatedAt)],
  content_hash: ["bigint", (row) => row.contentHash],
} satisfies PageColumns<RatingRow>;
const names = Object.keys(columns);

/**
 * Stores ratings of either system, whatever their score, and gives each touched ticket the answer that holds for it: the
 * latest one that counts. A later score that does not count (offered) displaces nothing. `ids` are the touched tickets,
 * known or not: a rating may come before its ticket; `written` the ratings.
 */
export async function storeRatings(trx: Trx, scope: Scope, rows: RatingRow[], now: Date): Promise<PageResult> {
  const settings = await lockMetricsAtToday(trx, scope.workspaceId, now);
  const page = latestVersions(
    rows,
    (row) => `${row.system} ${row.id}`,
    (row) => row.updatedAt?.getTime() ?? Number.NEGATIVE_INFINITY,
  );
  const { inserted, updated, tickets, written } = await upsertRatings(trx, scope, page);
  if (tickets.length > 0) await forgetComments(trx, scope, tickets);
  await rewriteTickets(trx, scope, settings, {
    from: sql`left join (${effectiveRatings(scope, sql`${tickets}::bigint[]`)}) answer on answer.ticket_id = was.id`,
    extra: sql`, answer.rating as new_rating, answer.rated_at as new_rated_at`,
    chosen: sql`was.id = any(${tickets}::bigint[])
      and (was.rating, was.rated_at) is distinct from (answer.rating, answer.rated_at)`,
    set: sql`rating = chosen.new_rating, rated_at = chosen.new_rated_at`,
    becomes: { rating: sql`new_rating`, rated_at: sql`new_rated_at` },
  });
  const unchanged = rows.length - inserted - updated;
  return { read: rows.length, inserted, updated, unchanged, deleted: 0, ids: tickets, written };
}

async function upsertRatings(trx: Trx, { workspaceId, connectionId }: Scope, page: RatingRow[]) {
  const { rows } = await sql<{
    inserted: number;
    updated: number;
    tickets: string[] | null;
    written: string[] | null;
  }>`
    with page as materialized (
      select * from ${pageTable(columns, page)}),
    fresh as materialized (
      select page.*, was.id is null as is_new, was.ticket_id as was_ticket_id, was.category as was_category,
             was.comment as was_comment, was.rated_at as was_rated_at
        from page
        left join satisfaction_rating was on was.workspace_id = ${workspaceId}::int
              and was.connection_id = ${connectionId}::int and was.system = page.system and was.id = page.id
       where was.id is null
          -- One that has lost its version is what it is now.
          or (coalesce(page.updated_at, was.updated_at, '-infinity') >= coalesce(was.updated_at, '-infinity')
              and page.content_hash <> was.content_hash)),
    written as (
      insert into satisfaction_rating (workspace_id, connection_id, ${columnList(names)})
      select ${workspaceId}::int, ${connectionId}::int, ${columnList(names)} from fresh
      on conflict (workspace_id, connection_id, system, id) do update
         set ${overwritten(names, ["system", "id"])}, deleted_at = null),
    former as (
      insert into former_rating (workspace_id, connection_id, system, rating_id, rated_at, ticket_id, category, comment)
      select ${workspaceId}::int, ${connectionId}::int, system, id, was_rated_at, was_ticket_id, was_category, was_comment
        from fresh
       -- Of the same instant it is the same answer, told in other words.
       where was_category is not null and was_rated_at is not null and rated_at is distinct from was_rated_at
         and (category is distinct from was_category or (was_comment is not null and comment is distinct from was_comment))
      on conflict (workspace_id, connection_id, system, rating_id, rated_at) do nothing)
    select (select count(*)::int from fresh where is_new) as inserted,
           (select count(*)::int from fresh where not is_new) as updated,
           (select array_agg(system || ':' || id) from fresh) as written,
           (select array_agg(distinct id) from (select ticket_id as id from fresh union select was_ticket_id from fresh) touched
             where id is not null) as tickets`.execute(trx);
  const { inserted = 0, updated = 0, tickets = null, written = null } = rows[0] ?? {};
  return { inserted, updated, tickets: tickets ?? [], written: written ?? [] };
}
