import type { Trx } from "#db/client.ts";
import type { GroupRow } from "#lib/zendesk/row-types.ts";
import type { PageResult, Scope } from "#lib/zendesk/scope.ts";
import { instant } from "#lib/zendesk/store/page.ts";
import { storeVersioned, type VersionedTable } from "#lib/zendesk/store/versioned.ts";

export const table: VersionedTable<GroupRow> = {
  name: "zendesk_group",
  keys: ["id"],
  keyOf: (row) => row.id,
  columns: {
    id: ["bigint", (row) => row.id],
    name: ["text", (row) => row.name],
    updated_at: ["timestamptz", (row) => instant(row.updatedAt)],
    deleted_at: ["timestamptz", (row) => instant(row.deletedAt)],
    content_hash: ["bigint", (row) => row.contentHash],
  },
};

export function storeGroups(trx: Trx, scope: Scope, rows: GroupRow[]): Promise<PageResult> {
  return storeVersioned(trx, scope, table, rows);
}
