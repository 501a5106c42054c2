import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { openDatabase } from "#db/client.ts";
import { randomFrom } from "#test/metrics/random.ts";
import { type Bench, connect, type Options } from "./bench.ts";
import { generateWorkspace } from "./generate.ts";
import { warmed } from "./measure.ts";
import { Reference } from "./reference.ts";
import { accountRows } from "./rows/account.ts";
import { doorRows } from "./rows/doors.ts";
import { historyRows } from "./rows/history.ts";
import { portfolioRows } from "./rows/portfolio.ts";
import { rebuildRows } from "./rows/rebuild.ts";
import { securityRows } from "./rows/security.ts";
import { syncRows } from "./rows/sync.ts";
import { openServer } from "./server.ts";
import { printTable, type Row } from "./table.ts";

const leftOut = [
  "16: left out: the product has no search for words in tickets yet.",
  "18, 19: left out: they need the built web server.",
];

/**
 * `npm run bench -- --tickets N --accounts M`: makes data of that size in a database of its own, measures the product
 * beside limits that do less, by turns in one run, and prints one table of ratios.
 */
const options = readOptions(process.argv.slice(2));
const server = await openServer(options.keep);
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  // A server of millions of tickets must not outlive a run that somebody gave up.
  process.once(signal, () => void server.close().finally(() => process.exit(1)));
}
const { db } = openDatabase(server.url, { poolSize: 4 });
const owner = await connect(server.ownerUrl);
const wal = await connect(server.ownerUrl);
try {
  const smallSize = { tickets: Math.ceil(options.tickets / 5), accounts: Math.ceil(options.accounts / 5) };
  tell(`PostgreSQL ${server.version}; generating ${options.tickets} tickets of ${options.accounts} accounts`);
  const scope = await generateWorkspace(owner, db, options);
  const small = await generateWorkspace(owner, db, { ...smallSize, seed: options.seed + 1 });
  const places = { db: await warmed(db), url: server.url, ownerUrl: server.ownerUrl, owner, wal };
  const random = randomFrom(options.seed);
  const calls = Math.min(100, Math.max(20, Math.floor(options.tickets / 500)));
  const bench: Bench = { ...options, ...places, scope, small, smallSize, random, footnotes: new Set(), calls };
  await seeWorkspace(bench);
  const rows = await measure(bench);
  const size = `${options.tickets} tickets, ${options.accounts} accounts, seed ${options.seed}`;
  const notes = [
    `${size}, ${options.rounds} rounds, PostgreSQL ${server.version}, Node ${process.version}`,
    ...bench.footnotes,
  ];
  process.stdout.write(`${printTable(rows, [...notes, ...leftOut])}\n`);
  if (options.json !== null) writeFileSync(options.json, `${JSON.stringify(rows, null, 2)}\n`);
} finally {
  await owner.end();
  await wal.end();
  await db.destroy();
  await server.close();
}

async function measure(bench: Bench): Promise<Row[]> {
  const rows: Row[] = [];
  tell("loading DuckDB");
  const reference = await Reference.load(bench.owner, bench.scope);
  try {
    tell("rows 1, 2, 9, 15: rebuild");
    rows.push(...(await rebuildRows(bench, reference)));
    tell("rows 3–7: portfolio");
    rows.push(...(await portfolioRows(bench, reference)));
  } finally {
    reference.close();
  }
  tell("row 8: account");
  rows.push(...(await accountRows(bench)));
  tell("rows 10–14, 20: sync");
  rows.push(...(await syncRows(bench)));
  tell("row 17: row-level security");
  rows.push(...(await securityRows(bench)));
  tell("row 21: random history");
  rows.push(...(await historyRows(bench)));
  tell("row 22: event doors");
  rows.push(...(await doorRows(bench)));
  return rows.sort((a, b) => Number(a.number) - Number(b.number));
}

/** The owner reads the larger workspace where its login is bound too. */
async function seeWorkspace({ owner, scope }: Bench): Promise<void> {
  await owner.query("select set_config('app.workspace', $1, false)", [String(scope.workspaceId)]);
}

function readOptions(words: string[]): Options {
  const { values } = parseArgs({
    args: words,
    options: {
      tickets: { type: "string", default: "200000" },
      accounts: { type: "string", default: "10000" },
      seed: { type: "string", default: "1" },
      rounds: { type: "string", default: "7" },
      keep: { type: "boolean", default: false },
      json: { type: "string" },
    },
  });
  const whole = (name: "tickets" | "accounts" | "seed" | "rounds", least: number) => {
    const number = Number(values[name]);
    if (Number.isInteger(number) && number >= least) return number;
    throw new Error(`--${name} must be a whole number of at least ${least}, not “${values[name]}”.`);
  };
  return {
    tickets: whole("tickets", 1000),
    accounts: whole("accounts", 10),
    seed: whole("seed", 0),
    rounds: whole("rounds", 1),
    keep: values.keep,
    json: values.json ?? null,
  };
}

function tell(text: string): void {
  process.stderr.write(`${new Date().toISOString().slice(11, 19)} ${text}\n`);
}
