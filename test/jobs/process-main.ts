import { context } from "#lib/context.ts";
import { leaseTimes, usualTimes } from "#lib/jobs/lease.ts";
import { startJobs } from "#lib/jobs/process.ts";
import { stopBefore } from "#lib/jobs/signals.ts";

// What instrumentation.ts does in a server, without the server. The argument: the silence after which a lease may be taken over, in milliseconds.
const [silence] = process.argv.slice(2).map(Number);
stopBefore(await startJobs(context(), silence ? leaseTimes(silence) : usualTimes));
setInterval(() => {}, 60_000);
