import { parseArgs } from "node:util";
import { BrokenCopy } from "#test/chaos/broken-copy.ts";
import { openServer } from "#test/chaos/database.ts";
import { biteOf } from "#test/destinations/chaos/bite.ts";
import { variants } from "#test/destinations/chaos/variants.ts";

/**
 * `npm run chaos:writes:teeth`: what writes to Zendesk is broken on purpose, one way after the other, in a copy of the
 * sources. The chaos of writes must notice each of them; the product as it is must pass under the same seeds. `--only text`
 * takes the variants whose name holds it.
 */
const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    events: { type: "string", default: "300" },
    /** A variant is tried under so many seeds, of both profiles in turn, until one of them notices it. */
    seeds: { type: "string", default: "6" },
  },
});
const firstSeed = 7001;
const events = Number(values.events);
const tell = (text: string) => void process.stdout.write(`${text}\n`);

const server = await openServer();
const copy = new BrokenCopy();
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.once(signal, () => {
    copy.close();
    void server.close().finally(() => process.exit(1));
  });
}
let wrong = 0;
try {
  const sound = new Set<number>();
  for (const { name, replacements } of variants.filter((variant) => variant.name.includes(values.only))) {
    const bite = await copy.broken(replacements, firstBite);
    if (bite) sound.add(bite.seed);
    else wrong++;
    tell(bite ? `${name} → seed ${bite.seed}: ${bite.what}` : `${name} → NOT NOTICED`);
  }
  for (const seed of sound) {
    const what = await biteOf(copy, { seed, events }, server.url);
    if (what !== null) wrong++;
    tell(`unbroken, seed ${seed} → ${what ?? "each effect once"}`);
  }
} finally {
  copy.close();
  await server.close();
}
tell(wrong === 0 ? "every variant was noticed, and nothing else" : `${wrong} WRONG`);
process.exit(wrong === 0 ? 0 : 1);

async function firstBite(): Promise<{ seed: number; what: string } | null> {
  for (let seed = firstSeed; seed < firstSeed + Number(values.seeds); seed++) {
    const what = await biteOf(copy, { seed, events }, server.url);
    if (what !== null) return { seed, what };
  }
  return null;
}
