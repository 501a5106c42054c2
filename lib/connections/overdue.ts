import type { Db } from "#db/client.ts";
import { type LiveRun, readLiveRuns } from "#lib/connections/store/live-runs.ts";
import { instantWords } from "#lib/time-words.ts";

export type { LiveRun } from "#lib/connections/store/live-runs.ts";

/** The live runs of a workspace, by connection. */
export async function liveRuns(db: Db, workspaceId: number): Promise<Map<number, LiveRun>> {
  return new Map((await readLiveRuns(db, workspaceId)).map((run) => [run.connectionId, run]));
}

/** Whether a run goes on: somebody executes it, or it waits as long as it was told to. Pure. */
export function isUnderWay({ state, isHeld, waitingUntil }: LiveRun, now: Date): boolean {
  return state === "running" ? isHeld : state === "waiting" && waitingUntil !== null && waitingUntil > now;
}

/**
 * Since when nobody has done what was due (row 122); null where nothing is due, and where a run goes on, however long: the next
 * one is planned at its end. One that was begun and left counts from when anything of it was last read; one that nobody has
 * begun does not count. Pure.
 */
export function overdueSince(nextSyncAt: Date | null, run: LiveRun | null, now: Date): Date | null {
  if (nextSyncAt === null || nextSyncAt > now || (run && isUnderWay(run, now))) return null;
  const moved = run && run.state !== "queued" ? [run.waitingUntil, run.movedAt] : [];
  return new Date(Math.max(nextSyncAt.getTime(), ...moved.map((at) => at?.getTime() ?? 0)));
}

/** How the live run of a connection stands. Pure. */
export function runWords(run: LiveRun, now: Date): string {
  const { state, requestedAt, startedAt, waitingUntil } = run;
  if (state === "queued") return `A run was asked for ${instantWords(requestedAt)} and has not begun.`;
  const begun = instantWords(startedAt ?? requestedAt);
  if (isUnderWay(run, now)) {
    return state === "running"
      ? `A run goes on since ${begun}.`
      : `A run that began ${begun} waits until ${instantWords(waitingUntil ?? now)}.`;
  }
  return `A run that began ${begun} stands still, and nobody goes on with it.`;
}
