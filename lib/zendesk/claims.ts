import type { Place } from "#lib/zendesk/place.ts";
import type { Reading } from "#lib/zendesk/reading.ts";
import type { Stream } from "#lib/zendesk/streams.ts";

/** What whole seconds and the way of an answer make of one clock. Milliseconds. */
const jitter = 2000;

/** A place by the earliest clock that any answer has shown, also where that was one since the reading came to the present (row 47). */
export function byEarliestClock(place: Place, { client: { offset } }: Pick<Reading, "client">): Place {
  const ahead = (place.offset ?? offset) - offset;
  return place.live === null || ahead <= jitter ? place : { ...place, live: place.live - ahead, offset };
}

/** Zendesk shows nothing of the newest minute. Seconds. */
const withheld = 60;

/** The instant that a finished reading vouches for. */
export function freshThrough(place: Place): Date | null {
  return place.live === null ? null : new Date(place.live - withheld * 1000);
}

/** The instant at which the reading after a finished one must begin. */
export function resumeFrom(stream: Stream, place: Place): Date | null {
  return place.live === null ? null : new Date(place.live - stream.overlap * 1000);
}

/** What was claimed before stays, unless it lies in the future. */
export function later(reading: Reading, before: Date | null | undefined, now: Date | null): Date | null {
  if (!before || !now) return before ?? now;
  return before > now && !isAhead(reading, before) ? before : now;
}

/** By the clock of the answer that was asked for to know it: who is signed in. */
export const isAhead = ({ client }: Reading, instant: Date) => instant > client.lastServerNow();
