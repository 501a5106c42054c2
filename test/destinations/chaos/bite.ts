import type { BrokenCopy } from "#test/chaos/broken-copy.ts";

/**
 * What the chaos of writes says first against a copy of the sources; null where it has nothing to say. Throws where the run
 * broke off without having said anything.
 */
export async function biteOf(
  copy: BrokenCopy,
  { seed, events }: { seed: number; events: number },
  server: string,
): Promise<string | null> {
  const options = ["--seed", String(seed), "--events", String(events)];
  const { code, said } = await copy.run("test/destinations/chaos/main.ts", options, server);
  if (code === 0) return null;
  const found = /"violations": \[\s*("(?:[^"\\]|\\.)*")/.exec(said)?.[1];
  if (!found) throw new Error(`The run of seed ${seed} ended with ${code} and names nothing:\n${said.slice(-4000)}`);
  return (JSON.parse(found) as string).slice(0, 200);
}
