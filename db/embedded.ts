import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import fs from "node:fs";
import net from "node:net";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { executable, type Place, preparePlace } from "#db/embedded-place.ts";
import { isAlive, killOrphans, livePostmaster, realPath, removeForeignPidFile } from "#db/embedded-postmaster.ts";

export interface EmbeddedPostgres {
  /** The superuser's address of the database `bellwether`: for migrations and tools. */
  ownerUrl: string;
  /** The plain role's address of the same database: for serving, where row-level security must bind (row 113). */
  url: string;
  /** The cluster's real folder. */
  dir: string;
  /** True when this call started the server, false when it found one running. */
  started: boolean;
}

const ownerRole = "bellwether_owner";
const servingRole = "bellwether";
const database = "bellwether";
const passwordFile = { [ownerRole]: "owner.password", [servingRole]: "serving.password" };

/** Recovery after a crash of a large database takes its time; longer than this is reported with the log's place. */
const patienceSeconds = 180;

/**
 * Starts the project's own PostgreSQL in `dir`, or finds it running, and returns its addresses. Makes the cluster at the
 * first call. Safe to call from several processes at once, after a `kill -9`, and where a stale pid file names somebody
 * else's process. `throwaway` gives up durability for speed, for clusters that tests delete.
 */
export async function ensurePostgres(wanted: string, options: { throwaway?: boolean } = {}): Promise<EmbeddedPostgres> {
  const place = await preparePlace(wanted);
  if (!fs.existsSync(path.join(place.dir, "PG_VERSION"))) await initialise(place);
  const { port, started } = await startOrFind(place, options.throwaway ?? false);
  await provideServingRole(address(place, ownerRole, port, "postgres"), password(place, servingRole));
  return {
    ownerUrl: address(place, ownerRole, port, database),
    url: address(place, servingRole, port, database),
    dir: place.dir,
    started,
  };
}

/** Stops the server in `dir`, open transactions rolled back. Does nothing where none runs. */
export async function stopPostgres(wanted: string): Promise<void> {
  const place = await preparePlace(wanted);
  // A pid file can outlive its server and name somebody else's process, which pg_ctl would signal.
  if (livePostmaster(place.dir) === null) return;
  await run(place, "pg_ctl", ["stop", "-m", "fast", "-w", "-t", "60", "-D", place.dir]);
}

/** True while the server of `dir` runs. */
export async function isPostgresRunning(wanted: string): Promise<boolean> {
  return livePostmaster((await preparePlace(wanted)).dir) !== null;
}

/** Lets the serving role use what the migrations granted to the group role `bellwether_app`. Repeatable. */
export async function admitServingRole(ownerUrl: string): Promise<void> {
  await withClient(ownerUrl, (client) => client.query(`grant bellwether_app to ${servingRole}`));
}

/** initdb works beside the folder and one rename puts it in place, so an interrupted one leaves nothing half-made. */
async function initialise(place: Place): Promise<void> {
  removeInterrupted(place.dir);
  const unfinished = `${place.dir}.init-${process.pid}`;
  const ownerPassword = `${unfinished}.password`;
  try {
    fs.mkdirSync(unfinished, { mode: 0o700 });
    writeSecret(place, ownerPassword);
    giveTo(place, unfinished);
    const locale = ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8", "-E", "UTF8"];
    const login = ["-U", ownerRole, "-A", "scram-sha-256", `--pwfile=${ownerPassword}`];
    const { code, errors } = await run(place, "initdb", ["-D", unfinished, ...login, ...locale, "--no-instructions"]);
    if (code !== 0) throw new Error(`The embedded PostgreSQL could not be made in ${place.dir}: ${errors.trim()}`);
    fs.renameSync(ownerPassword, path.join(unfinished, passwordFile[ownerRole]));
    writeSecret(place, path.join(unfinished, passwordFile[servingRole]));
    putInPlace(unfinished, place.dir);
  } finally {
    fs.rmSync(unfinished, { recursive: true, force: true });
    fs.rmSync(ownerPassword, { force: true });
  }
}

