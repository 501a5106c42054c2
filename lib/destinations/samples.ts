import { invalid } from "#lib/errors.ts";
import { type Judged, judge } from "#lib/sources/judge.ts";

/** A sample as a door would store it. Throws `invalid` for one that no door would take. `newId`: of one that has no message id. */
export function judgedSample(event: unknown, now: Date, newId: () => string): Judged["event"] {
  const { event: sample, refusal } = judge(event, { type: null, inherited: {}, sentAt: null, receivedAt: now, newId });
  if (!refusal) return sample;
  const { path, message } = refusal;
  throw invalid(`No door takes this event: ${path} ${message}.`, [{ path: `event.${path}`, message }]);
}
