/**
 * Days and windows (metrics.md, Time). A day is a calendar day `YYYY-MM-DD` of an IANA time zone; the window of x days as
 * of day D is the x days that end with D. Pure: time and zone are parameters (rows 45–48).
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const formats = new Map<string, Intl.DateTimeFormat>();

/** First and last day, both included. */
export interface DayRange {
  from: string;
  to: string;
}

/** The calendar day that a clock in `zone` shows at `instant`. */
export function dayIn(zone: string, instant: Date): string {
  const [date = ""] = clock(zone).format(instant).split(",");
  const [month = "", day = "", year = ""] = date.split("/");
  return `${year.padStart(4, "0")}-${month}-${day}`;
}

/**
 * The first instant of `day` in `zone`: midnight, the first of two where clocks go back over it, the end of the gap where
 * they go forward over it. A day that the zone skipped altogether is empty: it begins where the next one does.
 */
export function startOfDay(zone: string, day: string): Date {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  const shown = [midnight - DAY, midnight + DAY].map((around) => midnight - offsetAt(zone, around));
  const first = shown.filter((t) => dayAt(zone, t) === day && dayAt(zone, t - 1) !== day).sort((a, b) => a - b)[0];
  return new Date(first ?? firstInstantFrom(zone, day, midnight));
}

/** Calendar arithmetic: days have no length here, so no change of clocks can bend it. */
export function addDays(day: string, days: number): string {
  return new Date(Date.parse(`${day}T00:00:00Z`) + days * DAY).toISOString().slice(0, 10);
}

/** Number of days from `a` to `b`; negative where `b` is earlier. */
export function daysBetween(a: string, b: string): number {
  return Math.round((Date.parse(`${b}T00:00:00Z`) - Date.parse(`${a}T00:00:00Z`)) / DAY);
}

/** The window of `days` days as of `asOf`. */
export function windowOf(asOf: string, days: number): DayRange {
  return { from: addDays(asOf, 1 - days), to: asOf };
}

/** The window of the same length directly before it. */
export function previousWindowOf(asOf: string, days: number): DayRange {
  return windowOf(addDays(asOf, -days), days);
}

/** The Monday of the week that holds `day`. */
export function weekStart(day: string): string {
  const daysSinceMonday = (new Date(`${day}T00:00:00Z`).getUTCDay() + 6) % 7;
  return addDays(day, -daysSinceMonday);
}

/** True for an IANA name that this runtime knows. Bare offsets are not names: their days could not follow summer time. */
export function isTimeZone(name: string): boolean {
  if (!/^[A-Za-z]/.test(name)) return false;
  try {
    clock(name);
    return true;
  } catch {
    return false;
  }
}

function clock(zone: string): Intl.DateTimeFormat {
  let format = formats.get(zone);
  if (!format) {
    format = new Intl.DateTimeFormat("en-US-u-ca-gregory-nu-latn", {
      timeZone: zone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
      second: "2-digit",
    });
    formats.set(zone, format);
  }
  return format;
}

function dayAt(zone: string, time: number): string {
  return dayIn(zone, new Date(time));
}

/** Milliseconds that the zone's clock is ahead of UTC. */
function offsetAt(zone: string, time: number): number {
  const [, clockTime = ""] = clock(zone).format(new Date(time)).split(", ");
  const wholeSecond = Math.floor(time / 1000) * 1000;
  return Date.parse(`${dayAt(zone, time)}T${clockTime}Z`) - wholeSecond;
}

/** No clock shows midnight of `day`: bisect for the jump over it. */
function firstInstantFrom(zone: string, day: string, midnight: number): number {
  let before = midnight - 28 * HOUR;
  let from = midnight + 28 * HOUR;
  while (from - before > 1) {
    const middle = Math.floor((before + from) / 2);
    if (dayAt(zone, middle) >= day) from = middle;
    else before = middle;
  }
  return from;
}