function putInPlace(finished: string, dir: string): void {
  try {
    fs.renameSync(finished, dir);
  } catch (error) {
    // Another start was first: its cluster is as good as ours.
    if (fs.existsSync(path.join(dir, "PG_VERSION"))) return;
    throw new Error(`${dir} holds files but no PostgreSQL cluster. Empty it, or choose another DATA_DIR.`, {
      cause: error,
    });
  }
}

function removeInterrupted(dir: string): void {
  const parent = path.dirname(dir);
  for (const name of fs.readdirSync(parent)) {
    const pid = name.startsWith(`${path.basename(dir)}.init-`) ? Number(/\.init-(\d+)/.exec(name)?.[1]) : 0;
    if (pid > 0 && (pid === process.pid || !isAlive(pid))) {
      fs.rmSync(path.join(parent, name), { recursive: true, force: true });
    }
  }
}

async function startOrFind(place: Place, throwaway: boolean): Promise<{ port: number; started: boolean }> {
  const log = path.join(place.dir, "server.log");
  const end = Date.now() + patienceSeconds * 1000;
  while (Date.now() < end) {
    const running = livePostmaster(place.dir);
    if (running !== null) {
      // It may be ours, a neighbour's that is still starting, or in recovery: wait until it answers.
      if (await answers(place, running.port)) return { port: running.port, started: false };
      await sleep(100);
      continue;
    }
    removeForeignPidFile(place.dir);
    const logged = size(log);
    const port = await choosePort(place);
    const { code } = await run(place, "pg_ctl", [
      ...["start", "-w", "-t", "60", "-D", place.dir, "-l", log],
      ...["-o", settings(port, throwaway)],
    ]);
    if (code === 0 && (await answers(place, port))) return { port, started: true };
    const said = readFrom(log, logged);
    if (/incompatible with server|initialized by PostgreSQL version/.test(said)) {
      throw new Error(`${place.dir} was made by another major version of PostgreSQL; see ${log}.`);
    }
    if (/pre-existing shared memory block/.test(said)) killOrphans(place.dir);
    await sleep(250);
  }
  throw new Error(`The embedded PostgreSQL did not answer within ${patienceSeconds} s; see ${log}.`);
}

function settings(port: number, throwaway: boolean): string {
  const always = {
    listen_addresses: "127.0.0.1",
    ...(process.platform === "win32" ? {} : { unix_socket_directories: "" }),
    timezone: "UTC",
    log_timezone: "UTC",
    max_connections: "100",
    work_mem: "32MB",
    jit: "off",
    max_parallel_workers_per_gather: "2",
    // A first sync fills empty tables in seconds; without statistics the planner reads them whole for every page.
    autovacuum_naptime: "5s",
    ...sharedMemory(),
  };
  const durability = throwaway
    ? { shared_buffers: "128MB", fsync: "off", synchronous_commit: "off", full_page_writes: "off" }
    : { shared_buffers: "512MB" };
  const pairs = Object.entries({ ...always, ...durability }).map(([name, value]) => `-c ${name}=${value}`);
  return [`-p ${port}`, ...pairs].join(" ");
}

/** Containers often give /dev/shm 64 MB, on which parallel queries fail; System V segments do not live there. */
function sharedMemory(): { dynamic_shared_memory_type?: string } {
  if (process.platform !== "linux") return {};
  const { bsize, blocks } = fs.existsSync("/dev/shm") ? fs.statfsSync("/dev/shm") : { bsize: 0, blocks: 0 };
  return bsize * blocks < 512 * 1024 * 1024 ? { dynamic_shared_memory_type: "sysv" } : {};
}

