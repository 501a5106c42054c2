import { machineClock } from "#lib/clock.ts";
import type { Deadlines } from "#lib/zendesk/transport.ts";

export interface ClientOptions {
  /** Another one than the machine's is simulated time: budgets are counted on it too, and `sleep` has to move it. */
  clock: () => Date;
  /** Sleeps; wakes at once when the signal aborts. */
  sleep: (milliseconds: number, signal?: AbortSignal) => Promise<void>;
  /** In [0, 1). */
  random: () => number;
  /** Waits longer than this end the run as waiting: a waiting account holds no worker (row 8). Milliseconds. */
  longestSleep: number;
  /** Asked before and during a sleep: true while others wait for this one's place, which ends longer waits than two seconds. */
  crowded: () => boolean;
  /** A request that fails so often, or for so long (milliseconds), is given up (row 7). */
  attempts: number;
  patience: number;
  /** Asked while sleeping: true ends the sleep as a wait. */
  deadline: () => boolean;
  signal?: AbortSignal;
  deadlines?: Partial<Deadlines>;
  largestBody?: number;
}

export const defaultClientOptions: ClientOptions = {
  clock: machineClock,
  sleep: abortableSleep,
  random: Math.random,
  longestSleep: 30_000,
  crowded: () => false,
  attempts: 5,
  patience: 5 * 60_000,
  deadline: () => false,
};

function abortableSleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener("abort", done);
  });
}
