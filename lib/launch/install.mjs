import fs from "node:fs";
import path from "node:path";
import { withLock } from "./lock.mjs";
import { runQuietly } from "./run.mjs";

const oldestNode = [20, 19];

/** Ends the process with a clear word on a Node.js that is too old. */
export function requireNode() {
  const [major, minor] = process.versions.node.split(".").map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  console.error(`Bellwether needs Node.js ${oldestNode.join(".")} or newer; this is ${process.versions.node}.`);
  process.exit(1);
}

/**
 * Installs the packages of the lock file where they are absent or differ. Nothing else is downloaded and no package's
 * script is run (row 120).
 *
 * @param {string} root the project's folder
 */
export async function ensureInstalled(root) {
  if (isInstalled(root)) return;
  await withLock(root, "install", {
    onWait: () => console.log("Another start is installing the packages; waiting for it."),
    work: async () => {
      if (isInstalled(root)) return;
      console.log("Installing the packages (about half a minute) …");
      const [command, args] = npm();
      // Development packages too, whatever NODE_ENV says: they build the product and test it.
      const kinds = ["--include=dev", "--include=optional"];
      await runQuietly(command, [...args, "ci", "--ignore-scripts", "--no-audit", "--no-fund", ...kinds], {
        cwd: root,
        shell: process.platform === "win32",
        failure: "The packages could not be installed",
      });
    },
  });
}

/** npm's own record of what it installed, written when it has finished, against the lock file. */
export function isInstalled(root) {
  const installed = readPackages(path.join(root, "node_modules", ".package-lock.json"));
  const wanted = readPackages(path.join(root, "package-lock.json"));
  if (installed === null || wanted === null) return false;
  const differs = Object.entries(wanted).some(([place, entry]) => {
    if (place === "") return false;
    const found = installed[place];
    return found ? found.version !== entry.version : isNeededHere(entry);
  });
  return !differs && Object.keys(installed).every((place) => place in wanted);
}

function readPackages(file) {
  try {
    return JSON.parse(fs.readFileSync(file, "utf8")).packages;
  } catch {
    return null;
  }
}

/** Packages for other platforms stay away; which C library this is, npm decides. */
function isNeededHere({ optional, os, cpu, libc }) {
  if (!optional) return true;
  return Boolean(os?.includes(process.platform) && (!cpu || cpu.includes(process.arch)) && !libc);
}

/** The npm that runs us, else the one on the path. */
export function npm() {
  const running = process.env.npm_execpath;
  return running?.endsWith("npm-cli.js") ? [process.execPath, [running]] : ["npm", []];
}
