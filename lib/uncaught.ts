import type { Logger } from "pino";
import { concealValues } from "#lib/log.ts";

/**
 * From now on what nobody catches is a line of the log, and what others write to standard error by themselves, as the
 * framework does, holds no registered secret (row 115). Whether the process ends is decided as before.
 */
export function logUncaught(log: Pick<Logger, "error">): void {
  process.on("uncaughtExceptionMonitor", (error, origin) => {
    log.error({ err: error, origin }, "an error was caught by nobody");
    // Where it ends the process, the runtime itself writes it to standard error.
    if (error instanceof Error && error.stack) Reflect.set(error, "stack", concealValues(error.stack));
  });
  process.on("unhandledRejection", (reason) => {
    // A listener keeps the process alive: where ours is the only one, it ends as if there were none. (The framework keeps a
    // list of listeners of its own, which the number of listeners does not show.)
    if (process.listeners("unhandledRejection").length === 1) throw reason;
    log.error({ err: reason, origin: "unhandledRejection" }, "an error was caught by nobody");
  });
  cleanStandardError();
}

function cleanStandardError(): void {
  const write = process.stderr.write.bind(process.stderr) as (...given: unknown[]) => boolean;
  process.stderr.write = (chunk: string | Uint8Array, ...rest: unknown[]) =>
    write(concealValues(typeof chunk === "string" ? chunk : Buffer.from(chunk).toString("utf8")), ...rest);
}

/** A request that the framework served and that failed in it: a page, a layout, a route beside the API's. */
export interface FailedRequest {
  method: string;
  /** With its query, which is not logged. */
  path: string;
  /** The file that it is served by. */
  route: string;
  /** render | route | action | proxy. */
  kind: string;
}

/** One line for a request that failed in the framework, without its query and headers. */
export function logFailedRequest(log: Pick<Logger, "error">, error: unknown, failed: FailedRequest): void {
  const { method, path, route, kind } = failed;
  log.error({ err: error, method, path: path.split("?", 1)[0], route, kind }, "a request failed in the framework");
}
