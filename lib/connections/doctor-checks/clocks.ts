import { type Finding, ok, unknown, type Visit, warning } from "#lib/connections/doctor-checks/finding.ts";
import { lengthWords } from "#lib/time-words.ts";

/** More than this is shown (row 47). Seconds. */
const noticeable = 60;

/** `behindZendesk`: seconds, as an answer of this visit told; null where none came. `databaseAhead`: seconds. */
export function checkClocks(
  { connection, facts }: Visit,
  clocks: { behindZendesk: number | null; databaseAhead: number },
): Finding[] {
  const action =
    "Let the time of this machine be set by NTP. Reading goes by Zendesk's clock meanwhile, leases by the database's.";
  const database = `the database's is ${apart(clocks.databaseAhead)} it`;
  if (clocks.behindZendesk === null) {
    const last = facts.lastRun === null ? null : (connection.clock_skew_seconds ?? 0);
    if (last === null) return [unknown("clock", `Zendesk's clock was not heard; ${database}.`)];
    const found = `At the last run Zendesk's clock was ${apart(last)} this machine's; ${database}.`;
    return [Math.abs(last) > noticeable ? warning("clock", found, action) : ok("clock", found)];
  }
  const found = `Zendesk's clock is ${apart(clocks.behindZendesk)} this machine's; ${database}.`;
  const worst = Math.max(Math.abs(clocks.behindZendesk), Math.abs(clocks.databaseAhead));
  return [worst > noticeable ? warning("clock", found, action) : ok("clock", found)];
}

function apart(seconds: number): string {
  if (Math.abs(seconds) < 2) return "within 2 seconds of";
  return `${lengthWords(seconds * 1000)} ${seconds > 0 ? "ahead of" : "behind"}`;
}
