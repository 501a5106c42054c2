import { parseArgs } from "node:util";
import { BrokenCopy } from "./broken-copy.ts";
import { openServer } from "./database.ts";
import { type Variant, variants } from "./variants.ts";

/**
 * `npm run chaos:teeth`: the product broken on purpose, one way after the other, in a copy of the sources. The chaos run must
 * notice each of them and name an invariant; the product as it is must pass under the same seeds. `--only text` takes the
 * variants whose name holds it.
 */
const { values } = parseArgs({
  options: {
    only: { type: "string", default: "" },
    hours: { type: "string", default: "4" },
    intensity: { type: "string", default: "4" },
    /** A variant is tried under so many seeds until one of them notices it. */
    seeds: { type: "string", default: "4" },
  },
});
const firstSeed = 7001;

interface Bite {
  seed: number;
  invariant: string;
  what: string;
}

const server = await openServer();
const copy = new BrokenCopy();
let missed = 0;
try {
  const chosen = variants.filter(({ name }) => name.includes(values.only));
  const sound = new Set<string>();
  for (const variant of chosen) {
    const bite = await tryVariant(variant);
    missed += bite ? 0 : 1;
    tell(
      bite ? `${variant.name} → ${bite.invariant} (seed ${bite.seed}): ${bite.what}` : `${variant.name} → NOT NOTICED`,
    );
    if (bite) sound.add(JSON.stringify([bite.seed, variant.under ?? []]));
  }
  for (const [seed, under] of [...sound].map((text) => JSON.parse(text) as [number, string[]])) {
    const bite = await chaos(seed, under);
    missed += bite ? 1 : 0;
    const verdict = bite ? `${bite.invariant}: ${bite.what}` : "no invariant violated";
    tell(`unbroken, seed ${seed}${under.length > 0 ? ` under ${under.join()}` : ""} → ${verdict}`);
  }
} finally {
  copy.close();
  await server.close();
}
tell(missed === 0 ? "every variant was noticed, and nothing else" : `${missed} WRONG`);
process.exit(missed === 0 ? 0 : 1);

function tryVariant({ replacements, under }: Variant): Promise<Bite | null> {
  return copy.broken(replacements, async () => {
    for (let n = 0; n < Number(values.seeds); n++) {
      const bite = await chaos(firstSeed + n, under ?? []);
      if (bite) return bite;
    }
    return null;
  });
}

/** One short run in a process of its own, up to its first violation. */
async function chaos(seed: number, under: readonly string[]): Promise<Bite | null> {
  const { hours, intensity } = values;
  const options = [
    "--seed",
    String(seed),
    "--hours",
    hours,
    "--intensity",
    intensity,
    "--tickets",
    "60",
    "--first",
    "--quiet",
  ];
  const spell = under.length > 0 ? ["--spell", under.join()] : [];
  const { code, said: text } = await copy.run("test/chaos/main.ts", [...options, ...spell], server.url);
  const found = /^ {2}(INV-[A-Z]+) at \S+: (.*)$/m.exec(text);
  if (code === 0) return null;
  if (!found)
    throw new Error(`The run of seed ${seed} ended with ${code} and names no invariant:\n${text.slice(-4000)}`);
  return { seed, invariant: found[1] ?? "", what: (found[2] ?? "").slice(0, 200) };
}

function tell(line: string): void {
  process.stdout.write(`${line}\n`);
}
