import type pg from "pg";
import type { Db } from "#db/client.ts";

/** What one run of something cost. CPU is this process's, all threads; DB time is the wall time less that. Milliseconds, bytes. */
export interface Cost {
  wall: number;
  cpu: number;
  database: number;
  wal: number;
}

export interface Contestant {
  /** Makes what a run needs; not measured. */
  prepare?: () => Promise<unknown> | unknown;
  run: () => Promise<unknown> | unknown;
}

/** Runs the contestants by turns, garbage collected before each; the median cost of each. */
export async function sideBySide<Name extends string>(
  rounds: number,
  wal: pg.Client,
  contestants: Record<Name, Contestant>,
): Promise<Record<Name, Cost>> {
  const names = Object.keys(contestants) as Name[];
  const costs = new Map<Name, Cost[]>(names.map((name) => [name, []]));
  for (let round = firstRound(rounds); round < rounds; round += 1) {
    for (const name of names) {
      const cost = await costOf(contestants[name], wal);
      if (round >= 0) costs.get(name)?.push(cost);
    }
  }
  const medianOf = (all: Cost[], part: keyof Cost) => median(all.map((cost) => cost[part]));
  return Object.fromEntries(
    names.map((name) => {
      const all = costs.get(name) ?? [];
      const cost = { wall: medianOf(all, "wall"), cpu: medianOf(all, "cpu"), database: medianOf(all, "database") };
      return [name, { ...cost, wal: medianOf(all, "wal") }];
    }),
  ) as Record<Name, Cost>;
}

/** A round before round 0 warms caches and plans and does not count; a run of a single round does without. */
export function firstRound(rounds: number): number {
  return rounds > 1 ? -1 : 0;
}

async function costOf(contestant: Contestant, wal: pg.Client): Promise<Cost> {
  await contestant.prepare?.();
  const before = await walPosition(wal);
  globalThis.gc?.();
  const cpu = process.cpuUsage();
  const start = performance.now();
  await contestant.run();
  const wall = performance.now() - start;
  const used = process.cpuUsage(cpu);
  const spent = (used.user + used.system) / 1000;
  return { wall, cpu: spent, database: Math.max(wall - spent, 0.01), wal: (await walPosition(wal)) - before };
}

async function walPosition(client: pg.Client): Promise<number> {
  const { rows } = await client.query<{ at: string }>(
    "select pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0') as at",
  );
  return Number(rows[0]?.at);
}

/** Milliseconds that `run` takes. */
export async function timed(run: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await run();
  return performance.now() - start;
}

export function median(values: readonly number[]): number {
  return percentile(values, 0.5);
}

export function percentile(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
}

/** A pool that answered once, so that opening its connection is nobody's time. */
export async function warmed(db: Db): Promise<Db> {
  await db.selectNoFrom((eb) => eb.lit(1).as("one")).execute();
  return db;
}
