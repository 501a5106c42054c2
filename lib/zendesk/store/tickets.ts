import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { applyDeltas, columnList, effectiveRatings, type MetricSettings, type Sql } from "#lib/metrics/counts.ts";
import { lockMetricsAtToday, resumAccountsOf } from "#lib/metrics/store.ts";
import { weighHeldRows } from "#lib/zendesk/held-doubt.ts";
import type { TicketRow } from "#lib/zendesk/row-types.ts";
import type { PageResult, Scope } from "#lib/zendesk/scope.ts";
import type { Departure } from "#lib/zendesk/store/departures.ts";
import { releaseRows } from "#lib/zendesk/store/held-rows.ts";
import {
  instant,
  isAskedNoSooner,
  latestVersions,
  overwritten,
  type PageColumns,
  pageTable,
  textArray,
} from "#lib/zendesk/store/page.ts";
import { forgetComments, scrubbedSubject } from "#lib/zendesk/store/rating-comments.ts";
import { rewriteTickets } from "#lib/zendesk/store/rewrite-tickets.ts";

/** Every column that a page brings: its type and where a row has it. */
export const columns = {
  id: ["bigint", (row) => row.id],
  created_at: ["timestamptz", (row) => instant(row.createdAt)],
  updated_at: ["timestamptz", (row) => instant(row.updatedAt)],
  generated_timestamp: ["bigint", (row) => row.generatedTimestamp],
  solved_at: ["timestamptz", (row) => instant(row.solvedAt)],
  deleted_at: ["timestamptz", (row) => instant(row.deletedAt)],
  organization_id: ["bigint", (row) => row.organizationId],
  requester_id: ["bigint", (row) => row.requesterId],
  assignee_id: ["bigint", (row) => row.assigneeId],
  group_id: ["bigint", (row) => row.groupId],
  custom_status_id: ["bigint", (row) => row.customStatusId],
  content_hash: ["bigint", (row) => row.contentHash],
  reopens: ["int", (row) => row.reopens],
  merged: ["boolean", (row) => row.merged],
  priority: ["text", (row) => row.priority],
  status: ["text", (row) => row.status],
  type: ["text", (row) => row.type],
  channel: ["text", (row) => row.channel],
  external_id: ["text", (row) => row.externalId],
  subject: ["text", (row) => row.subject],
  // As array literals: arrays of different lengths go through unnest in no other form.
  tags: ["text", (row) => textArray(row.tags)],
  payload: ["text", (row) => row.payload, "joined"],
  by_id: ["boolean", (row) => row.byId ?? false],
  lacks_metrics: ["boolean", (row) => row.lacksMetrics ?? false],
} satisfies PageColumns<TicketRow>;
const names = Object.keys(columns);
/** Columns of the table that a page brings as they are. */
const brought = names.filter((name) => !["tags", "payload", "by_id", "lacks_metrics"].includes(name));
const stored = [...brought, "tags", "status_category", "fetched_at"] as const;
/** What the answer by id and the export write alike. */
const compared = brought.filter((name) => name !== "content_hash");

/** What `page` says of a column that is stored in `was`, as SQL: a row without its metric set leaves what that has told. */
export function said(column: string): string {
  const isOfMetrics = column === "solved_at" || column === "reopens";
  return isOfMetrics ? `case when page.lacks_metrics then was.${column} else page.${column} end` : `page.${column}`;
}

/** Whether `page` has other words than `was` for the lack of a metric set that was told before, as SQL. */
export const lacksWhatWasTold = "(page.lacks_metrics and was.reopens is not null)";

/**
 * Stores one page of tickets and carries what changed into every count, in one statement, then sums the touched accounts.
 * An older version never replaces a newer one; of two equal versions with different content the one fetched later holds
 * (row 19). Rows that stay the same are neither written nor locked. `ids` are the tickets that were written, `left` the
 * organizations that some of them were in and are no more.
 */
