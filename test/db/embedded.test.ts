import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import pg from "pg";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { admitServingRole, ensurePostgres, isPostgresRunning, stopPostgres } from "#db/embedded.ts";
import { holdPostgres } from "#db/embedded-hold.ts";

// Each test starts PostgreSQL several times, which a busy machine stretches.
vi.setConfig({ testTimeout: 120_000 });

const run = promisify(execFile);
const throwaway = { throwaway: true };
let folder: string;
let dir: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-embedded-"));
  dir = path.join(folder, "pg");
});

afterEach(async () => {
  await stopPostgres(dir).catch(() => {});
  fs.rmSync(folder, { recursive: true, force: true });
});

test("the first start makes a cluster whose serving role is plain and whose owner is not", async () => {
  fs.mkdirSync(dir); // an empty folder is as good as none
  const { ownerUrl, url, started } = await ensurePostgres(dir, throwaway);
  expect(started).toBe(true);
  const role = `select rolname, rolsuper, rolcreatedb, rolcreaterole, rolbypassrls from pg_roles where rolname = current_user`;
  expect(await rows(url, role)).toEqual([
    { rolname: "bellwether", rolsuper: false, rolcreatedb: false, rolcreaterole: false, rolbypassrls: false },
  ]);
  expect(await rows(ownerUrl, role)).toMatchObject([{ rolname: "bellwether_owner", rolsuper: true }]);
  expect(await rows(url, "show timezone")).toEqual([{ TimeZone: "UTC" }]);
  await expect(rows(url, "create table x (a int)")).rejects.toThrow("permission denied");
});

test("nobody gets in without the password, which only the cluster's owner can read", async () => {
  const { url, dir: cluster } = await ensurePostgres(dir, throwaway);
  const wrong = new URL(url);
  wrong.password = "guess";
  await expect(rows(wrong.href, "select 1")).rejects.toThrow("password authentication failed");
  for (const file of ["owner.password", "serving.password"]) {
    expect(fs.statSync(path.join(cluster, file)).mode & 0o077).toBe(0);
  }
});

test.runIf(process.platform === "linux")("the server's process is told none of our secrets", async () => {
  vi.stubEnv("ADMIN_PASSWORD", "canary");
  const { dir: cluster } = await ensurePostgres(dir, throwaway).finally(() => vi.unstubAllEnvs());
  const [pid] = fs.readFileSync(path.join(cluster, "postmaster.pid"), "utf8").split("\n");
  const told = fs.readFileSync(`/proc/${pid}/environ`, "utf8");
  expect(told).toContain("LC_ALL=C");
  expect(told).not.toContain("canary");
});

test("the serving role is let into the group role as often as one likes", async () => {
  const { ownerUrl, url } = await ensurePostgres(dir, throwaway);
  await rows(ownerUrl, "create role bellwether_app nologin");
  await rows(ownerUrl, "create table greeting (word text); grant insert, select on greeting to bellwether_app");
  await admitServingRole(ownerUrl);
  await admitServingRole(ownerUrl);
  await rows(url, "insert into greeting values ('hello')");
  expect(await rows(url, "select word from greeting")).toEqual([{ word: "hello" }]);
});

test("a second call finds the running server, and a stopped one comes back on its port with its data", async () => {
  const first = await ensurePostgres(dir, throwaway);
  await rows(first.ownerUrl, "create table kept as select 7 as n");
  expect(await ensurePostgres(dir, throwaway)).toEqual({ ...first, started: false });
  await stopPostgres(dir);
  expect(await isPostgresRunning(dir)).toBe(false);
  await stopPostgres(dir); // nothing runs: nothing to do
  const again = await ensurePostgres(dir, throwaway);
  expect(again).toEqual(first);
  expect(await rows(again.ownerUrl, "select n from kept")).toEqual([{ n: 7 }]);
});

test("three processes that start at once share one server", async () => {
  const script = `import { ensurePostgres } from "#db/embedded.ts";
    console.log(JSON.stringify(await ensurePostgres(process.env.CLUSTER, { throwaway: true })));`;
  const starts = await Promise.all(
    [1, 2, 3].map(() =>
      run(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
        cwd: path.resolve(import.meta.dirname, "..", ".."),
        env: { ...process.env, CLUSTER: dir },
      }),
    ),
  );
  const found: { url: string; started: boolean }[] = starts.map(({ stdout }) => JSON.parse(stdout));
  expect(found.filter(({ started }) => started)).toHaveLength(1);
  expect(new Set(found.map(({ url }) => url)).size).toBe(1);
  expect(fs.readdirSync(folder)).toEqual(["pg"]);
  expect(await rows(found[0]?.url ?? "", "select 1 as one")).toEqual([{ one: 1 }]);
});

