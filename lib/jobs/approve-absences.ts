import { type Db, inWorkspace } from "#db/client.ts";
import { holdReadable } from "#lib/connections/readable.ts";
import { AppError } from "#lib/errors.ts";
import { reapWorkspace, type Watcher } from "#lib/jobs/reap.ts";
import { requestRun } from "#lib/jobs/request.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { type AbsentStream, countAbsences, saveApproval } from "#lib/zendesk/store/absence.ts";

/**
 * Takes a person's word that up to `ceiling` held rows of a stream may be gone (row 30), and asks for a nightly check, or
 * leaves it to the run that lives: any run acts on it. Gives that run's id. Throws `conflict` where nothing waits for a word.
 */
export async function approveAbsences(
  db: Db,
  watcher: Watcher,
  scope: Scope,
  word: { stream: AbsentStream; ceiling: number; approvedBy: string },
  now: Date,
): Promise<string> {
  await reapWorkspace(db, scope.workspaceId, watcher, now);
  const { runId } = await inWorkspace(db, scope.workspaceId, async (trx) => {
    await holdReadable(trx, scope);
    const { held } = await countAbsences(trx, scope, word.stream);
    if (held === 0) throw new AppError("conflict", `No absent ${word.stream} wait for a decision.`);
    await saveApproval(trx, scope, word.stream, word, now);
    return requestRun(trx, scope, { mode: "reconcile", trigger: "person" }, now);
  });
  return runId;
}
