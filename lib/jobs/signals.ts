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
      stopping ??= stop().catch(() => {});
      stopping.then(() => {
        if (others.length === 0) process.exit(0);
        for (const listener of others) listener(signal);
      });
    });
  }
}
