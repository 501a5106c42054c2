/** Called once when a server process starts. The condition is written so that the bundler leaves the jobs out of the edge runtime. */
export async function register(): Promise<void> {
  if (process.env.NEXT_RUNTIME === "nodejs") {
    const { startJobs } = await import("#lib/jobs/process.ts");
    const { stopBefore } = await import("#lib/jobs/signals.ts");
    stopBefore(await startJobs());
    const { answerAtDoor } = await import("#app/v1/in-front.ts");
    (globalThis as typeof globalThis & { bellwetherFront?: typeof answerAtDoor }).bellwetherFront = answerAtDoor;
  }
}
