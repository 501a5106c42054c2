import { createHash } from "node:crypto";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { copyStatic } from "./copy-static.mjs";
import { withLock } from "./lock.mjs";
import { runQuietly } from "./run.mjs";

/** What the server is made of. Beside these folders, the settings and entry points in the project's own folder. */
const folders = ["app", "db", "lib", "public"];
const followParent = new URL("./follow-parent.mjs", import.meta.url).href;
// The build may rewrite tsconfig.json and next-env.d.ts itself, which must not call for another build.
const outside = /^(vitest|playwright)\.config\.|^tsconfig\.json$|^next-env\.d\.ts$/;
const launcher = path.join("lib", "launch", path.sep);

/**
 * Builds the server where its sources changed since the last build. Two starts at once build once.
 *
 * @param {string} root the project's folder
 */
export async function ensureBuilt(root) {
  await withLock(root, "build", {
    onWait: () => console.log("Another start is building; waiting for it."),
    work: async () => {
      const sources = hashSources(root);
      const stamp = path.join(root, ".next", "bellwether-sources");
      if (readStamp(stamp) === sources) return;
      console.log("Building (half a minute the first time) …");
      fs.rmSync(stamp, { force: true });
      const next = path.join(root, "node_modules", "next", "dist", "bin", "next");
      await runQuietly(process.execPath, ["--import", followParent, next, "build"], {
        cwd: root,
        env: {
          ...process.env,
          NODE_ENV: "production",
          NEXT_TELEMETRY_DISABLED: "1",
          BELLWETHER_LAUNCHER: String(process.pid),
        },
        failure: "The build failed",
      });
      copyStatic(root);
      fs.writeFileSync(stamp, sources); // last: an interrupted build is made again
    },
  });
}

/** @returns {string} a digest of every file that the build reads */
export function hashSources(root) {
  const hash = createHash("sha256");
  for (const file of sourceFiles(root)) {
    hash
      .update(`${file}\0`)
      .update(fs.readFileSync(path.join(root, file)))
      .update("\0");
  }
  return hash.digest("hex");
}

function sourceFiles(root) {
  const settings = fs.readdirSync(root, { withFileTypes: true }).filter((entry) => entry.isFile());
  const names = settings
    .map((entry) => entry.name)
    .filter((name) => /\.(ts|mjs|json)$/.test(name) && !outside.test(name));
  const inFolders = folders
    .filter((folder) => fs.existsSync(path.join(root, folder)))
    .flatMap((folder) =>
      fs
        .readdirSync(path.join(root, folder), { recursive: true, withFileTypes: true })
        .filter((entry) => entry.isFile())
        .map((entry) => path.relative(root, path.join(entry.parentPath ?? entry.path, entry.name))),
    );
  return [...names, ...inFolders.filter((file) => !file.startsWith(launcher))].sort();
}

function readStamp(stamp) {
  return fs.existsSync(stamp) ? fs.readFileSync(stamp, "utf8") : null;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  await ensureBuilt(path.resolve(path.dirname(fileURLToPath(import.meta.url)), "..", "..")).catch((error) => {
    console.error(error.message);
    process.exitCode = 1;
  });
}
