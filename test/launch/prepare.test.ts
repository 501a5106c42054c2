import { execFile, spawn } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, expect, test } from "vitest";

const run = promisify(execFile);
const launch = path.resolve(import.meta.dirname, "..", "..", "lib", "launch");
let root: string;

beforeEach(() => {
  root = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-prepare-"));
});

afterEach(() => fs.rmSync(root, { recursive: true, force: true }));

// The launcher is plain JavaScript run by Node.js alone, and is tried as that: each call is a process of its own.
async function call(file: string, expression: string): Promise<string> {
  const script = `import * as it from ${JSON.stringify(path.join(launch, file))};
    const root = process.env.ROOT; console.log(JSON.stringify(await (${expression})) ?? "");`;
  const { stdout } = await run(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, ROOT: root },
  });
  return stdout.trim();
}

function write(file: string, text: string): void {
  fs.mkdirSync(path.dirname(path.join(root, file)), { recursive: true });
  fs.writeFileSync(path.join(root, file), text);
}

function writeLock(file: string, packages: Record<string, object>): void {
  write(file, JSON.stringify({ packages }));
}

const wanted = {
  "": { name: "x" },
  "node_modules/a": { version: "1.0.0" },
  "node_modules/b-here": { version: "1.0.0", optional: true, os: [process.platform], cpu: [process.arch] },
  "node_modules/b-elsewhere": { version: "1.0.0", optional: true, os: ["aix"], cpu: ["ppc64"] },
};
const present = {
  "node_modules/a": { version: "1.0.0" },
  "node_modules/b-here": { version: "1.0.0" },
};

test.each<[string, Record<string, object> | null, boolean]>([
  ["what the lock file names for this platform", present, true],
  ["nothing at all", null, false],
  ["another version", { ...present, "node_modules/a": { version: "1.0.1" } }, false],
  ["no build for this platform", { "node_modules/a": { version: "1.0.0" } }, false],
  ["a package that was since dropped", { ...present, "node_modules/c": { version: "1.0.0" } }, false],
])("node_modules that hold %s are judged rightly", async (_, installed, verdict) => {
  writeLock("package-lock.json", wanted);
  if (installed) writeLock("node_modules/.package-lock.json", installed);
  expect(await call("install.mjs", "it.isInstalled(root)")).toBe(String(verdict));
});

const build = "it.ensureBuilt(root)";

/** A stand-in for the builder, which counts its runs and takes its time. */
function writeBuilder(before = ""): void {
  write(
    "node_modules/next/dist/bin/next",
    `const fs = require("node:fs"); ${before}
     fs.appendFileSync("builds", "built ");
     fs.mkdirSync(".next/static", { recursive: true });
     fs.writeFileSync(".next/static/app.js", "1");
     fs.mkdirSync(".next/standalone", { recursive: true });
     fs.writeFileSync(".next/standalone/server.js", "");
     setTimeout(() => {}, 700);`,
  );
  write("package.json", "{}");
  write("app/page.tsx", "export {}");
}

const builds = () => fs.readFileSync(path.join(root, "builds"), "utf8").split(" ").length - 1;

test("two starts at once build once, and the browser's files stand beside the server", async () => {
  writeBuilder();
  const said = await Promise.all([call("build.mjs", build), call("build.mjs", build)]);
  expect(builds()).toBe(1);
  expect(said.join(" ")).toContain("Another start is building");
  expect(fs.readFileSync(path.join(root, ".next/standalone/.next/static/app.js"), "utf8")).toBe("1");
});

test("a build is made again when a source changed, and only then", async () => {
  writeBuilder();
  await call("build.mjs", build);
  await call("build.mjs", build);
  expect(builds()).toBe(1);
  write("app/page.tsx", "export const a = 1");
  await call("build.mjs", build);
  expect(builds()).toBe(2);
  write("test/x.test.ts", "not a part of the server");
  await call("build.mjs", build);
  expect(builds()).toBe(2);
});

test("a build that failed says why and is tried again", async () => {
  writeBuilder(`console.log("a brace is missing"); process.exit(1);`);
  await expect(call("build.mjs", build)).rejects.toThrow("a brace is missing");
  writeBuilder();
  await call("build.mjs", build);
  expect(builds()).toBe(1);
});

test("a lock whose holder was killed is free at once", async () => {
  const script = `import { withLock } from ${JSON.stringify(path.join(launch, "lock.mjs"))};
    await withLock(process.env.ROOT, "build", { onWait() {}, work: () => new Promise((resolve) => {
      console.log("held"); setTimeout(resolve, 60_000); }) });`;
  const holder = spawn(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, ROOT: root },
    stdio: ["ignore", "pipe", "inherit"],
  });
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  holder.kill("SIGKILL");
  await new Promise((resolve) => holder.once("exit", resolve));
  expect(await call("lock.mjs", `it.withLock(root, "build", { onWait() {}, work: async () => "mine" })`)).toBe(
    '"mine"',
  );
});
