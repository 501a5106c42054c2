import { startJobs } from "#lib/jobs/process.ts";
import { stopBefore } from "#lib/jobs/signals.ts";

// What instrumentation.ts does in a server, without the server.
stopBefore(await startJobs());
setInterval(() => {}, 60_000);
