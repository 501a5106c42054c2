import type { DoctorCheck } from "#lib/connections/shapes.ts";

/** How the requests that a Zendesk account allows in a window of time are used. */
export interface Budget {
  name: string;
  limit: number;
  ours: number;
  others: number;
}

const sentence = /\s*([^.:;]+): ([\d,]+) (?:a minute|in a window), ([\d,]+) used by us, ([\d,]+) by others[^.]*\.?/g;
const numberOf = (text: string | undefined) => Number((text ?? "").replaceAll(",", ""));
const capitalized = (text: string) => text.charAt(0).toUpperCase() + text.slice(1);

/** The budgets that the text of a check speaks of, one a bucket, and the words that speak of something else. */
export function budgetsIn({ key, found }: Pick<DoctorCheck, "key" | "found">): { budgets: Budget[]; words: string } {
  if (key !== "rate_limits") return { budgets: [], words: found };
  const budgets = [...found.matchAll(sentence)].map(([, name, limit, ours, others]) => ({
    name: capitalized((name ?? "").trim()),
    limit: numberOf(limit),
    ours: numberOf(ours),
    others: numberOf(others),
  }));
  return { budgets, words: found.replace(sentence, "").trim() };
}
