const form = /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?\s*(Z|UTC|[+-]\d\d:?\d\d)?$/i;

/** Zendesk opened in 2007; what lies outside these years is a stand-in for "never" (0001, 9999). */
const firstYear = 1970;
const lastYear = 2999;
const secondsPerDay = 86_400;

/**
 * The one reader of dates (row 58a): ISO 8601 in its usual forms, with a blank instead of `T`, any number of decimals and
 * any offset (none means UTC), and Unix seconds. Null for everything else, years outside 1970–2999 and days that do not exist.
 */
export function parseInstant(value: unknown): Date | null {
  if (typeof value === "number") return fromSeconds(value);
  if (typeof value !== "string") return null;
  const parts = form.exec(value.trim());
  if (!parts) return null;
  const [, year = "", month = "", day = "", hour = "00", minute = "00", second = "00", decimals = "0", zone = "Z"] =
    parts;
  if (Number(year) < firstYear || Number(year) > lastYear || Number(day) > daysIn(Number(year), Number(month)))
    return null;
  const milliseconds = decimals.slice(0, 3).padEnd(3, "0");
  const offset = /^(z|utc)$/i.test(zone) ? "Z" : `${zone.slice(0, 3)}:${zone.slice(-2)}`;
  const date = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}.${milliseconds}${offset}`);
  return Number.isNaN(date.getTime()) ? null : date;
}

/** `2023-09-01T10:00:00Z`, which nearly every date is, without the regular expression. */
export function parseUsualInstant(value: unknown): Date | null {
  if (typeof value !== "string" || value.length !== 20 || value[19] !== "Z" || value[10] !== "T")
    return parseInstant(value);
  if (Number(value.slice(8, 10)) > 28) return parseInstant(value);
  const date = new Date(value);
  const year = date.getUTCFullYear();
  return year >= firstYear && year <= lastYear ? date : null;
}

export function fromSeconds(seconds: number): Date | null {
  if (!Number.isFinite(seconds) || seconds < 0 || seconds > (lastYear - firstYear) * 366 * secondsPerDay) return null;
  return new Date(Math.floor(seconds) * 1000);
}

export function toSeconds(instant: Date): number {
  return Math.floor(instant.getTime() / 1000);
}

function daysIn(year: number, month: number): number {
  return month < 1 || month > 12 ? 0 : new Date(Date.UTC(year, month, 0)).getUTCDate();
}