test("a killed server starts again although a busy backend outlived it", async () => {
  const { ownerUrl, dir: cluster } = await ensurePostgres(dir);
  await rows(ownerUrl, "create table kept as select 7 as n");
  const busy = new pg.Client({ connectionString: ownerUrl });
  busy.on("error", () => {});
  await busy.connect();
  const backend = (await busy.query("select pg_backend_pid() as pid")).rows[0].pid;
  // Pure computation: the backend looks neither at its client nor at its postmaster.
  const answer = busy.query("select sum(sqrt(g)) from generate_series(1, 4000000000) g").catch(() => {});
  await sleep(300);
  process.kill(postmaster(cluster), "SIGKILL");
  const again = await ensurePostgres(dir);
  expect(again.started).toBe(true);
  expect(await rows(again.ownerUrl, "select n from kept")).toEqual([{ n: 7 }]);
  expect(isRunning(backend)).toBe(false);
  await answer;
});

test("a pid file that names somebody else's process neither blocks a start nor gets that process stopped", async () => {
  const { dir: cluster, ownerUrl } = await ensurePostgres(dir, throwaway);
  await rows(ownerUrl, "create table kept as select 7 as n");
  await stopPostgres(dir);
  const { uid, gid } = fs.statSync(cluster);
  // PostgreSQL minds only processes of its own account.
  const stranger = spawn("sleep", ["60"], { stdio: "ignore", ...(process.getuid?.() === 0 ? { uid, gid } : {}) });
  try {
    const file = path.join(cluster, "postmaster.pid");
    fs.writeFileSync(file, `${stranger.pid}\n${cluster}\n1700000000\n5432\n\n127.0.0.1\n`, { mode: 0o600 });
    fs.chownSync(file, uid, gid);
    await stopPostgres(dir);
    expect(stranger.exitCode).toBe(null);
    const again = await ensurePostgres(dir, throwaway);
    expect(await rows(again.ownerUrl, "select n from kept")).toEqual([{ n: 7 }]);
    expect(stranger.exitCode).toBe(null);
    expect(stranger.signalCode).toBe(null);
  } finally {
    stranger.kill("SIGKILL");
  }
});

test("what an interrupted first start left behind is cleared away, and a live neighbour's is not", async () => {
  const gone = spawn("true");
  await new Promise((resolve) => gone.once("exit", resolve));
  fs.mkdirSync(path.join(folder, `pg.init-${gone.pid}`, "base"), { recursive: true });
  fs.writeFileSync(path.join(folder, `pg.init-${gone.pid}.password`), "half");
  fs.mkdirSync(path.join(folder, `pg.init-${process.ppid}`));
  await ensurePostgres(dir, throwaway);
  expect(fs.readdirSync(folder).sort()).toEqual(["pg", `pg.init-${process.ppid}`]);
});

test("a folder that holds something else is refused and left as it was", async () => {
  fs.mkdirSync(dir);
  fs.writeFileSync(path.join(dir, "letter.txt"), "dear all");
  await expect(ensurePostgres(dir, throwaway)).rejects.toThrow("holds files but no PostgreSQL cluster");
  expect(fs.readdirSync(folder)).toEqual(["pg"]);
  expect(fs.readdirSync(dir)).toEqual(["letter.txt"]);
});

test("a held server that dies comes back by itself, and stops only when its last holder lets go", async () => {
  const failures: unknown[] = [];
  const first = await holdPostgres(dir, (error) => failures.push(error));
  const second = await holdPostgres(dir, (error) => failures.push(error));
  process.kill(postmaster(fs.realpathSync(dir)), "SIGKILL");
  await expect
    .poll(() => rows(first.url, "select 1 as one").catch(() => []), { timeout: 60_000 })
    .toEqual([{ one: 1 }]);
  const holders = "select count(*)::int as n from pg_stat_activity where application_name = 'bellwether launcher'";
  await expect.poll(() => rows(first.ownerUrl, holders), { timeout: 60_000 }).toEqual([{ n: 2 }]);
  expect(failures).toEqual([]);
  await first.release();
  expect(await isPostgresRunning(dir)).toBe(true);
  await second.release();
  expect(await isPostgresRunning(dir)).toBe(false);
});

async function rows(url: string, statement: string): Promise<unknown[]> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return (await client.query(statement)).rows;
  } finally {
    await client.end();
  }
}

function postmaster(cluster: string): number {
  return Number(fs.readFileSync(path.join(cluster, "postmaster.pid"), "utf8").split("\n")[0]);
}

function isRunning(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(fs.readFileSync(`/proc/${pid}/status`, "utf8"));
  } catch {
    return false;
  }
}
