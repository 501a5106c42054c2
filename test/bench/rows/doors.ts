import { execFile, fork } from "node:child_process";
import path from "node:path";
import { promisify } from "node:util";
import { inWorkspace } from "#db/client.ts";
import { createSource } from "#lib/sources/sources.ts";
import { testEnvironment } from "#test/support/api.ts";
import type { Bench } from "../bench.ts";
import type { Load, Measured } from "../event-load.ts";
import { percentile } from "../measure.ts";
import { type Row, row } from "../table.ts";

const folder = path.resolve(import.meta.dirname, "..");
const eventsPerSecond = 2000;
const perCall = 50;
/** From this size on the doors are pressed for a whole minute. */
const fullSize = 100_000;

/** Row 22: events sent at an even pace, whether answers come or not; and those that were acknowledged, looked for afterwards. */
export async function doorRows(bench: Bench): Promise<Row[]> {
  const { workspaceId } = bench.scope;
  const now = new Date();
  const source = await inWorkspace(bench.db, workspaceId, (trx) =>
    createSource(trx, workspaceId, { name: "bench", createdBy: null }, now),
  );
  const seconds = bench.tickets >= fullSize ? 60 : 2;
  const press = (kind: "product" | "raw", forSeconds: number) =>
    pressed(bench, kind, { source, workspaceId, seconds: forSeconds });
  const before = await press("raw", seconds / 2);
  const ours = await press("product", seconds);
  const after = await press("raw", seconds / 2);
  const stored = await storedEvents(bench, source.id);
  const acknowledged = [before, ours, after].reduce((sum, { acknowledged }) => sum + acknowledged, 0);
  const rate = Math.round(ours.acknowledged / ours.seconds);
  bench.footnotes.add(
    `22: ${perCall} events a call, ${eventsPerSecond} events a second for ${seconds} s; ${rate} a second were acknowledged.`,
  );
  return [
    row({
      number: "22",
      what: "event door, p95 of a call ÷ plain HTTP and the same insert",
      ours: percentile(ours.latencies, 0.95),
      limit: percentile([...before.latencies, ...after.latencies], 0.95),
      goal: 2,
      moonshot: 1.2,
    }),
    row({
      number: "22",
      what: "events acknowledged and not stored once",
      ours: Math.abs(acknowledged - stored),
      limit: 0,
      unit: "events",
      goal: 0,
      moonshot: 0,
    }),
  ];
}

async function pressed(
  bench: Bench,
  kind: "product" | "raw",
  { source, workspaceId, seconds }: { source: { id: string; writeKey: string }; workspaceId: number; seconds: number },
): Promise<Measured> {
  const env = { ...process.env, ...testEnvironment, DATABASE_URL: bench.url, LOG_LEVEL: "info", SCHEDULER: "off" };
  const door = fork(path.resolve(folder, "../support/door-server.ts"), [kind, String(workspaceId), source.id], {
    execArgv: ["--import", "tsx"],
    env,
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  try {
    const port = await new Promise<number>((resolve, reject) => {
      door
        .once("message", (message) => resolve(Number(message)))
        .once("exit", () => reject(new Error("The door ended.")));
    });
    const origin = `http://127.0.0.1:${port}`;
    const load = { origin, path: "/v1/batch", writeKey: source.writeKey, eventsPerSecond, perCall, connections: 8 };
    return await send({ ...load, warmSeconds: 1, seconds: seconds + 1 });
  } finally {
    door.kill();
  }
}

async function send(load: Load): Promise<Measured> {
  const words = ["--import", "tsx", path.join(folder, "event-load.ts"), JSON.stringify(load)];
  const { stdout } = await promisify(execFile)(process.execPath, words, { maxBuffer: 64 * 1024 * 1024 });
  return JSON.parse(stdout) as Measured;
}

async function storedEvents({ db, scope }: Bench, sourceId: string): Promise<number> {
  const { count } = await inWorkspace(db, scope.workspaceId, (trx) =>
    trx
      .selectFrom("event")
      .select((eb) => eb.fn.countAll<string>().as("count"))
      .where("workspace_id", "=", scope.workspaceId)
      .where("source_id", "=", Number(sourceId))
      .where("rejection", "is", null)
      .executeTakeFirstOrThrow(),
  );
  return Number(count);
}
