import fs from "node:fs";
import path from "node:path";
import { readStorageConfig } from "#lib/config.ts";
import { fail, given, hereAndThere, interruption, say } from "#lib/launch/command.ts";
import { restore } from "#lib/launch/restore.ts";

// npm run restore -- <file> [--replace]

const usage = `npm run restore -- <file> [--replace]

Brings back what npm run backup saved. Bellwether must not run meanwhile. --replace puts it in the place of what is
there. DATABASE_URL and DATA_DIR say which installation, as for npm start.`;

try {
  const { names, flags } = given({ least: 1, most: 1, flags: ["--replace"], usage });
  const { root, here } = hereAndThere();
  const config = readStorageConfig(process.env);
  const storage = { databaseUrl: config.databaseUrl, dataDir: path.resolve(root, config.dataDir) };
  const file = path.resolve(here, names[0] ?? "");
  const { manifest, movedAside } = await restore(storage, file, {
    replace: flags.includes("--replace"),
    now: new Date(),
    signal: interruption(),
  });
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
  say(`Restored ${rows.toLocaleString("en")} rows as they stood at ${manifest.createdAt}.`);
  for (const aside of movedAside) say(`What stood in its place before is kept as ${aside}`);
  const secrets = path.join(storage.dataDir, "secrets.json");
  if (!manifest.kept.some(({ name }) => name === "secrets.json")) {
    say("The backup holds no keys: start with the ENCRYPTION_KEY of the installation that it comes from.");
  } else if (storage.databaseUrl !== null && fs.existsSync(secrets)) {
    say(`The backup's keys stand in ${secrets}: AUTH_SECRET, ENCRYPTION_KEY and CRON_SECRET have to be those.`);
  }
  say("The next start goes on reading from where the backup stands.");
} catch (error) {
  fail(error);
}
