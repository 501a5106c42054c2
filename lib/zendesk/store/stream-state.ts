import type { Selectable, Updateable } from "kysely";
import type { Trx } from "#db/client.ts";
import type { StreamStateTable } from "#db/schema.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** Separate readings of one stream, each with a place of its own (row 20). */
export type Purpose = "incremental" | "reconcile" | "full" | "backfill";
export type StreamState = Selectable<StreamStateTable>;
type Change = Omit<
  Updateable<StreamStateTable>,
  "workspace_id" | "connection_id" | "stream" | "purpose" | "updated_at"
>;

export function readStreamState(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
  purpose: Purpose,
): Promise<StreamState | undefined> {
  return trx
    .selectFrom("stream_state")
    .selectAll()
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("stream", "=", stream)
    .where("purpose", "=", purpose)
    .executeTakeFirst();
}

export async function saveStreamState(
  trx: Trx,
  scope: Scope,
  stream: StreamName,
  purpose: Purpose,
  change: Change,
  now: Date,
): Promise<void> {
  const key = { workspace_id: scope.workspaceId, connection_id: scope.connectionId, stream, purpose };
  await trx
    .insertInto("stream_state")
    .values({ ...key, ...change, updated_at: now })
    .onConflict((conflict) =>
      conflict
        .columns(["workspace_id", "connection_id", "stream", "purpose"])
        .doUpdateSet({ ...change, updated_at: now }),
    )
    .execute();
}
