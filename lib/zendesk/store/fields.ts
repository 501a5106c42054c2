import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { CustomStatusRow, FieldRow } from "#lib/zendesk/row-types.ts";
import type { PageResult, Scope } from "#lib/zendesk/scope.ts";
import { instant } from "#lib/zendesk/store/page.ts";
import { rederiveStatusCategories } from "#lib/zendesk/store/tickets.ts";
import { storeVersioned, type VersionedTable } from "#lib/zendesk/store/versioned.ts";

export const fields: VersionedTable<FieldRow> = {
  name: "field_definition",
  keys: ["subject", "id"],
  keyOf: (row) => `${row.subject} ${row.id}`,
  columns: {
    subject: ["text", (row) => row.subject],
    id: ["bigint", (row) => row.id],
    key: ["text", (row) => row.key],
    title: ["text", (row) => row.title],
    type: ["text", (row) => row.type],
    active: ["boolean", (row) => row.active],
    updated_at: ["timestamptz", (row) => instant(row.updatedAt)],
    deleted_at: ["timestamptz", () => null],
    content_hash: ["bigint", (row) => row.contentHash],
  },
};

export const customStatuses: VersionedTable<CustomStatusRow> = {
  name: "custom_status",
  keys: ["id"],
  keyOf: (row) => row.id,
  columns: {
    id: ["bigint", (row) => row.id],
    category: ["text", (row) => row.category],
    label: ["text", (row) => row.label],
    active: ["boolean", (row) => row.active],
    updated_at: ["timestamptz", (row) => instant(row.updatedAt)],
    content_hash: ["bigint", (row) => row.contentHash],
  },
};

function storeFields(trx: Trx, scope: Scope, rows: FieldRow[]): Promise<PageResult> {
  return storeVersioned(trx, scope, fields, rows);
}

function storeCustomStatuses(trx: Trx, scope: Scope, rows: CustomStatusRow[]): Promise<PageResult> {
  return storeVersioned(trx, scope, customStatuses, rows);
}

/** One of the lists of definitions. `ids`: tickets whose status means something else now. */
export async function storeFieldPart(
  trx: Trx,
  scope: Scope,
  rows: unknown[],
  now: Date,
  part: string,
): Promise<PageResult> {
  if (part !== "custom_statuses") return { ...(await storeFields(trx, scope, rows as FieldRow[])), ids: [] };
  const result = await storeCustomStatuses(trx, scope, rows as CustomStatusRow[]);
  if (result.ids.length === 0) return result;
  const { ids } = await rederiveStatusCategories(trx, scope, now);
  return { ...result, ids };
}

/** A definition is believed to be gone when it is still not shown so long after it first was not (rows 30, 63). Milliseconds. */
const believedAfter = 24 * 3_600_000;

/**
 * Notes which definitions a whole list of theirs does not show, and marks as deleted those that none has shown for a day (row
 * 56): they are offered no more, their values stay. Shown again, they come back. Custom statuses cannot be deleted in Zendesk.
 * Gives how many were marked.
 */
export async function retireFields(
  trx: Trx,
  scope: Scope,
  part: string,
  shown: readonly string[],
  now: Date,
): Promise<number> {
  const subject = /^(\w+)_fields$/.exec(part)?.[1];
  if (subject === undefined) return 0;
  const at = sql`${instant(now)}::timestamptz`;
  const dayAgo = sql`${instant(new Date(now.getTime() - believedAfter))}::timestamptz`;
  const isAbsent = sql`id <> all(${[...shown]}::bigint[])`;
  const living = sql`workspace_id = ${scope.workspaceId}::int and connection_id = ${scope.connectionId}::int
    and subject = ${subject} and deleted_at is null`;
  await sql`
    update field_definition set absent_since = case when ${isAbsent} then ${at} end
     where ${living} and (absent_since is null) = (${isAbsent})`.execute(trx);
  const { rows } = await sql`
    update field_definition
       -- A content hash that no row has: shown again in the same version, it differs and is stored.
       set deleted_at = ${at}, active = false, absent_since = null, content_hash = 0
     where ${living} and absent_since <= ${dayAgo}
    returning 1`.execute(trx);
  return rows.length;
}

/** The kinds of definitions of which Zendesk lists nothing at all, though some are stored. */
export async function absentFields(trx: Trx, scope: Scope): Promise<string[]> {
  const { rows } = await sql<{ subject: string }>`
    select subject from field_definition
     where workspace_id = ${scope.workspaceId}::int and connection_id = ${scope.connectionId}::int
       and deleted_at is null
     group by subject having bool_and(absent_since is not null)
     order by 1`.execute(trx);
  return rows.map(({ subject }) => subject);
}
