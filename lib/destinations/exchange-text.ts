import { concealJson, concealValues } from "#lib/log.ts";
import type { Get } from "#lib/zendesk/client.ts";
import { cleanText } from "#lib/zendesk/text.ts";

/** So much of a request or an answer is kept. */
const longest = 16 * 1024;
const cut = "… (cut)";

/** A text as it is kept with a delivery: without any secret, and no longer than that. Headers are never in one. */
export function kept(text: string | null): string | null {
  if (text === null) return null;
  const plain = concealValues(text);
  const clean = cleanText(plain !== text && isJson(text) ? concealJson(text) : plain, longest + 1);
  return clean.length > longest ? `${clean.slice(0, longest)}${cut}` : clean;
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

/** What is told of an event or of an answer: the same without any secret (row 115). */
export const withoutSecrets = <Told>(told: Told): Told => JSON.parse(concealJson(JSON.stringify(told))) as Told;

/** JSON as it was, or the text where it was cut or was none. */
export function opened(text: string | null): unknown {
  if (text === null) return null;
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return text;
  }
}

export function pathWithQuery(path: string, query: Get["query"]): string {
  const given = Object.entries(query ?? {}).filter(([, value]) => value !== undefined);
  return given.length === 0 ? path : `${path}?${given.map(([key, value]) => `${key}=${value}`).join("&")}`;
}
