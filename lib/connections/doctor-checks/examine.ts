import { type CheckKey, type Finding, unknown, untried, type Visit } from "#lib/connections/doctor-checks/finding.ts";
import { inTime } from "#lib/connections/hurried.ts";

/** One check: the findings that it is for, and how it finds them. */
export interface Check<V extends Visit> {
  keys: CheckKey[];
  find: (visit: V) => Finding[] | Promise<Finding[]>;
}

/** So many ask at the same time. */
const atOnce = 3;

/** Runs checks a few at a time. One that fails, or is not done in time, leaves what it is for unknown. */
export async function examine<V extends Visit>(checks: readonly Check<V>[], visit: V): Promise<Finding[]> {
  const waiting = [...checks];
  const findings: Finding[] = [];
  const takeTurns = async () => {
    for (let check = waiting.shift(); check; check = waiting.shift()) {
      const { keys, find } = check;
      try {
        findings.push(...(await inTime(visit, async () => find(visit))));
      } catch (error) {
        const reason = reasonOf(visit, error);
        findings.push(...keys.map((key) => unknown(key, reason)));
      }
    }
  };
  await Promise.all(Array.from({ length: atOnce }, takeTurns));
  return findings;
}

/** Why a check has nothing to say. */
export function reasonOf(visit: Visit, error: unknown): string {
  if (!visit.over.aborted)
    visit.ctx.log.warn({ err: error, ...visit.scope }, "a check of the doctor did not go through");
  return untried(error, visit) ?? `Not known: ${error instanceof Error ? error.message : "the check failed"}`;
}
