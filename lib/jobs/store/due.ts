import type { Db, Trx } from "#db/client.ts";
import type { SyncMode } from "#lib/connections/shapes.ts";
import { activeStates, liveStates } from "#lib/jobs/store/runs.ts";

/** The directory of workspaces: the jobs work for all of them, one after the other. */
export async function listWorkspaces(db: Db): Promise<{ id: number }[]> {
  return db.selectFrom("workspace").select("id").orderBy("id").execute();
}

/** Connections whose regular sync (or nightly check) is due; with `force`, every active one; with `only`, at most that one. */
export async function findDue(
  trx: Trx,
  workspaceId: number,
  which: { what: "sync" | "reconcile"; force: boolean; only?: number },
  now: Date,
): Promise<number[]> {
  let query = trx
    .selectFrom("connection")
    .select("id")
    .where("workspace_id", "=", workspaceId)
    .where("state", "in", activeStates);
  if (which.only !== undefined) query = query.where("id", "=", which.only);
  if (!which.force) {
    const column = which.what === "sync" ? "next_sync_at" : "next_reconcile_at";
    query = query.where((eb) => eb.or([eb(column, "<=", now), eb(column, "is", null)]));
  }
  const rows = await query.orderBy("next_sync_at").orderBy("id").execute();
  return rows.map((row) => row.id);
}

/** Connections with a live run that may go on, beside those that are due. */
export async function findLive(
  trx: Trx,
  workspaceId: number,
): Promise<{ connectionId: number; runId: string; mode: SyncMode }[]> {
  const rows = await trx
    .selectFrom("sync_run as r")
    .innerJoin("connection as c", (join) =>
      join.onRef("c.workspace_id", "=", "r.workspace_id").onRef("c.id", "=", "r.connection_id"),
    )
    .select(["r.connection_id as connectionId", "r.id as runId", "r.mode"])
    .where("r.workspace_id", "=", workspaceId)
    .where("c.workspace_id", "=", workspaceId)
    .where("c.state", "in", activeStates)
    .where("r.state", "in", liveStates)
    .orderBy("r.requested_at")
    .execute();
  return rows.map((row) => ({ ...row, mode: row.mode as SyncMode }));
}
