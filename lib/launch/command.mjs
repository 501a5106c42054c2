import path from "node:path";
import { fileURLToPath } from "node:url";
import { ensureInstalled, requireNode } from "./install.mjs";
import { runThrough } from "./run.mjs";

// `npm run backup` and `npm run restore`: as `npm start`, they need Node.js and nothing else.

const root = path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..");
const [command, ...args] = process.argv.slice(2);

requireNode();
try {
  await ensureInstalled(root);
  const script = path.join(root, "lib", "launch", `${command}-command.ts`);
  process.exitCode = await runThrough(process.execPath, ["--import", "tsx", script, ...args], { cwd: root });
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
}
