import { createHash } from "node:crypto";
import { Cron } from "croner";
import type { Scope } from "#lib/zendesk/scope.ts";

/** A number that is always the same for a connection and differs between connections, 0 ≤ n < `below`. */
function share(scope: Scope, below: number): number {
  const digest = createHash("sha256").update(`${scope.workspaceId}:${scope.connectionId}`).digest();
  return digest.readUInt32BE(0) % below;
}

/**
 * The next regular sync after `now`: each connection has its own second within the interval, so that they never start
 * together on the hour (row 4).
 */
export function nextSync(scope: Scope, intervalMinutes: number, now: Date): Date {
  const interval = intervalMinutes * 60_000;
  const offset = share(scope, intervalMinutes * 60) * 1000;
  const turns = Math.floor((now.getTime() - offset) / interval) + 1;
  return new Date(turns * interval + offset);
}

/** The next check of the past year after `now`: between 3 and 4 at night in the workspace's zone, each connection at its own minute (T-35). */
export function nextReconcile(scope: Scope, timeZone: string, now: Date): Date {
  const next = new Cron(`${share(scope, 60)} 3 * * *`, { timezone: timeZone, paused: true }).nextRun(now);
  return next ?? new Date(now.getTime() + 86_400_000);
}
