import { DAY, HOUR } from "../world/clock.ts";
import type { Random } from "../world/random.ts";

const weekdays = [0.12, 1.25, 1.15, 1.05, 1.0, 0.9, 0.18] as const;
/** Share of the day's tickets by hour, customers in several zones together; the peak is the European morning. */
const hours: readonly (readonly [number, number])[] = [
  1, 1, 1, 1, 2, 4, 9, 16, 22, 23, 20, 15, 14, 16, 16, 15, 13, 11, 8, 6, 4, 3, 2, 2,
].map((weight, hour) => [hour, weight] as const);

/** How busy a day is: weekends are quiet, December and August slow, and the company grows. 1 is average. */
export function busyness(day: number, age: number): number {
  const date = new Date(day);
  const month = date.getUTCMonth();
  const season = month === 11 || month === 7 ? 0.85 : 1;
  return (weekdays[date.getUTCDay()] ?? 1) * season * (0.8 + 0.4 * Math.min(1, age));
}

/** An instant of that day, in whole seconds, when somebody would write. */
export function momentOf(random: Random, day: number): number {
  return day + random.weighted(hours) * HOUR + random.between(0, 3599) * 1000;
}

export function startOfDay(instant: number): number {
  return Math.floor(instant / DAY) * DAY;
}

/** Splits an expected number into a whole one, the rest by chance. */
export function rounded(random: Random, expected: number): number {
  return Math.floor(expected) + (random.chance(expected % 1) ? 1 : 0);
}
