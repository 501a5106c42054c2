"use client";

import { useNow } from "./clock.ts";
import { Hint } from "./hint.tsx";
import { useLocale, useTimeZone } from "./locale.tsx";
import { clockWords, exactWords, momentWords, relativeWords, timeWords } from "./time-words.ts";

type RelativeTimeProps = {
  /** An instant; ISO-8601 as the API gives it, or a Date. */
  at: string | Date;
  /** "ago" → "12 min ago"; "clock" → "09:41" today and "12 Nov" before; "time" → "09:41" on any day; "moment" → "09:41" today and "12 Nov, 09:41" else. */
  as?: "ago" | "clock" | "time" | "moment";
  /** Shown in this IANA zone instead of the reader's own. */
  timeZone?: string;
  /** False where the time stands inside a link or button, which cannot hold another one. */
  interactive?: boolean;
  className?: string;
};

const wordsFor = {
  ago: relativeWords,
  clock: clockWords,
  moment: momentWords,
  time: (instant: Date, _now: Date, locale: string, zone: string) => timeWords(instant, locale, zone),
};

/** A time in few words; the exact one, zone named, on hover, focus and tap. */
export function RelativeTime({ at, as = "ago", timeZone, interactive = true, className }: RelativeTimeProps) {
  const now = useNow();
  const locale = useLocale();
  const ownZone = useTimeZone();
  const zone = timeZone ?? ownZone;
  const instant = typeof at === "string" ? new Date(at) : at;
  const exact = exactWords(instant, locale, zone);
  const words = now ? wordsFor[as](instant, now, locale, zone) : exact;
  const time = (
    <time dateTime={instant.toISOString()} className="whitespace-nowrap">
      {words}
    </time>
  );
  if (!interactive) {
    return (
      <span title={exact} className={className}>
        {time}
      </span>
    );
  }
  return (
    <Hint content={exact} className={className}>
      {time}
    </Hint>
  );
}
