import { AppError } from "#lib/errors.ts";

// The bundler may load this file more than once a process; that it stops is known to all of it.
const home = globalThis as typeof globalThis & { bellwetherStopping?: boolean };

/**
 * An answer that is still being sent then is cut off: whoever asked us to stop kills us at 20 s, and the embedded PostgreSQL
 * stops after us.
 */
const longestStopMs = 17_000;

/**
 * Puts a graceful stop before whatever ends the process on SIGTERM and SIGINT: the framework's own listeners exit as soon
 * as no request is open, which would cut a run off in the middle of a page (row 84).
 */
export function stopBefore(stop: () => Promise<void>): void {
  let stopping: Promise<void> | null = null;
  for (const signal of ["SIGTERM", "SIGINT"] as const) {
    const others = process.listeners(signal);
    process.removeAllListeners(signal);
    process.on(signal, () => {
      home.bellwetherStopping = true;
      setTimeout(() => process.exit(0), longestStopMs).unref();
      stopping ??= stop().catch(() => {});
      stopping.then(() => {
        if (others.length === 0) process.exit(0);
        for (const listener of others) listener(signal);
      });
    });
  }
}

/** Throws `unavailable` once the process was asked to stop: nobody new should be sent here. */
export function requireServing(): void {
  if (home.bellwetherStopping) throw new AppError("unavailable", "This process is stopping.");
}
