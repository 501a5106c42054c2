import type { Logger } from "pino";

// The bundler may load this file more than once a process; what stands badly is told once.
const home = globalThis as typeof globalThis & { bellwetherTroubles?: Map<string, string> };

home.bellwetherTroubles ??= new Map();
const troubles = home.bellwetherTroubles;

/**
 * For what is asked every few seconds, by probes and open screens: one line when `what` stops going well, or fails for
 * another reason than before, and one when it goes well again. `failure` is null where it does.
 */
export function tellStanding(log: Logger, what: string, failure: Error | null): void {
  const reason = failure && (failure.message || failure.name);
  if ((troubles.get(what) ?? null) === reason) return;
  if (reason === null) {
    troubles.delete(what);
    log.info({ operation: what }, "goes well again");
  } else {
    troubles.set(what, reason);
    const cause = failure?.cause instanceof Error ? failure.cause.message : undefined;
    log.warn({ operation: what, reason, cause }, "does not go well, and is asked again and again");
  }
}
