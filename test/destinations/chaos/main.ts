import { randomInt } from "node:crypto";
import { parseArgs } from "node:util";
import { openDatabase } from "#db/client.ts";
import { openChaosDatabase, openServer } from "#test/chaos/database.ts";
import { runWriteChaos } from "#test/destinations/chaos/run.ts";

/** `npm run chaos:writes -- --events N --seed S`: ends with 1 where an event had its effect twice, or none without a reason. */
const { values } = parseArgs({ options: { events: { type: "string", default: "1000" }, seed: { type: "string" } } });
const seed = values.seed === undefined ? randomInt(1, 2 ** 31) : Number(values.seed);
const tell = (text: string) => void process.stdout.write(`${text}\n`);

const server = await openServer();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void server.close().finally(() => process.exit(1)));
}
let isFine = false;
try {
  const database = await openChaosDatabase(server.url);
  const { db } = openDatabase(database.url, { poolSize: 12 });
  try {
    const report = await runWriteChaos({ db, seed, events: Number(values.events), tell });
    tell(JSON.stringify(report, null, 2));
    isFine = report.violations.length === 0;
  } finally {
    await db.destroy();
    await database.close();
  }
} finally {
  await server.close();
}
tell(isFine ? `seed ${seed}: each effect once` : `FAILED: seed ${seed}`);
process.exit(isFine ? 0 : 1);
