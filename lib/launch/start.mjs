import { spawn } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { ensureInstalled, requireNode } from "./install.mjs";

// `npm start`: needs Node.js and nothing else. Installs what the lock file names, then hands over to serve.ts, which is
// TypeScript and needs those packages. `--dev` serves with the development server.

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");

requireNode();
try {
  await ensureInstalled(root);
  process.exitCode = await serve();
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}

function serve() {
  const args = ["--import", "tsx", path.join(root, "lib", "launch", "serve.ts"), ...process.argv.slice(2)];
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, args, { cwd: root, stdio: ["ignore", "inherit", "inherit", "ipc"] });
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
    const watch = watchParent(() => child.kill("SIGTERM"));
    child.once("error", reject).once("close", (code) => {
      clearInterval(watch);
      resolve(code ?? 1);
    });
  });
}

/** npm may be killed without a word to us; nobody could then stop us, and the next start would find the port taken. */
function watchParent(stop) {
  const isOurs = process.env.npm_lifecycle_event !== undefined;
  const before = ancestors();
  return setInterval(() => isOurs && ancestors() !== before && stop(), 1000);
}

/** Our parent and its parent: npm runs us through a shell, which outlives it. */
function ancestors() {
  const status = `/proc/${process.ppid}/status`;
  const grandparent = fs.existsSync(status) ? /^PPid:\s+(\d+)/m.exec(fs.readFileSync(status, "utf8"))?.[1] : "";
  return `${process.ppid} ${grandparent}`;
}
