import { randomInt } from "node:crypto";
import { appendFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { runChaos } from "./chaos.ts";
import { openServer } from "./database.ts";
import { tellReport } from "./report.ts";
import { spellKinds } from "./spells.ts";

/**
 * `npm run chaos -- --seed N --hours H`: one run; `--seeds K`: K fresh seeds, one after the other. Ends with 1 when any
 * invariant was violated.
 */
const { values } = parseArgs({
  options: {
    seed: { type: "string" },
    seeds: { type: "string", default: "1" },
    hours: { type: "string", default: "24" },
    tickets: { type: "string", default: "90" },
    intensity: { type: "string", default: "1" },
    /** Only this kind of spell. */
    spell: { type: "string" },
    /** A file for the product's own log. */
    log: { type: "string" },
    first: { type: "boolean", default: false },
    quiet: { type: "boolean", default: false },
  },
});
const fresh = () => Array.from({ length: Number(values.seeds) }, () => randomInt(1, 2 ** 31));
const seeds = values.seed === undefined ? fresh() : [Number(values.seed)];
const tell = (text: string) => void process.stdout.write(`${text}\n`);

const server = await openServer();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => void server.close().finally(() => process.exit(1)));
}
const failed: number[] = [];
try {
  for (const seed of seeds) {
    tell(`seed ${seed}`);
    const report = await runChaos({
      seed,
      hours: Number(values.hours),
      server: server.url,
      size: { tickets: Number(values.tickets) },
      intensity: Number(values.intensity),
      untilFirst: values.first,
      ...(values.log ? { hear: (line: string) => appendFileSync(values.log ?? "", line) } : {}),
      ...(values.spell ? { spells: spellKinds.filter((kind) => kind === values.spell) } : {}),
      ...(values.quiet ? {} : { tell }),
    });
    tell(tellReport(report));
    if (report.violations.length > 0) failed.push(seed);
  }
} finally {
  await server.close();
}
tell(
  failed.length === 0 ? `all of ${seeds.length} converged` : `FAILED: ${failed.join(", ")}; run one again with --seed`,
);
process.exit(failed.length === 0 ? 0 : 1);
