const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** "12 min ago", "in 3 h", "2 d ago"; past a week the day itself, with its year when that is another one. */
export function relativeWords(instant: Date, now: Date, locale: string, timeZone: string): string {
  const distance = now.getTime() - instant.getTime();
  const size = Math.abs(distance);
  if (size < 45_000) return "just now";
  if (size >= 7 * DAY) return dayWords(instant, now, locale, timeZone);
  const amount =
    size < HOUR
      ? `${Math.max(1, Math.round(size / MINUTE))} min`
      : size < DAY
        ? `${Math.floor(size / HOUR)} h`
        : `${Math.floor(size / DAY)} d`;
  return distance > 0 ? `${amount} ago` : `in ${amount}`;
}

/** The instant in full, zone named: "22 Nov 2026, 09:41 CET". */
export function exactWords(instant: Date, locale: string, timeZone: string): string {
  return new Intl.DateTimeFormat(locale, {
    year: "numeric",
    month: "short",
    day: "numeric",
    hour: "2-digit",
    minute: "2-digit",
    timeZoneName: "short",
    timeZone,
  }).format(instant);
}

/** The time of day when the instant lies in the reader's present day ("09:41"), else the day ("12 Nov"). */
export function clockWords(instant: Date, now: Date, locale: string, timeZone: string): string {
  const sameDay = dayKey(instant, timeZone) === dayKey(now, timeZone);
  if (!sameDay) return dayWords(instant, now, locale, timeZone);
  return timeWords(instant, locale, timeZone);
}

/** The instant in a sentence: "09:41" in the reader's present day, else "12 Nov, 09:41". */
export function momentWords(instant: Date, now: Date, locale: string, timeZone: string): string {
  const time = timeWords(instant, locale, timeZone);
  const isToday = dayKey(instant, timeZone) === dayKey(now, timeZone);
  return isToday ? time : `${dayWords(instant, now, locale, timeZone)}, ${time}`;
}

/** The time of day alone, under a heading that names the day: "09:41". */
export function timeWords(instant: Date, locale: string, timeZone: string): string {
  return new Intl.DateTimeFormat(locale, { hour: "2-digit", minute: "2-digit", timeZone }).format(instant);
}

/** The day as a heading: "Today", "Yesterday", then "Fri 20 Nov", with the year when it is not the present one. */
export function dayHeading(instant: Date, now: Date, locale: string, timeZone: string): string {
  const days = (Date.parse(dayKey(now, timeZone)) - Date.parse(dayKey(instant, timeZone))) / DAY;
  if (days === 0 || days === 1) {
    const words = new Intl.RelativeTimeFormat(locale, { numeric: "auto" }).format(-days, "day");
    return words.charAt(0).toLocaleUpperCase(locale) + words.slice(1);
  }
  const weekday = new Intl.DateTimeFormat(locale, { weekday: "short", timeZone }).format(instant);
  return `${weekday} ${dayWords(instant, now, locale, timeZone)}`;
}

/** "12 Nov", with the year when it is not the present one. */
export function dayWords(instant: Date, now: Date, locale: string, timeZone: string): string {
  const sameYear = dayKey(instant, timeZone).slice(0, 4) === dayKey(now, timeZone).slice(0, 4);
  return new Intl.DateTimeFormat(locale, {
    day: "numeric",
    month: "short",
    year: sameYear ? undefined : "numeric",
    timeZone,
  }).format(instant);
}

/** A calendar day as the API gives it (`2026-11-22`, no instant and no zone) in words: "22 Nov 2026". */
export function calendarDayWords(day: string, locale: string): string {
  return new Intl.DateTimeFormat(locale, { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" }).format(
    new Date(`${day}T00:00:00Z`),
  );
}

/** The calendar day `YYYY-MM-DD` of an instant in a zone. */
function dayKey(instant: Date, timeZone: string): string {
  return new Intl.DateTimeFormat("en-CA", { year: "numeric", month: "2-digit", day: "2-digit", timeZone }).format(
    instant,
  );
}
