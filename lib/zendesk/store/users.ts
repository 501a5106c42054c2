import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { lockMetrics } from "#lib/metrics/store.ts";
import type { UserRow } from "#lib/zendesk/row-types.ts";
import type { PageResult, Scope } from "#lib/zendesk/scope.ts";
import { instant } from "#lib/zendesk/store/page.ts";
import { storeVersioned, type VersionedTable } from "#lib/zendesk/store/versioned.ts";

export const table: VersionedTable<UserRow> = {
  name: "zendesk_user",
  keys: ["id"],
  keyOf: (row) => row.id,
  columns: {
    id: ["bigint", (row) => row.id],
    name: ["text", (row) => row.name],
    email: ["text", (row) => row.email],
    role: ["text", (row) => row.role],
    organization_id: ["bigint", (row) => row.organizationId],
    external_id: ["text", (row) => row.externalId],
    active: ["boolean", (row) => row.active],
    suspended: ["boolean", (row) => row.suspended],
    created_at: ["timestamptz", (row) => instant(row.createdAt)],
    updated_at: ["timestamptz", (row) => instant(row.updatedAt)],
    deleted_at: ["timestamptz", (row) => instant(row.deletedAt)],
    content_hash: ["bigint", (row) => row.contentHash],
  },
};

/**
 * Under the workspace's lock, since runs and deliveries store users at the same time. `left`: organizations that a user of this page was in and is
 * no more.
 */
export async function storeUsers(
  trx: Trx,
  scope: Scope,
  rows: UserRow[],
  fetchedAt: Date,
): Promise<PageResult & { left: { organizationId: string; to: string | null }[] }> {
  const was = sql`case when was.organization_id is distinct from page.organization_id then was.organization_id end`;
  await lockMetrics(trx, scope.workspaceId);
  const result = await storeVersioned(trx, scope, table, rows, { also: was, fetchedAt });
  const now = new Map(rows.map((row) => [row.id, row.organizationId]));
  const left = result.replaced.flatMap(({ id, was }) =>
    was ? [{ organizationId: was, to: now.get(id) ?? null }] : [],
  );
  return { ...result, left };
}
