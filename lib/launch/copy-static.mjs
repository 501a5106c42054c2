import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

/**
 * Puts the files that the browser asks for beside the standalone server: the build leaves them out, for those who serve
 * them from elsewhere.
 *
 * @param {string} root the project's folder
 */
export function copyStatic(root) {
  const standalone = path.join(root, ".next", "standalone");
  if (!fs.existsSync(path.join(standalone, "server.js"))) throw new Error("The build ended without a server.");
  replace(path.join(root, ".next", "static"), path.join(standalone, ".next", "static"));
  if (fs.existsSync(path.join(root, "public"))) replace(path.join(root, "public"), path.join(standalone, "public"));
}

function replace(source, target) {
  fs.rmSync(target, { recursive: true, force: true });
  fs.cpSync(source, target, { recursive: true });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  copyStatic(path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", ".."));
}