export async function storeTickets(
  trx: Trx,
  scope: Scope,
  rows: TicketRow[],
  now: Date,
  { fetchedAt = now }: { fetchedAt?: Date } = {},
): Promise<PageResult & { left: Departure[] }> {
  const settings = await lockMetricsAtToday(trx, scope.workspaceId, now);
  const page = latestVersions(
    rows,
    (row) => row.id,
    (row) => row.generatedTimestamp,
  );
  const { rows: answers } = await pageStatement(scope, page, settings, fetchedAt).execute(trx);
  const { ids, inserted, deleted, organizations, left } = answers[0] ?? empty;
  await resumAccountsOf(trx, scope, organizations ?? []);
  const scrubbed = page.filter((row) => row.deletedAt !== null && row.subject === scrubbedSubject);
  if (scrubbed.length > 0)
    await forgetComments(
      trx,
      scope,
      scrubbed.map((row) => row.id),
    );
  return {
    read: rows.length,
    inserted,
    updated: (ids?.length ?? 0) - inserted - deleted,
    unchanged: rows.length - (ids?.length ?? 0),
    deleted,
    ids: ids ?? [],
    left: left ?? [],
  };
}

interface Answer {
  ids: string[] | null;
  inserted: number;
  deleted: number;
  organizations: string[] | null;
  left: Departure[] | null;
}

const empty: Answer = { ids: null, inserted: 0, deleted: 0, organizations: null, left: null };

function pageStatement(scope: Scope, page: TicketRow[], settings: MetricSettings, fetchedAt: Date) {
  const { workspaceId: ws, connectionId: connection } = scope;
  return sql<Answer>`
    with page as materialized (select * from ${pageTable(columns, page)}),
    -- What is to be written, beside what it replaces: rows that are old or the same are gone before the upsert.
    fresh as materialized (
      select ${sql.raw(names.map((name) => `${said(name)} as ${name}`).join(", "))},
             ${statusCategory("page", scope)} as status_category, was.id is null as is_new,
             was.organization_id as was_organization_id, was.created_at as was_created_at, was.rated_at as was_rated_at,
             was.deleted_at as was_deleted_at, was.priority as was_priority, was.status_category as was_status_category,
             was.rating as was_rating, was.merged as was_merged
        from page
        left join ticket was on was.workspace_id = ${ws}::int and was.connection_id = ${connection}::int and was.id = page.id
       where was.id is null or page.generated_timestamp > was.generated_timestamp
          or (page.generated_timestamp = was.generated_timestamp and page.content_hash <> was.content_hash
              and ${isAskedNoSooner(fetchedAt)}
              -- By id, or without its metric set, the same ticket is written in other words: they alone are no change.
              and (not (page.by_id or ${sql.raw(lacksWhatWasTold)})
                   or (${sql.raw(compared.map(said).join(", "))}, page.tags::text[]) is distinct from (${columnList(compared, "was")}, was.tags)))),
    -- Ratings that came before their ticket.
    early_rating as materialized (${effectiveRatings(scope, sql`array(select id from fresh where is_new)`)}),
    written as (
      insert into ticket (workspace_id, connection_id, ${columnList(stored)}, rating, rated_at)
      select ${ws}::int, ${connection}::int, ${columnList(brought, "fresh")}, fresh.tags::text[], fresh.status_category,
             ${instant(fetchedAt)}::timestamptz, early_rating.rating, early_rating.rated_at
        from fresh left join early_rating on early_rating.ticket_id = fresh.id
      on conflict (workspace_id, connection_id, id) do update
         set ${overwritten(stored)}),
    written_payload as (
      insert into ticket_payload (workspace_id, connection_id, id, payload)
      select ${ws}::int, ${connection}::int, id, payload from fresh
      on conflict (workspace_id, connection_id, id) do update set payload = excluded.payload),
    delta as (
      select fresh.organization_id, fresh.created_at, coalesce(fresh.was_rated_at, early_rating.rated_at) as rated_at,
             fresh.deleted_at, fresh.priority, fresh.status_category, coalesce(fresh.was_rating, early_rating.rating) as rating,
             fresh.merged, 1 as sign
        from fresh left join early_rating on early_rating.ticket_id = fresh.id
      union all
      select was_organization_id, was_created_at, was_rated_at, was_deleted_at, was_priority, was_status_category,
             was_rating, was_merged, -1
        from fresh where not is_new),
    ${applyDeltas(settings, connection)}
    select (select array_agg(id) from fresh) as ids,
           (select count(*)::int from fresh where is_new) as inserted,
           (select count(*)::int from fresh where not is_new and deleted_at is not null and was_deleted_at is null) as deleted,
           (select array_agg(organization_id) from changed_organization) as organizations,
           (select json_agg(json_build_object('organizationId', was_organization_id::text, 'to', organization_id::text))
              from fresh where was_organization_id is distinct from organization_id and was_organization_id is not null) as left`;
}

