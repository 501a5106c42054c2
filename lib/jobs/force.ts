import { type Db, inWorkspace } from "#db/client.ts";
import { holdReadable } from "#lib/connections/readable.ts";
import type { SyncMode } from "#lib/connections/shapes.ts";
import { reapWorkspace, type Watcher } from "#lib/jobs/reap.ts";
import { requestRun } from "#lib/jobs/request.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/**
 * A run that a person asks for (T-37); while one lives, that one. Also of a paused connection: asking says that it may be
 * read now, and the pause goes on afterwards. Throws `conflict` for one that is disconnected.
 */
export async function forceSync(db: Db, watcher: Watcher, scope: Scope, mode: SyncMode, now: Date): Promise<string> {
  await reapWorkspace(db, scope.workspaceId, watcher, now);
  const { runId } = await inWorkspace(db, scope.workspaceId, async (trx) => {
    await holdReadable(trx, scope);
    return requestRun(trx, scope, { mode, trigger: "person" }, now);
  });
  return runId;
}
