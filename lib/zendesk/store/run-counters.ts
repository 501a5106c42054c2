import { type Insertable, sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { SyncRunStreamTable } from "#db/schema.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

export interface PageCounts {
  pages: number;
  read: number;
  inserted: number;
  updated: number;
  unchanged: number;
  deleted: number;
  repaired: number;
  held: number;
  /** Texts that had to be cleaned before they could be stored (row 53). */
  cleaned: number;
  /** Places that Zendesk refused: the reading began again (row 15). */
  restarts: number;
  /** Requests sent since the last count. */
  requests: number;
}
export const noCounts: PageCounts = {
  pages: 0,
  read: 0,
  inserted: 0,
  updated: 0,
  unchanged: 0,
  deleted: 0,
  repaired: 0,
  held: 0,
  cleaned: 0,
  restarts: 0,
  requests: 0,
};

/**
 * Adds what a page, or an answer by id, did to the run's account of the stream. How the stream stands is not changed by it: one
 * that is caught up stays so while its past is compared.
 */
export async function addCounts(
  trx: Trx,
  scope: Scope,
  runId: string,
  stream: StreamName,
  counts: PageCounts,
): Promise<void> {
  await sql`
    insert into sync_run_stream as stored
      (workspace_id, connection_id, run_id, stream, state, pages, rows_read, inserted, updated, unchanged, deleted, repaired, held,
       cleaned, restarts)
    values (${scope.workspaceId}, ${scope.connectionId}, ${runId}, ${stream}, 'running', ${counts.pages}, ${counts.read},
      ${counts.inserted}, ${counts.updated}, ${counts.unchanged}, ${counts.deleted}, ${counts.repaired}, ${counts.held},
      ${counts.cleaned}, ${counts.restarts})
    on conflict (workspace_id, connection_id, run_id, stream) do update set
      pages = stored.pages + excluded.pages, rows_read = stored.rows_read + excluded.rows_read,
      inserted = stored.inserted + excluded.inserted, updated = stored.updated + excluded.updated,
      unchanged = stored.unchanged + excluded.unchanged, deleted = stored.deleted + excluded.deleted,
      repaired = stored.repaired + excluded.repaired, held = stored.held + excluded.held,
      cleaned = stored.cleaned + excluded.cleaned, restarts = stored.restarts + excluded.restarts`.execute(trx);
  await addRequests(trx, scope, runId, counts.requests);
}

export async function addRequests(trx: Trx, scope: Scope, runId: string, requests: number): Promise<void> {
  if (requests === 0) return;
  await trx
    .updateTable("sync_run")
    .set({ requests: sql`requests + ${requests}` })
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("id", "=", runId)
    .execute();
}

/**
 * Rows that came outside of any run: under run 0, which no run ever is, since what is stored of a stream is shown as the sum
 * of what its runs inserted.
 */
export async function countInserted(trx: Trx, scope: Scope, stream: StreamName, inserted: number): Promise<void> {
  if (inserted === 0) return;
  await sql`
    insert into sync_run_stream as stored (workspace_id, connection_id, run_id, stream, state, inserted)
    values (${scope.workspaceId}, ${scope.connectionId}, 0, ${stream}, 'ok', ${inserted})
    on conflict (workspace_id, connection_id, run_id, stream)
    do update set inserted = stored.inserted + excluded.inserted`.execute(trx);
}

export async function setRunStream(
  trx: Trx,
  scope: Scope,
  runId: string,
  stream: StreamName,
  change: Pick<Insertable<SyncRunStreamTable>, "state" | "failure_code" | "failure_message">,
): Promise<void> {
  const key = { workspace_id: scope.workspaceId, connection_id: scope.connectionId, run_id: runId, stream };
  await trx
    .insertInto("sync_run_stream")
    .values({ ...key, ...change })
    .onConflict((conflict) =>
      conflict.columns(["workspace_id", "connection_id", "run_id", "stream"]).doUpdateSet(change),
    )
    .execute();
}

/** How the run's streams stand so far, with the words of those that failed. */
export async function readRunStreams(trx: Trx, scope: Scope, runId: string) {
  const rows = await trx
    .selectFrom("sync_run_stream as run")
    .leftJoin("stream_state as now", (join) =>
      join
        .onRef("now.workspace_id", "=", "run.workspace_id")
        .onRef("now.connection_id", "=", "run.connection_id")
        .onRef("now.stream", "=", "run.stream")
        .on("now.purpose", "=", "incremental"),
    )
    .select([
      "run.stream",
      "run.state",
      "run.failure_code as code",
      "run.failure_message as message",
      "now.failure_action as action",
    ])
    .where("run.workspace_id", "=", scope.workspaceId)
    .where("run.connection_id", "=", scope.connectionId)
    .where("run.run_id", "=", runId)
    .execute();
  return new Map(rows.map((row) => [row.stream, row]));
}

export async function readRunState(trx: Trx, scope: Scope, runId: string): Promise<string | null> {
  const row = await trx
    .selectFrom("sync_run")
    .select("state")
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("id", "=", runId)
    .executeTakeFirst();
  return row?.state ?? null;
}
