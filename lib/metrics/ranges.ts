import { metricSlots, trendBlocks, type WindowCount, windowCounts } from "#db/schema.ts";
import { addDays, daysBetween } from "#lib/metrics/windows.ts";

/** Days of a block of the sparkline. */
const BLOCK_DAYS = 7;

/**
 * Days that columns of org_metric and account_metric (`name_count`) sum: `days` of them, the last of which lies `back` days
 * before the day at which the columns stand.
 */
export interface CountedRange {
  name: string;
  back: number;
  days: number;
  counts: readonly WindowCount[];
}

/**
 * Every range that is kept: each slot's window (w1 …) and the window before it (p1 …), and the blocks of the sparkline,
 * oldest first (t1 …). A slot without a window has no days, so that nothing lies in it.
 */
export function countedRanges(windows: readonly number[]): CountedRange[] {
  const length = (slot: number) => windows[slot - 1] ?? 0;
  return [
    ...metricSlots.map((slot) => ({ name: `w${slot}`, back: 0, days: length(slot), counts: windowCounts })),
    ...metricSlots.map((slot) => ({ name: `p${slot}`, back: length(slot), days: length(slot), counts: windowCounts })),
    ...trendBlocks.map((block) => ({
      name: `t${block}`,
      back: BLOCK_DAYS * (trendBlocks.length - block),
      days: BLOCK_DAYS,
      counts: ["created"] as const,
    })),
  ];
}

/** First and last day of a range as of `asOf`; the last lies before the first where the range has no days. */
export function daysOf(range: CountedRange, asOf: string): { from: string; to: string } {
  return { from: addDays(asOf, 1 - range.back - range.days), to: addDays(asOf, -range.back) };
}

/** True when `day` lies in the range as of `asOf`. */
export function isInRange(range: CountedRange, day: string, asOf: string): boolean {
  const age = daysBetween(day, asOf) - range.back;
  return age >= 0 && age < range.days;
}

/** Days before `asOf` that no range reaches any more. */
export function reach(ranges: readonly CountedRange[]): number {
  return Math.max(...ranges.map((range) => range.back + range.days));
}
