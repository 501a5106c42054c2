import path from "node:path";
import { readStorageConfig } from "#lib/config.ts";
import { backup, backupName } from "#lib/launch/backup.ts";
import { fail, given, hereAndThere, interruption, say } from "#lib/launch/command.ts";

// npm run backup [file]

const usage = `npm run backup [-- <file>]

Saves everything of this installation in one file, also while Bellwether runs. Without a name:
${backupName(new Date())} in the current folder. DATABASE_URL and DATA_DIR say which installation, as for npm start.`;

try {
  const { names } = given({ most: 1, flags: [], usage });
  const now = new Date();
  const { root, here } = hereAndThere();
  const { databaseUrl, dataDir } = readStorageConfig(process.env);
  const file = path.resolve(here, names[0] ?? backupName(now));
  const manifest = await backup({ databaseUrl, dataDir: path.resolve(root, dataDir) }, file, now, interruption());
  const rows = manifest.tables.reduce((sum, table) => sum + table.rows, 0);
  say(`Saved ${rows.toLocaleString("en")} rows of ${manifest.tables.length} tables in ${file}`);
  // Kept keys are those in use only where the environment gives no others.
  const hasKeys = databaseUrl === null && !process.env.ENCRYPTION_KEY;
  if (hasKeys && manifest.kept.some(({ name }) => name === "secrets.json")) {
    say("KEEP IT AS YOU KEEP A PASSWORD: it holds the keys of the stored Zendesk logins, and everybody's data.");
  } else {
    say(
      "IT DOES NOT HOLD THE KEYS: without this installation's ENCRYPTION_KEY, the stored Zendesk logins cannot be read.",
    );
  }
} catch (error) {
  fail(error);
}
