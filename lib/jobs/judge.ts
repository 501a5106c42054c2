import type { Logger } from "pino";
import { foreseen } from "#lib/api/failures.ts";
import type { LiveRun, RunFailure } from "#lib/jobs/store/runs.ts";
import { instantWords } from "#lib/time-words.ts";
import { isBehind } from "#lib/zendesk/stream-turn.ts";
import type { RunOutcome } from "#lib/zendesk/sync.ts";

/** Row 7: waiting is bounded by the clock too. The next run goes on from the committed cursors. */
const longestRunMs = 24 * 3_600_000;

/** A stream that is not caught up, without a word why, is asked again after this. */
const soonMs = 60_000;

/** Why a run stops before it is done: its budget or its turn is over, the process ends, the lease is gone. */
export type StopReason = "budget" | "turn" | "shutdown" | "lost";

/** How a run, or one turn of it, ended. */
export interface RunEnd {
  state: "succeeded" | "failed" | "waiting";
  waitingUntil: Date | null;
  failure: RunFailure | null;
  outcome: RunOutcome | null;
}

/**
 * `succeeded` is said only when every stream is caught up; held rows are shown beside it, a stream outside the plan does not
 * count. One that is in doubt since its lists were empty, or were read with lesser rights, is not caught up.
 */
export function judge(outcome: RunOutcome, run: LiveRun, stopped: StopReason | null, now: Date): RunEnd {
  const end = (
    state: RunEnd["state"],
    failure: RunFailure | null = null,
    waitingUntil: Date | null = null,
  ): RunEnd => ({
    state,
    failure,
    waitingUntil,
    outcome,
  });
  if (outcome.connectionFailure) return end("failed", plain(outcome.connectionFailure));
  if (outcome.waitingUntil) {
    // Zendesk's word holds whoever goes on; else a turn that is over goes to the end of the queue, and a budget to whoever calls next.
    const hasToWait = stopped === null || outcome.waitingUntil > now;
    const isLong = run.startedAt !== null && now.getTime() - run.startedAt.getTime() > longestRunMs;
    if (hasToWait && isLong) return end("failed", tooLong(outcome.waitingUntil));
    return end("waiting", null, hasToWait ? outcome.waitingUntil : stopped === "turn" ? now : null);
  }
  const broken = outcome.streams.filter((stream) => stream.state === "failed" || isBehind(run.mode, stream));
  if (broken.length > 0) return end("failed", streamFailure(broken));
  const behind = outcome.streams.filter((stream) => stream.state === "waiting");
  return behind.length > 0 ? end("waiting", null, new Date(now.getTime() + soonMs)) : end("succeeded");
}

const plain = ({ code, message, action }: RunFailure): RunFailure => ({ code, message, action });

function streamFailure(broken: RunOutcome["streams"]): RunFailure {
  const [first] = broken;
  const names = broken.map((stream) => stream.name).join(", ");
  return {
    code: first?.failure?.code ?? "stream_failed",
    message: `${names}: ${first?.failure?.message ?? "could not be read to the end."}`,
    action: first?.failure?.action ?? "Start another run; if it fails again, see the stream's own message.",
  };
}

const tooLong = (until: Date): RunFailure => ({
  code: "too_long",
  message: `The run was not done after 24 hours; Zendesk takes requests again from ${instantWords(until)}.`,
  action:
    "The next run goes on from what was committed; if this repeats, look at the rate limits of the Zendesk account.",
});

/** The process ends, and a page was cut off: whoever goes on reads it again. */
export const cutOff: RunEnd = { state: "waiting", waitingUntil: null, failure: null, outcome: null };

/** The database is not the one that this turn has written to: another turn, which remembers nothing, goes on at once (row 78). */
export const begunAnew = (now: Date): RunEnd => ({ ...cutOff, waitingUntil: now });

/** What was thrown is a fault of the database or of ours; nothing of the page was stored. */
export function brokenOff(log: Pick<Logger, "error">, error: unknown): RunEnd {
  log.error({ err: error }, "a run broke off");
  return { state: "failed", waitingUntil: null, failure: failureOf(error), outcome: null };
}

function failureOf(error: unknown): RunFailure {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  // Class 25: read-only; 53: disk or memory; the rest the API knows as well.
  if (/^(25|53)/.test(code) || foreseen(error)?.code === "unavailable") {
    return {
      code: "database",
      message: `The database could not be used${code && ` (${code})`}; nothing half-done was kept.`,
      action: "Look at the database server; the next run goes on from what was committed.",
    };
  }
  return {
    code: "internal",
    message: "The run broke off through a fault of this program; nothing half-done was kept.",
    action: "The log has the details under the run's number; the next run goes on from what was committed.",
  };
}
