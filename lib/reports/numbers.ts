import { windowCounts } from "#db/schema.ts";
import { invalid } from "#lib/errors.ts";
import type { MetricSettings } from "#lib/metrics/counts.ts";
import { csatScore } from "#lib/metrics/score.ts";
import type { Csat, WindowMetrics } from "#lib/metrics/shapes.ts";

/** Counts of a window in the order of `windowCounts`, as a row brings them; null where no day had any. */
export type WindowArray = (number | null)[];

/** `array[a.created, …]` of a row's columns, `prefix` before each name. */
export function windowArray(prefix: string): string {
  return `array[${windowCounts.map((count) => `${prefix}${count}`).join(", ")}]`;
}

/** What the API says of a window. `reason` tells why there can be no ratings. */
export function windowMetrics(values: WindowArray, reason: string | undefined): WindowMetrics {
  const count = (name: (typeof windowCounts)[number]) => values[windowCounts.indexOf(name)] ?? 0;
  return {
    ticketsCreated: count("created"),
    topCreated: count("created_top"),
    csat: csatOf(count("good"), count("neutral"), count("bad"), reason),
    topCsat: csatOf(count("good_top"), count("neutral_top"), count("bad_top"), reason),
  };
}

function csatOf(good: number, neutral: number, bad: number, reason: string | undefined): Csat {
  return { good, neutral, bad, score: csatScore(good, neutral, bad), ...(reason !== undefined && { reason }) };
}

/**
 * The window asked for: 30 days unless told, else the first one set. One that the workspace has not set is refused, with
 * those that it has.
 */
export function chosenWindow(settings: MetricSettings, asked: number | undefined): number {
  const days = asked ?? (settings.windows.includes(30) ? 30 : (settings.windows[0] ?? 30));
  if (settings.windows.includes(days)) return days;
  const message = `must be one of the workspace's windows: ${settings.windows.join(", ")} days`;
  throw invalid(`windowDays ${message}.`, [{ path: "windowDays", message }]);
}

/** The day asked for, today unless told. A day to come has no numbers yet. */
export function chosenDay(settings: MetricSettings, asked: string | undefined): string {
  if (asked === undefined || asked <= settings.day) return asked ?? settings.day;
  const message = `lies ahead: today is ${settings.day} in ${settings.timeZone}`;
  throw invalid(`asOf ${message}.`, [{ path: "asOf", message }]);
}
