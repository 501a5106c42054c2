import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { columnList, type Sql } from "#lib/metrics/counts.ts";
import type { PageResult, Scope } from "#lib/zendesk/scope.ts";
import { latestVersions, overwritten, type PageColumns, pageTable } from "#lib/zendesk/store/page.ts";

/** A table of rows whose version is `updated_at`, or, where they have none, whatever was read last. */
export interface VersionedTable<Row> {
  name: string;
  /** Beside workspace and connection. */
  keys: readonly string[];
  keyOf: (row: Row) => string;
  columns: PageColumns<Row>;
}

interface Versioned {
  updatedAt: Date | null;
  contentHash: string;
}

/**
 * Stores a page: never an older version over a newer one; of equal versions the content hash decides (row 19). Rows that
 * stay the same are not touched. `also` may pick a value of the replaced row for each written one.
 */
export async function storeVersioned<Row extends Versioned>(
  trx: Trx,
  scope: Scope,
  table: VersionedTable<Row>,
  rows: readonly Row[],
  also: Sql = sql`null::text`,
): Promise<PageResult & { replaced: { id: string; was: string | null }[] }> {
  const page = latestVersions(rows, table.keyOf, (row) => row.updatedAt?.getTime() ?? 0);
  const names = Object.keys(table.columns);
  const target = sql.table(table.name);
  const key = sql.raw(table.keys.map((name) => `was.${name} = page.${name}`).join(" and "));
  const { rows: written } = await sql<{ id: string; is_new: boolean; is_gone: boolean; was: string | null }>`
    with page as materialized (
      select * from ${pageTable(table.columns, page)}),
    fresh as materialized (
      select page.*, was.content_hash is null as is_new, ${also} as was_value
        from page
        left join ${target} was on was.workspace_id = ${scope.workspaceId}::int
             and was.connection_id = ${scope.connectionId}::int and ${key}
       where was.content_hash is null
          or (coalesce(page.updated_at, was.updated_at, '-infinity') >= coalesce(was.updated_at, '-infinity')
              and page.content_hash <> was.content_hash)),
    written as (
      insert into ${target} (workspace_id, connection_id, ${columnList(names)})
      select ${scope.workspaceId}::int, ${scope.connectionId}::int, ${columnList(names, "fresh")}
        from fresh order by ${columnList(table.keys, "fresh")}
      on conflict (workspace_id, connection_id, ${columnList(table.keys)}) do update
         set ${overwritten(names, table.keys)})
    select id, is_new, ${"deleted_at" in table.columns ? sql`deleted_at is not null` : sql`false`} as is_gone,
           was_value as was
      from fresh`.execute(trx);
  const inserted = written.filter((row) => row.is_new).length;
  const deleted = written.filter((row) => !row.is_new && row.is_gone).length;
  return {
    read: rows.length,
    inserted,
    updated: written.length - inserted - deleted,
    unchanged: rows.length - written.length,
    deleted,
    ids: written.map((row) => row.id),
    replaced: written.filter((row) => !row.is_new),
  };
}