/** The port of the last start if it is free, so that a restarted server is found by those who knew it. */
async function choosePort(place: Place): Promise<number> {
  const options = path.join(place.dir, "postmaster.opts");
  const last = fs.existsSync(options) ? Number(/"-p" "(\d+)"/.exec(fs.readFileSync(options, "utf8"))?.[1] ?? 0) : 0;
  return (await listenOnce(last)) ?? (await listenOnce(0)) ?? 0;
}

function listenOnce(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const probe = net.createServer().once("error", () => resolve(null));
    probe.listen(port, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => resolve(typeof address === "object" && address ? address.port : null));
    });
  });
}

async function answers(place: Place, port: number): Promise<boolean> {
  try {
    const url = address(place, ownerRole, port, "postgres");
    const { rows } = await withClient(url, (client) => client.query<{ data_directory: string }>("show data_directory"));
    return realPath(rows[0]?.data_directory ?? "") === realPath(place.dir);
  } catch {
    return false;
  }
}

async function provideServingRole(url: string, servingPassword: string): Promise<void> {
  await withClient(url, async (client) => {
    // Several starts at once: the lock is held until the connection closes.
    await client.query("select pg_advisory_lock(7277464)");
    const role = await client.query("select from pg_roles where rolname = $1", [servingRole]);
    if (role.rowCount === 0) {
      const plain = "login nosuperuser nocreatedb nocreaterole noreplication nobypassrls";
      await client.query(`create role ${servingRole} ${plain} password ${client.escapeLiteral(servingPassword)}`);
    }
    const exists = await client.query("select from pg_database where datname = $1", [database]);
    if (exists.rowCount === 0) await client.query(`create database ${database}`);
  });
}

async function withClient<Result>(url: string, work: (client: pg.Client) => Promise<Result>): Promise<Result> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 5000 });
  client.on("error", () => {}); // a server that dies under us also fails the query
  try {
    await client.connect();
    return await work(client);
  } finally {
    await client.end().catch(() => {});
  }
}

function address(place: Place, role: keyof typeof passwordFile, port: number, name: string): string {
  return `postgres://${role}:${password(place, role)}@127.0.0.1:${port}/${name}?sslmode=disable`;
}

function password(place: Place, role: keyof typeof passwordFile): string {
  return fs.readFileSync(path.join(place.dir, passwordFile[role]), "utf8");
}

function writeSecret(place: Place, file: string): void {
  fs.writeFileSync(file, randomBytes(18).toString("base64url"), { mode: 0o600 });
  giveTo(place, file);
}

function giveTo({ account }: Place, file: string): void {
  if (account.uid !== undefined) fs.chownSync(file, account.uid, account.gid);
}

/**
 * The server is told none of our secrets, which its account could read from its process. Messages are asked for in
 * English, since we read them.
 */
function serverEnvironment(): NodeJS.ProcessEnv {
  const system = ["PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "TMPDIR", "TEMP", "TMP", "SystemRoot"];
  const told: Record<string, string | undefined> = { LC_ALL: "C" };
  for (const name of system) if (process.env[name] !== undefined) told[name] = process.env[name];
  return told as NodeJS.ProcessEnv;
}

/** Runs one of PostgreSQL's programs as the unprivileged account. */
function run(place: Place, name: "initdb" | "pg_ctl", args: string[]): Promise<{ code: number; errors: string }> {
  return new Promise((resolve, reject) => {
    // A server that pg_ctl starts keeps its descriptors for life: no pipe may go there.
    const child = spawn(executable(place, name), args, {
      ...place.account,
      cwd: "/",
      env: serverEnvironment(),
      stdio: ["ignore", "ignore", name === "initdb" ? "pipe" : "ignore"],
    });
    let errors = "";
    child.stderr?.on("data", (chunk) => {
      errors += chunk;
    });
    child.once("error", reject).once("close", (code) => resolve({ code: code ?? 1, errors }));
  });
}

function size(file: string): number {
  return fs.statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function readFrom(file: string, offset: number): string {
  return fs.existsSync(file) ? fs.readFileSync(file).subarray(offset).toString("utf8") : "";
}
