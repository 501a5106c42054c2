import fs from "node:fs";
import path from "node:path";
import { admitServingRole } from "#db/embedded.ts";
import { holdPostgres } from "#db/embedded-hold.ts";
import { migrateToLatest } from "#db/migrate.ts";
import { type LaunchConfig, readLaunchConfig } from "#lib/config.ts";
import { claimPort, localAddress, waitUntilReady } from "#lib/launch/address.ts";
import { type Child, startChild } from "#lib/launch/child.ts";
import { fillDemo, type StandIn, startStandIn } from "#lib/launch/demo.ts";
import { prepareWorkspace } from "#lib/launch/first-start.ts";
import { keepAdministrator, keepSecrets, settleAdministrator } from "#lib/launch/kept.ts";
import { serverEnvironment, startServer } from "#lib/launch/server.ts";
import { type DemoState, welcome } from "#lib/launch/welcome.ts";

// Everything of `npm start` that comes after the packages are installed.

const root = path.resolve(import.meta.dirname, "..", "..");
const dev = process.argv.includes("--dev");
const readySeconds = 120;

/** What to undo at the end, newest first. */
const closers: (() => Promise<void>)[] = [];
let ending = false;

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => end(0));
process.on("disconnect", () => end(0)); // the process that started us was killed
process.channel?.unref();
for (const stream of [process.stdout, process.stderr]) stream.on("error", () => {}); // nobody reads on: no reason to die

await serve().catch((error) => fail(error));

async function serve(): Promise<void> {
  const config = readLaunchConfig(process.env);
  const dataDir = path.resolve(root, config.dataDir);
  const port = await claimPort(config.server.host, config.server.port);
  const secrets = keepSecrets(dataDir, config.secrets);
  const administrator = keepAdministrator(dataDir, config.administrator);

  const standIn = config.demo ? openStandIn(dataDir) : null;
  const [databaseUrl, company] = await Promise.all([
    openDatabase(config, dataDir),
    standIn?.company ?? null,
    dev ? null : build(),
  ]);
  const workspace = await prepareWorkspace(databaseUrl, config, administrator, new Date());
  settleAdministrator(administrator, workspace.administratorCreated);

  const zendeskUrl = company?.url ?? config.zendesk.urlTemplate;
  const settings = { config, databaseUrl, secrets, dataDir, port, zendeskUrl };
  const server = startServer(root, serverEnvironment(process.env, settings), dev);
  closers.push(server.stop);
  const local = localAddress(config.server.host, port);
  const ready = await waitUntilReady(`${local}/api/health/ready`, { seconds: readySeconds, ended: server.ended });
  if (ending) return;
  if (!ready) throw new Error(await whyNotReady(server));
  const demo = standIn ? await bringDemo(standIn, local, workspace.demoApiKey) : "none";

  const address = config.server.publicUrl ?? local;
  const hasKeptPassword = administrator.file !== null && fs.existsSync(administrator.file);
  const created = workspace.administratorCreated;
  const isEmbedded = config.database.url === null;
  say(welcome({ address, administrator, created, demo, dataDir, isEmbedded, hasKeptPassword }));
  const code = await server.ended;
  if (!ending) throw new Error(`The server ended by itself (exit code ${code}).`);
}

/** The migrated database's address for serving. */
async function openDatabase(config: LaunchConfig, dataDir: string): Promise<string> {
  if (config.database.url !== null) {
    await migrateToLatest(config.database.url).catch((error) => {
      throw new Error(`The database that DATABASE_URL names cannot be prepared: ${describe(error)}`, { cause: error });
    });
    return config.database.url;
  }
  const postgres = await holdPostgres(path.join(dataDir, "pg"), (error) =>
    fail(new Error(`The embedded PostgreSQL ended and did not come back as it was. ${describe(error)}`)),
  );
  closers.push(postgres.release);
  await migrateToLatest(postgres.ownerUrl);
  await admitServingRole(postgres.ownerUrl);
  return postgres.url;
}

async function build(): Promise<void> {
  const child = startChild([path.join(root, "lib", "launch", "build.mjs")], {
    cwd: root,
    env: process.env,
    onLine: say,
  });
  closers.push(child.stop);
  if ((await child.ended) !== 0) throw new Error("Bellwether could not be built; the reason stands above.");
}

function openStandIn(dataDir: string): StandIn {
  const standIn = startStandIn(root, dataDir, process.env, new Date());
  closers.push(standIn.child.stop);
  standIn.child.ended.then(() => ending || say("The demo's stand-in Zendesk ended; a new start brings it back."));
  return standIn;
}

async function whyNotReady(server: Child): Promise<string> {
  const code = await Promise.race([server.ended, null]);
  if (code !== null) return `The server ended before it was ready (exit code ${code}).`;
  return `The server was not ready after ${readySeconds} seconds; GET /api/health/ready says why.`;
}

/** Without a key the workspace is filled already. A demo that cannot be filled still lets its visitor in. */
async function bringDemo(standIn: StandIn, local: string, apiKey: string | undefined): Promise<DemoState> {
  if (apiKey === undefined) return "filled";
  try {
    await fillDemo(local, apiKey, standIn);
    return "filling";
  } catch (error) {
    say(`The demo workspace could not be filled; the next start tries again. ${describe(error)}`);
    return "none";
  }
}

/** What fails because we are ending already is no news. */
async function fail(error: unknown): Promise<void> {
  if (ending) return;
  process.stderr.write(`${describe(error)}\n`);
  await end(1);
}

async function end(code: number): Promise<void> {
  if (ending) return; // a terminal's Ctrl-C reaches us twice: by itself and through our parent
  ending = true;
  for (const close of closers.reverse()) await close().catch((error) => process.stderr.write(`${describe(error)}\n`));
  process.exit(code);
}

function describe(error: unknown): string {
  if (!(error instanceof Error)) return String(error ?? "");
  return error.message || ("code" in error && String(error.code)) || error.name;
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
