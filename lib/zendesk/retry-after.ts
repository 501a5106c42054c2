import { parseHttpDate } from "#lib/zendesk/http-date.ts";

/** Longest wait that an answer can impose on us; what is longer is looked at again then. */
const longest = 15 * 60_000;
const shortest = 1000;

/**
 * Milliseconds to wait before the same request may be sent again, without jitter (row 2). Digits come first (`120` is
 * a number of seconds; decimals are rounded up), then an HTTP date, measured against the earliest clock that may be right.
 * Null when the header says nothing usable.
 */
export function parseRetryAfter(header: string | undefined, now: Date): number | null {
  const text = header?.trim() ?? "";
  if (/^\d+(\.\d+)?$/.test(text)) return Number(text) === 0 ? null : bounded(Math.ceil(Number(text)) * 1000);
  const at = parseHttpDate(text);
  return at === null || at <= now.getTime() ? null : bounded(at - now.getTime());
}

/** Exponential, once to twice the base by chance: attempt 1 waits 1–2 s, attempt 2 2–4 s, and so on. `random` is in [0, 1). */
export function backoff(attempt: number, random: number): number {
  return bounded(2 ** Math.min(attempt - 1, 20) * 1000 * (1 + random));
}

function bounded(milliseconds: number): number {
  return Math.min(longest, Math.max(shortest, milliseconds));
}
