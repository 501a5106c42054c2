import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { ensurePostgres, stopPostgres } from "#db/embedded.ts";
import { isAlive } from "#db/embedded-postmaster.ts";
import { dropDatabase, offerServer } from "#test/support/template-database.ts";

const prefix = "bellwether-test-";

/**
 * One PostgreSQL for the whole test run, on which each test file makes a database of its own: the server that
 * DATABASE_URL names, else an embedded one in a temporary folder.
 */
export default async function setUp(): Promise<() => Promise<void>> {
  const { DATABASE_URL: given } = process.env;
  if (given) {
    const template = await offerServer(given);
    return () => dropDatabase(given, template);
  }
  await removeAbandoned();
  const folder = fs.mkdtempSync(path.join(os.tmpdir(), `${prefix}${process.pid}-`));
  const cluster = path.join(folder, "pg");
  const { ownerUrl } = await ensurePostgres(cluster, { throwaway: true });
  await offerServer(ownerUrl);
  return async () => {
    await stopPostgres(cluster);
    fs.rmSync(folder, { recursive: true, force: true });
  };
}

/** A run that was killed leaves its server behind; the next one clears it away. */
async function removeAbandoned(): Promise<void> {
  for (const name of fs.readdirSync(os.tmpdir()).filter((name) => name.startsWith(prefix))) {
    const pid = Number(name.slice(prefix.length).split("-")[0]);
    const folder = path.join(os.tmpdir(), name);
    if (isAlive(pid) || fs.statSync(folder).uid !== process.getuid?.()) continue;
    await stopPostgres(path.join(folder, "pg")).catch(() => {});
    fs.rmSync(folder, { recursive: true, force: true });
  }
}
