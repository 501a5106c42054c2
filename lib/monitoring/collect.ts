import { Gauge, Registry } from "prom-client";
import type { Context } from "#lib/context.ts";
import { families } from "#lib/monitoring/families.ts";
import { processMetrics } from "#lib/monitoring/registry.ts";
import { tellStanding } from "#lib/monitoring/standing.ts";
import { everyWorkspace, readWorkspaceState, type WorkspaceState } from "#lib/monitoring/store.ts";
import { productVersion } from "#lib/version.ts";

export const metricsContentType = "text/plain; version=0.0.4; charset=utf-8";

/** Who asks decides what is told: the installation's own secret everything, a key what its workspace holds. */
export type Audience = { all: true } | { all: false; workspaceId: number };

/** Prometheus gives up after 10 s; a database that hangs must not take the process's own numbers with it. */
const patienceMs = 5000;

/** What `audience` may know, in Prometheus' text format 0.0.4. Answers also while the database is away. */
export async function collectMetrics(
  ctx: Pick<Context, "db" | "log" | "pool">,
  audience: Audience,
  now: Date,
): Promise<string> {
  const states = await readInTime(ctx, audience, now);
  const registry = new Registry();
  const set = (name: string, help: string, value: number, labels: Record<string, string> = {}) =>
    new Gauge({ name, help, labelNames: Object.keys(labels), registers: [registry] }).set(labels, value);
  set("bellwether_build_info", "The version that is running; always 1.", 1, { version: productVersion });
  set("bellwether_database_up", "1 while the database answers; else all that it knows is absent.", states ? 1 : 0);
  if (audience.all) {
    set("bellwether_database_pool_connections", "Connections that this process has open.", ctx.pool.totalCount);
    set("bellwether_database_pool_idle", "Of those, the ones at rest.", ctx.pool.idleCount);
    set("bellwether_database_pool_waiting", "Callers that wait for one of them.", ctx.pool.waitingCount);
  }
  for (const family of families) {
    const gauge = new Gauge({ ...family, labelNames: ["workspace", ...family.labels], registers: [registry] });
    for (const state of states ?? []) {
      for (const { labels, value } of family.samples(state))
        gauge.set({ workspace: state.workspaceId, ...labels }, value);
    }
  }
  return (await registry.metrics()) + (audience.all ? await processMetrics() : "");
}

/** Null where the database does not answer, or not in time. */
async function readInTime(
  ctx: Pick<Context, "db" | "log">,
  audience: Audience,
  now: Date,
): Promise<WorkspaceState[] | null> {
  let timer: NodeJS.Timeout | undefined;
  const tooLong = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`The database did not answer within ${patienceMs} ms.`)), patienceMs);
  });
  try {
    const states = await Promise.race([readStates(ctx, audience, now), tooLong]);
    tellStanding(ctx.log, "metrics of the database", null);
    return states;
  } catch (error) {
    tellStanding(ctx.log, "metrics of the database", error instanceof Error ? error : new Error(String(error)));
    return null;
  } finally {
    clearTimeout(timer);
  }
}

async function readStates({ db }: Pick<Context, "db">, audience: Audience, now: Date): Promise<WorkspaceState[]> {
  const ids = audience.all ? await everyWorkspace(db) : [audience.workspaceId];
  const states: WorkspaceState[] = [];
  // One after the other: whoever looks on takes one connection, not the pool.
  for (const id of ids) states.push(await readWorkspaceState(db, id, now));
  return states;
}
