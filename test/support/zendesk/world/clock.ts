/** The clock of one stand-in account, in milliseconds since the epoch. */
export interface Clock {
  readonly live: boolean;
  now(): number;
  /** Moves the clock; negative values move it back. */
  advance(milliseconds: number): void;
}

/** A clock that stands still until it is moved. */
export function fixedClock(start: Date | string): Clock {
  let current = new Date(start).getTime();
  if (Number.isNaN(current)) throw new Error(`Not a date: ${String(start)}`);
  return {
    live: false,
    now: () => current,
    advance: (milliseconds) => {
      current += milliseconds;
    },
  };
}

/** The wall clock, plus whatever it was moved by. */
export function liveClock(): Clock {
  let offset = 0;
  return {
    live: true,
    now: () => Date.now() + offset,
    advance: (milliseconds) => {
      offset += milliseconds;
    },
  };
}

export const SECOND = 1000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

export function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / SECOND);
}

/** ISO-8601 in UTC with second precision, as the Support API writes it. */
export function isoSeconds(milliseconds: number): string {
  return `${new Date(milliseconds).toISOString().slice(0, 19)}Z`;
}
