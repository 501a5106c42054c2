"use client";

import { Fragment } from "react";
import { useNow } from "./clock.ts";
import { Hint } from "./hint.tsx";
import { useLocale } from "./locale.tsx";
import { RelativeTime } from "./relative-time.tsx";
import { calendarDayWords } from "./time-words.ts";

/** How the API writes an instant inside a text, absolute and with its zone, and a day. */
const written = /(\d{4}-\d{2}-\d{2})(?: (\d{2}:\d{2}) UTC)?/g;
const DAY_MS = 86_400_000;

/**
 * A text of the API, with the instants and days in it as everywhere else: in the reader's zone, the exact instant, or how far
 * away the day is, on hover and focus.
 */
export function TextWithTimes({ text }: { text: string }) {
  let from = 0;
  const parts = [...text.matchAll(written)].map(({ 0: whole, 1: day = "", 2: time, index }) => {
    const before = text.slice(from, index);
    from = index + whole.length;
    return { before, whole, day, time, index };
  });
  return (
    <>
      {parts.map(({ before, whole, day, time, index }) => (
        <Fragment key={index}>
          {before}
          {Number.isNaN(Date.parse(day)) ? (
            whole
          ) : time ? (
            <RelativeTime at={`${day}T${time}:00Z`} as="moment" />
          ) : (
            <CalendarDay day={day} />
          )}
        </Fragment>
      ))}
      {text.slice(from)}
    </>
  );
}

function CalendarDay({ day }: { day: string }) {
  const now = useNow();
  const words = calendarDayWords(day, useLocale());
  if (!now) return words;
  const days = Math.ceil((Date.parse(day) - now.getTime()) / DAY_MS);
  const length = `${Math.abs(days)} ${Math.abs(days) === 1 ? "day" : "days"}`;
  return (
    <Hint content={days > 0 ? `in ${length}` : days === 0 ? "today" : `${length} ago`}>
      <time dateTime={day} className="whitespace-nowrap">
        {words}
      </time>
    </Hint>
  );
}
