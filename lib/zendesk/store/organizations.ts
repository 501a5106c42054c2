import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { rematch } from "#lib/matching/run.ts";
import { columnList } from "#lib/metrics/counts.ts";
import { lockMetricsAtToday, resumAccounts } from "#lib/metrics/store.ts";
import { weighHeldRows } from "#lib/zendesk/held-doubt.ts";
import type { OrganizationRow } from "#lib/zendesk/row-types.ts";
import type { PageResult, Scope } from "#lib/zendesk/scope.ts";
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

export const columns = {
  id: ["bigint", (row) => row.id],
  name: ["text", (row) => row.name],
  external_id: ["text", (row) => row.externalId],
  domain_names: ["text", (row) => textArray(row.domainNames)],
  group_id: ["bigint", (row) => row.groupId],
  created_at: ["timestamptz", (row) => instant(row.createdAt)],
  updated_at: ["timestamptz", (row) => instant(row.updatedAt)],
  deleted_at: ["timestamptz", (row) => instant(row.deletedAt)],
  content_hash: ["bigint", (row) => row.contentHash],
} satisfies PageColumns<OrganizationRow>;
const names = Object.keys(columns);

/**
 * Stores organizations with their custom field values, matches those that changed again and sums the accounts that they
 * left or joined. A name is only one possible key: a rename asks every key anew (row 43). `ids` are those that were written.
 */
export async function storeOrganizations(
  trx: Trx,
  scope: Scope,
  rows: OrganizationRow[],
  now: Date,
  fetchedAt = now,
): Promise<PageResult> {
  await lockMetricsAtToday(trx, scope.workspaceId, now);
  const page = latestVersions(
    rows,
    (row) => row.id,
    (row) => row.updatedAt?.getTime() ?? Number.NEGATIVE_INFINITY,
  );
  const { ids, inserted, deleted, accounts } = await upsertOrganizations(trx, scope, page, fetchedAt);
  await storeFieldValues(trx, scope, page, ids);
  await sumLeftAccounts(trx, scope, accounts);
  if (ids.length > 0) await rematch(trx, scope, ids);
  return {
    read: rows.length,
    inserted,
    updated: ids.length - inserted - deleted,
    unchanged: rows.length - ids.length,
    deleted,
    ids,
  };
}

/**
 * Marks organizations as gone: deleted, or merged into the one that `mergedInto` names for them (row 40). They belong to no
 * account any more, tickets that still name them count for none, and nothing of them stays held. Shown by Zendesk again, they
 * come back.
 */
export async function tombstoneOrganizations(
  trx: Trx,
  scope: Scope,
  ids: readonly string[],
  now: Date,
  mergedInto: ReadonlyMap<string, string> = new Map(),
): Promise<PageResult> {
  await lockMetricsAtToday(trx, scope.workspaceId, now);
  const { rows } = await sql<{ id: string; account_id: string | null }>`
    with gone as materialized (
      select o.id, o.account_id, named.merged_into
        from unnest(${ids}::bigint[], ${ids.map((id) => mergedInto.get(id) ?? null)}::bigint[]) as named(id, merged_into)
        join organization o on o.workspace_id = ${scope.workspaceId}::int and o.connection_id = ${scope.connectionId}::int
                           and o.id = named.id and o.deleted_at is null),
    written as (
      update organization o
         set deleted_at = ${now.toISOString()}::timestamptz, merged_into = gone.merged_into, content_hash = 0, ${unmatched}
        from gone
       where o.workspace_id = ${scope.workspaceId}::int and o.connection_id = ${scope.connectionId}::int and o.id = gone.id)
    select id, account_id from gone`.execute(trx);
  await sumLeftAccounts(
    trx,
    scope,
    rows.flatMap((row) => row.account_id ?? []),
  );
  const released = await releaseRows(trx, scope, "organizations", ids);
  if (released.length > 0) await weighHeldRows(trx, scope, "organizations", now);
  const unchanged = ids.length - rows.length;
  const gone = rows.map((row) => row.id);
  return { read: ids.length, inserted: 0, updated: 0, unchanged, deleted: rows.length, ids: gone };
}

