import type { Instrumentation } from "next";

// The conditions are written so that the bundler leaves everything of ours out of the edge runtime.

/** Called once when a server process starts. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { log } = await import("#lib/log.ts");
    const { logUncaught } = await import("#lib/uncaught.ts");
    logUncaught(log);
    const { startJobs } = await import("#lib/jobs/process.ts");
    const { stopBefore } = await import("#lib/jobs/signals.ts");
    stopBefore(await startJobs());
    const { answerAtDoor } = await import("#app/v1/in-front.ts");
    (globalThis as typeof globalThis & { bellwetherFront?: typeof answerAtDoor }).bellwetherFront = answerAtDoor;
  }
}

/** Called for whatever fails while the framework serves a request; the API's own routes answer for themselves. */
export const onRequestError: Instrumentation.onRequestError = async (error, { method, path }, context) => {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { log } = await import("#lib/log.ts");
    const { logFailedRequest } = await import("#lib/uncaught.ts");
    logFailedRequest(log, error, { method, path, route: context.routePath, kind: context.routeType });
  }
};
