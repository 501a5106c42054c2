import { type Finding, failure, ok, type Visit } from "#lib/connections/doctor-checks/finding.ts";
import { overdueSince, runWords } from "#lib/connections/overdue.ts";
import { instantWords } from "#lib/time-words.ts";

/** Is reading still set in motion? Judged by how long ago that was, not by errors (row 122), and by whether a run goes on. */
export function checkSchedule({ ctx, connection, facts, now }: Visit): Finding[] {
  const { state, next_sync_at: next } = connection;
  const minutes = connection.sync_interval_minutes ?? facts.syncIntervalMinutes;
  const ended = facts.lastRun
    ? `The last run ended ${instantWords(facts.lastRun.at)} (${facts.lastRun.state}).`
    : "No run has ended yet.";
  const last = facts.liveRun ? `${ended} ${runWords(facts.liveRun, now)}` : ended;
  if (state === "paused" || state === "disconnected" || state === "archived") {
    return [ok("schedule", `None, since the connection is ${state}. ${last}`)];
  }
  const isInternal = ctx.config.scheduler === "internal";
  const who = isInternal
    ? `This process starts a run every ${minutes} minutes.`
    : `Cron routes start the runs (SCHEDULER=off), one every ${minutes} minutes; ${cronWords(facts)}.`;
  const due = next ? ` The next is due ${instantWords(next)}.` : "";
  const found = `${who} ${last}${due}`;
  const since = overdueSince(next, facts.liveRun, now);
  if (since === null || now.getTime() - since.getTime() <= 2 * minutes * 60_000) return [ok("schedule", found)];
  const action = isInternal
    ? "Start the server process again, and look at its log for failing jobs."
    : "Let something call POST /api/cron/sync every few minutes.";
  const isLeft = facts.liveRun !== null && facts.liveRun.state !== "queued";
  return [failure("schedule", isLeft ? found : `${found} Nobody starts it.`, action)];
}

function cronWords({ lastCronRunAt }: Visit["facts"]): string {
  return lastCronRunAt
    ? `the last that they asked for was asked for ${instantWords(lastCronRunAt)}`
    : "they have not been called for this connection yet";
}