const unmatched = sql.raw(
  "account_id = null, match_state = 'unmatched', match_key_index = null, match_candidates = null",
);

async function upsertOrganizations(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  page: OrganizationRow[],
  fetchedAt: Date,
) {
  const asked = sql`${instant(fetchedAt)}::timestamptz`;
  const { rows } = await sql<{
    ids: string[] | null;
    inserted: number;
    deleted: number;
    accounts: string[] | null;
  }>`
    with page as materialized (
      select * from ${pageTable(columns, page)}),
    fresh as materialized (
      select page.*, was.id is null as is_new, was.deleted_at as was_deleted_at, was.account_id as was_account_id
        from page
        left join organization was on was.workspace_id = ${workspaceId}::int and was.connection_id = ${connectionId}::int
                                  and was.id = page.id
       where was.id is null
          or coalesce(page.updated_at, '-infinity') > coalesce(was.updated_at, '-infinity')
          or (page.updated_at is not distinct from was.updated_at and page.content_hash <> was.content_hash
              and ${isAskedNoSooner(fetchedAt)})),
    written as (
      insert into organization (workspace_id, connection_id, ${columnList(names)}, fetched_at)
      select ${workspaceId}::int, ${connectionId}::int, ${sql.raw(
        names.map((name) => (name === "domain_names" ? "domain_names::text[]" : name)).join(", "),
      )}, ${asked} from fresh
      on conflict (workspace_id, connection_id, id) do update set ${overwritten([...names, "fetched_at"])}, merged_into = null)
    select (select array_agg(id) from fresh) as ids,
           (select count(*)::int from fresh where is_new) as inserted,
           (select count(*)::int from fresh where not is_new and deleted_at is not null and was_deleted_at is null) as deleted,
           (select array_agg(was_account_id) from fresh
             where deleted_at is not null and was_account_id is not null) as accounts`.execute(trx);
  const row = rows[0];
  const ids = row?.ids ?? [];
  await sql`update organization set ${unmatched}
             where workspace_id = ${workspaceId}::int and connection_id = ${connectionId}::int
               and id = any(${ids}::bigint[]) and deleted_at is not null`.execute(trx);
  return { ids, inserted: row?.inserted ?? 0, deleted: row?.deleted ?? 0, accounts: row?.accounts ?? [] };
}

/** Custom field values of the changed organizations become those of the page, in both directions. */
async function storeFieldValues(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  page: OrganizationRow[],
  changed: readonly string[],
): Promise<void> {
  const written = new Set(changed);
  // Keys that became equal when they were cleaned: the last one holds.
  const values = page
    .filter((row) => written.has(row.id))
    .flatMap((row) => [...new Map(row.fields)].map(([key, value]) => ({ id: row.id, key, value })));
  const brought = sql`unnest(${values.map((v) => v.id)}::bigint[], ${values.map((v) => v.key)}::text[],
    ${values.map((v) => v.value)}::text[]) as brought(organization_id, key, value)`;
  await sql`
    delete from organization_field_value kept
     where kept.workspace_id = ${workspaceId}::int and kept.connection_id = ${connectionId}::int
       and kept.organization_id = any(${changed}::bigint[])
       and (kept.organization_id, kept.key) not in (select organization_id, key from ${brought})`.execute(trx);
  await sql`
    insert into organization_field_value as kept (workspace_id, connection_id, organization_id, key, value)
    select ${workspaceId}::int, ${connectionId}::int, brought.organization_id, brought.key, brought.value from ${brought}
      left join organization_field_value was on was.workspace_id = ${workspaceId}::int
            and was.connection_id = ${connectionId}::int and was.organization_id = brought.organization_id
            and was.key = brought.key
     where was.value is distinct from brought.value
    on conflict (workspace_id, connection_id, organization_id, key) do update set value = excluded.value`.execute(trx);
}

async function sumLeftAccounts(trx: Trx, scope: Scope, accounts: readonly string[]): Promise<void> {
  if (accounts.length > 0) await resumAccounts(trx, scope.workspaceId, sql`(select unnest(${accounts}::bigint[]))`);
}
