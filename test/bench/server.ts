import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { admitServingRole, ensurePostgres, stopPostgres } from "#db/embedded.ts";
import { executable, preparePlace } from "#db/embedded-place.ts";
import { migrateToLatest } from "#db/migrate.ts";

/** A migrated database of the benchmark's own. */
export interface BenchServer {
  /** The owner's login, for generating and for the limits. */
  ownerUrl: string;
  /** What the product would be given. */
  url: string;
  version: string;
  close(): Promise<void>;
}

/** Memory as a server for millions of tickets would have it. */
const memory = ["-c", "shared_buffers=2GB", "-c", "max_wal_size=16GB", "-c", "checkpoint_timeout=1h"];
/** Per database, so that they also hold on a server that is not ours. */
const settings = ["work_mem = '64MB'", "maintenance_work_mem = '512MB'", "max_parallel_workers_per_gather = 2"];

/** The server that DATABASE_URL names, else an embedded one in a temporary folder; `keep` leaves the database behind. */
export async function openServer(keep: boolean): Promise<BenchServer> {
  const given = process.env.DATABASE_URL;
  return given ? ownDatabase(given, keep) : embedded(keep);
}

async function embedded(keep: boolean): Promise<BenchServer> {
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-bench-"));
  const cluster = path.join(folder, "pg");
  const { ownerUrl, url, dir } = await ensurePostgres(cluster, { throwaway: true });
  await restartWithMemory(cluster, ownerUrl);
  await migrateToLatest(ownerUrl);
  await admitServingRole(ownerUrl);
  return {
    ownerUrl,
    url,
    version: await prepare(ownerUrl),
    async close() {
      if (keep) return void process.stderr.write(`Kept: ${ownerUrl}\n`);
      await stopPostgres(cluster);
      fs.rmSync(dir, { recursive: true, force: true });
      fs.rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** What is given on the command line holds until the server stops: more memory takes a start of its own. */
async function restartWithMemory(cluster: string, ownerUrl: string): Promise<void> {
  const place = await preparePlace(cluster);
  const port = new URL(ownerUrl).port;
  const options = fs
    .readFileSync(path.join(place.dir, "postmaster.opts"), "utf8")
    .match(/"[^"]*"/g)
    ?.map((option) => option.slice(1, -1));
  const kept = (options ?? []).filter((_, index, all) => all[index - 1] === "-c").flatMap((pair) => ["-c", pair]);
  const started = ["-p", port, ...kept, ...memory].map((word) => `'${word}'`).join(" ");
  const words = [
    "restart",
    "-w",
    "-m",
    "fast",
    "-D",
    place.dir,
    "-l",
    path.join(place.dir, "server.log"),
    "-o",
    started,
  ];
  const child = promisify(execFile)(executable(place, "pg_ctl"), words, { ...place.account, cwd: "/" });
  // The server inherits the pipes: what counts is the end of pg_ctl, not theirs.
  await new Promise<void>((resolve, reject) => {
    child.child.once("exit", (code) => (code === 0 ? resolve() : reject(new Error(`pg_ctl ended with ${code}`))));
    child.catch(reject);
  });
  child.child.stdout?.destroy();
  child.child.stderr?.destroy();
}

async function ownDatabase(given: string, keep: boolean): Promise<BenchServer> {
  const name = `bench_${randomBytes(6).toString("hex")}`;
  const administer = async (statement: string) => {
    const client = new pg.Client({ connectionString: given });
    await client.connect();
    await client.query(statement).finally(() => client.end());
  };
  await administer(`create database ${name}`);
  const address = new URL(given);
  address.pathname = `/${name}`;
  await migrateToLatest(address.href);
  return {
    ownerUrl: address.href,
    url: address.href,
    version: await prepare(address.href),
    close: async () =>
      keep ? void process.stderr.write(`Kept: ${name}\n`) : administer(`drop database ${name} with (force)`),
  };
}

async function prepare(ownerUrl: string): Promise<string> {
  const client = new pg.Client({ connectionString: ownerUrl });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string; version: string }>(
      "select current_database() as name, current_setting('server_version') as version",
    );
    for (const setting of settings) await client.query(`alter database ${rows[0]?.name} set ${setting}`);
    return rows[0]?.version ?? "";
  } finally {
    await client.end();
  }
}
