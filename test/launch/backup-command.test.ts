import { execFile } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";
import { openDatabase } from "#db/client.ts";
import { admitServingRole, ensurePostgres, isPostgresRunning, stopPostgres } from "#db/embedded.ts";
import { holdPostgres } from "#db/embedded-hold.ts";
import { migrateToLatest } from "#db/migrate.ts";
import { ensureFirstStart } from "#lib/auth/first-start.ts";
import { keepSecrets } from "#lib/launch/kept.ts";

const root = path.resolve(import.meta.dirname, "..", "..");
const run = promisify(execFile);
let folder: string;

beforeEach(() => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-command-"));
});
afterEach(async () => {
  for (const name of fs.readdirSync(folder)) await stopPostgres(path.join(folder, name, "pg")).catch(() => {});
  fs.rmSync(folder, { recursive: true, force: true });
});

const dataDir = (name: string) => path.join(folder, name);

/** What `npm run backup` and `npm run restore` do, typed in `folder`. */
async function command(name: "backup" | "restore", data: string, ...args: string[]) {
  const { DATABASE_URL: _, ...inherited } = process.env;
  const env = { ...inherited, DATA_DIR: dataDir(data), INIT_CWD: folder };
  const script = path.join(root, "lib", "launch", "command.mjs");
  return run(process.execPath, [script, name, ...args], { cwd: root, env }).then(
    ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
    (error) => ({ code: error.code as number, stdout: String(error.stdout), stderr: String(error.stderr) }),
  );
}

/** What a first start of the embedded product leaves behind. */
async function firstStart(data: string): Promise<void> {
  const cluster = path.join(dataDir(data), "pg");
  keepSecrets(dataDir(data), { auth: null, encryption: null, cron: null });
  const { ownerUrl, url } = await ensurePostgres(cluster, { throwaway: true });
  await migrateToLatest(ownerUrl);
  await admitServingRole(ownerUrl);
  const { db } = openDatabase(url, { poolSize: 1 });
  const administrator = { adminEmail: `${data}@example.com`, adminPassword: "correct horse battery" };
  await ensureFirstStart(db, { demo: false, ...administrator, now: new Date() });
  await db.destroy();
  await stopPostgres(cluster);
}

async function administrators(data: string): Promise<string[]> {
  const cluster = path.join(dataDir(data), "pg");
  const { url } = await ensurePostgres(cluster, { throwaway: true });
  const { db } = openDatabase(url, { poolSize: 1 });
  const rows = await db.selectFrom("app_user").select("email").execute();
  await db.destroy();
  await stopPostgres(cluster);
  return rows.map(({ email }) => email);
}

const secretsOf = (data: string) => fs.readFileSync(path.join(dataDir(data), "secrets.json"), "utf8");

test("an embedded installation is saved while it runs, and comes back elsewhere, keys included, over nothing that runs or is not to be replaced", async () => {
  await firstStart("old");
  const running = await holdPostgres(path.join(dataDir("old"), "pg"), () => {});
  const saved = await command("backup", "old");
  expect(saved.stderr).toBe("");
  expect(saved.stdout).toContain("KEEP IT AS YOU KEEP A PASSWORD");
  const [file = ""] = fs.readdirSync(folder).filter((name) => name.endsWith(".tar.gz"));
  expect(file).toMatch(/^bellwether-backup-\d{8}T\d{6}Z\.tar\.gz$/);
  const over = await command("restore", "old", file, "--replace");
  expect([over.code, over.stderr]).toEqual([1, expect.stringContaining("Bellwether is running on this data")]);
  await running.release();

  const restored = await command("restore", "new", file);
  expect([restored.code, restored.stderr]).toEqual([0, ""]);
  expect(await isPostgresRunning(path.join(dataDir("new"), "pg"))).toBe(false);
  expect(secretsOf("new")).toBe(secretsOf("old"));
  expect(fs.statSync(path.join(dataDir("new"), "secrets.json")).mode & 0o777).toBe(0o600);
  expect(await administrators("new")).toEqual(["old@example.com"]);

  fs.writeFileSync(path.join(dataDir("new"), "secrets.json"), "keys of meanwhile");
  expect((await command("restore", "new", file)).stderr).toContain("--replace");
  expect(secretsOf("new")).toBe("keys of meanwhile");
  const replaced = await command("restore", "new", file, "--replace");
  expect([replaced.code, replaced.stdout]).toEqual([0, expect.stringContaining("secrets.json.before-restore-")]);
  expect(secretsOf("new")).toBe(secretsOf("old"));
  const [aside = ""] = fs.readdirSync(dataDir("new")).filter((name) => name.includes("before-restore"));
  expect(fs.readFileSync(path.join(dataDir("new"), aside), "utf8")).toBe("keys of meanwhile");
}, 180_000);

test("what was typed wrongly is answered with how it is typed", async () => {
  const { code, stderr } = await command("restore", "none", "a", "--force");
  expect([code, stderr]).toEqual([2, expect.stringContaining("npm run restore -- <file> [--replace]")]);
  expect((await command("backup", "none")).stderr).toContain("There is nothing to save");
  expect(fs.existsSync(dataDir("none"))).toBe(false);
});
