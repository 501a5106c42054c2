import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ensureBrowser } from "./browser.mjs";
import { ensureBuilt } from "./build.mjs";
import { ensureInstalled, npm, requireNode } from "./install.mjs";
import { runThrough } from "./run.mjs";

// `npm test`: types, lint and format, then every test. Each part runs even where an earlier one failed; the last line
// says how many tests passed and failed.

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
const reports = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-reports-"));

requireNode();
try {
  await ensureInstalled(root);
  process.exitCode = await everything();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  fs.rmSync(reports, { recursive: true, force: true });
}

async function everything() {
  const isSound = (await check()) === 0;
  const unit = await unitTests();
  const browser = await browserTests().catch((error) => {
    console.error(error.message);
    return { passed: 0, failed: 1 };
  });
  const passed = unit.passed + browser.passed;
  const failed = unit.failed + browser.failed;
  if (!isSound) console.log("\nnpm run check does not pass.");
  console.log(`\n${passed} passed, ${failed} failed`);
  return isSound && failed === 0 && unit.passed > 0 && browser.passed > 0 ? 0 : 1;
}

function check() {
  const [command, args] = npm();
  return run(command, [...args, "run", "--silent", "check"], {});
}

async function unitTests() {
  const report = path.join(reports, "vitest.json");
  const vitest = path.join(root, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const code = await run(process.execPath, [vitest, "run", ...reporters], {});
  const { numPassedTests = 0, numFailedTests = 0 } = readReport(report);
  return counted(code, numPassedTests, numFailedTests);
}

async function browserTests() {
  const browser = await ensureBrowser();
  await ensureBuilt(root);
  const report = path.join(reports, "playwright.json");
  const playwright = path.join(root, "node_modules", "@playwright", "test", "cli.js");
  const code = await run(process.execPath, [playwright, "test", "--reporter=list,json"], {
    ...browser,
    PLAYWRIGHT_JSON_OUTPUT_NAME: report,
  });
  const { expected = 0, unexpected = 0 } = readReport(report).stats ?? {};
  return counted(code, expected, unexpected);
}

/** A file that cannot be loaded counts no failed test and fails all the same. */
function counted(code, passed, failed) {
  return { passed, failed: code === 0 ? failed : Math.max(failed, 1) };
}

function readReport(file) {
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {};
}

function run(command, args, env) {
  // Packages change their behaviour under NODE_ENV=production, which a shell may well have set.
  const { NODE_ENV: _mode, ...inherited } = process.env;
  return runThrough(command, args, { cwd: root, env: { ...inherited, NEXT_TELEMETRY_DISABLED: "1", ...env } });
}