/**
 * Marks tickets as gone for good: a confirmed 404 (row 30). They count nowhere any more, and what they said is forgotten
 * (row 26): subject, tags, payload and rating comments, and whatever of them was held. Should Zendesk show one again, it comes
 * back whole.
 */
export async function tombstoneTickets(trx: Trx, scope: Scope, ids: readonly string[], now: Date): Promise<PageResult> {
  const settings = await lockMetricsAtToday(trx, scope.workspaceId, now);
  const at = sql`${now.toISOString()}::timestamptz`;
  const gone = await rewriteTickets(trx, scope, settings, {
    chosen: sql`was.id = any(${ids}::bigint[]) and (was.deleted_at is null or was.content_hash <> 0)`,
    // A content hash that no row has: the same version, fetched again, differs and is stored.
    set: sql`deleted_at = coalesce(ticket.deleted_at, ${at}), content_hash = 0, subject = null, external_id = null, tags = null`,
    becomes: { deleted_at: sql`coalesce(deleted_at, ${at})` },
  });
  const mine = sql`workspace_id = ${scope.workspaceId}::int and connection_id = ${scope.connectionId}::int`;
  await sql`delete from ticket_payload where ${mine} and id = any(${gone}::bigint[])`.execute(trx);
  await forgetComments(trx, scope, gone);
  const released = await releaseRows(trx, scope, "tickets", ids);
  if (released.length > 0) await weighHeldRows(trx, scope, "tickets", now);
  const unchanged = ids.length - gone.length;
  return { read: ids.length, inserted: 0, updated: 0, unchanged, deleted: gone.length, ids: gone };
}

/** Works out again which status category tickets with unknown or custom statuses have; answers the tickets that changed. */
export async function rederiveStatusCategories(trx: Trx, scope: Scope, now: Date): Promise<{ ids: string[] }> {
  const settings = await lockMetricsAtToday(trx, scope.workspaceId, now);
  const category = statusCategory("was", scope);
  const ids = await rewriteTickets(trx, scope, settings, {
    chosen: sql`(was.status is null or was.status not in (${knownStatuses})) and was.status_category is distinct from ${category}`,
    set: sql`status_category = chosen.new_category`,
    extra: sql`, ${category} as new_category`,
    becomes: { status_category: sql`new_category` },
  });
  return { ids };
}

const knownStatuses = sql.raw(`'new', 'open', 'pending', 'hold', 'solved', 'closed'`);

/** A known status is its own category; any other has that of its custom status, or none (row 51). */
function statusCategory(ticket: string, scope: Scope): Sql {
  const t = sql.raw(ticket);
  return sql`case when ${t}.status in (${knownStatuses}) then ${t}.status else (
    select category from custom_status where workspace_id = ${scope.workspaceId}::int
       and connection_id = ${scope.connectionId}::int and custom_status.id = ${t}.custom_status_id) end`;
}
