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
