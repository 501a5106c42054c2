import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { lockMetrics } from "#lib/metrics/store.ts";
import { weighHeldRows } from "#lib/zendesk/held-doubt.ts";
import type { UserRow } from "#lib/zendesk/row-types.ts";
import type { PageResult, Scope } from "#lib/zendesk/scope.ts";
import type { Departure } from "#lib/zendesk/store/departures.ts";
import { releaseRows } from "#lib/zendesk/store/held-rows.ts";
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
): Promise<PageResult & { left: Departure[] }> {
  const was = sql`case when was.organization_id is distinct from page.organization_id then was.organization_id end`;
  await lockMetrics(trx, scope.workspaceId);
  const result = await storeVersioned(trx, scope, table, rows, { also: was, fetchedAt });
  const now = new Map(rows.map((row) => [row.id, row.organizationId]));
  const left = result.replaced.flatMap(({ id, was }) =>
    was ? [{ organizationId: was, to: now.get(id) ?? null }] : [],
  );
  return { ...result, left };
}

/**
 * Marks users as gone for good: a confirmed 404 (row 30). Who they were is forgotten (row 26), held rows of them too; tickets
 * go on naming their ids (row 29). Should Zendesk show one again, it comes back whole. Gives how many were not gone before.
 */
export async function tombstoneUsers(trx: Trx, scope: Scope, ids: readonly string[], now: Date): Promise<number> {
  await lockMetrics(trx, scope.workspaceId);
  const { numUpdatedRows } = await trx
    .updateTable("zendesk_user")
    // A content hash that no row has: the same version, fetched again, differs and is stored.
    .set({ deleted_at: now, active: false, name: null, email: null, external_id: null, content_hash: "0" })
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("id", "in", [...ids])
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  const released = await releaseRows(trx, scope, "users", ids);
  if (released.length > 0) await weighHeldRows(trx, scope, "users", now);
  return Number(numUpdatedRows);
}
