import type { Drift, DriftRow, DriftRun } from "#lib/connections/shapes.ts";

type Difference = DriftRow["difference"];

/** The ways in which a stored row can differ from Zendesk's, in the order of the columns. */
export const differences: readonly { key: Difference; words: string; meaning: string }[] = [
  { key: "missing", words: "Missing", meaning: "In Zendesk, not stored here" },
  { key: "extra", words: "Extra", meaning: "Stored here, no longer in Zendesk" },
  { key: "older", words: "Older", meaning: "Stored here in an earlier version" },
  { key: "different", words: "Different", meaning: "The same version with other content" },
];

export const differing = ({ missing, extra, older, different }: Drift) => missing + extra + older + different;

/** A column in words; what has no column of its own is told by the sum over the whole row. */
export const columnWords = (name: string) => (name === "content_hash" ? "other content" : name.replaceAll("_", " "));

/** A check over all its streams. */
export function sumOfStreams({ streams }: DriftRun): Drift {
  const sum = { compared: 0, missing: 0, extra: 0, older: 0, different: 0, repaired: 0 };
  for (const stream of streams) {
    for (const key of Object.keys(sum) as (keyof Drift)[]) sum[key] += stream[key];
  }
  return sum;
}
