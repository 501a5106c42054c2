import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { columnList, type Sql } from "#lib/metrics/counts.ts";
import type { PageResult, Scope } from "#lib/zendesk/scope.ts";
import {
  instant,
  isAskedNoSooner,
  latestVersions,
  overwritten,
  type PageColumns,
  pageTable,
} from "#lib/zendesk/store/page.ts";

/** A table of rows whose version is `updated_at`, or, where they have none, whatever was read last. */
export interface VersionedTable<Row> {
  name: string;
  /** Beside workspace and connection. */
  keys: readonly string[];
  keyOf: (row: Row) => string;
  columns: PageColumns<Row>;
}

interface Options {
  /** Picks a value of the replaced row for each written one. */
  also?: Sql;
  /** For a table that keeps when its rows were asked for: they come not only from the runs, which take turns. */
  fetchedAt?: Date;
}

interface Versioned {
  updatedAt: Date | null;
  contentHash: string;
}

/**
 * Stores a page: never an older version over a newer one; of equal versions with different content the one asked for
 * later holds (row 19). Rows that stay the same are not touched.
 */
export async function storeVersioned<Row extends Versioned>(
  trx: Trx,
  scope: Scope,
  table: VersionedTable<Row>,
  rows: readonly Row[],
  { also = sql`null::text`, fetchedAt }: Options = {},
): Promise<PageResult & { replaced: { id: string; was: string | null }[] }> {
  const page = latestVersions(rows, table.keyOf, (row) => row.updatedAt?.getTime() ?? 0);
  const names = Object.keys(table.columns);
  const written = fetchedAt ? [...names, "fetched_at"] : names;
  const asked = sql`${instant(fetchedAt ?? null)}::timestamptz`;
  const target = sql.table(table.name);
  const key = sql.raw(table.keys.map((name) => `was.${name} = page.${name}`).join(" and "));
  const { rows: fresh } = await sql<{ id: string; is_new: boolean; is_gone: boolean; was: string | null }>`
    with page as materialized (
      select * from ${pageTable(table.columns, page)}),
    fresh as materialized (
      select page.*, was.content_hash is null as is_new, ${also} as was_value
        from page
        left join ${target} was on was.workspace_id = ${scope.workspaceId}::int
             and was.connection_id = ${scope.connectionId}::int and ${key}
       where was.content_hash is null
          or (coalesce(page.updated_at, was.updated_at, '-infinity') >= coalesce(was.updated_at, '-infinity')
              and page.content_hash <> was.content_hash ${
                fetchedAt ? sql`and (page.updated_at > was.updated_at or ${isAskedNoSooner(fetchedAt)})` : sql``
              })),
    written as (
      insert into ${target} (workspace_id, connection_id, ${columnList(written)})
      select ${scope.workspaceId}::int, ${scope.connectionId}::int, ${columnList(names, "fresh")} ${fetchedAt ? sql`, ${asked}` : sql``}
        from fresh order by ${columnList(table.keys, "fresh")}
      on conflict (workspace_id, connection_id, ${columnList(table.keys)}) do update
         set ${overwritten(written, table.keys)})
    select id, is_new, ${"deleted_at" in table.columns ? sql`deleted_at is not null` : sql`false`} as is_gone,
           was_value as was
      from fresh`.execute(trx);
  const inserted = fresh.filter((row) => row.is_new).length;
  const deleted = fresh.filter((row) => !row.is_new && row.is_gone).length;
  return {
    read: rows.length,
    inserted,
    updated: fresh.length - inserted - deleted,
    unchanged: rows.length - fresh.length,
    deleted,
    ids: fresh.map((row) => row.id),
    replaced: fresh.filter((row) => !row.is_new),
  };
}
