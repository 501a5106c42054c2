import type { StreamName } from "#lib/connections/shapes.ts";
import { hashOfText } from "#lib/zendesk/row-reader.ts";
import { cleanText } from "#lib/zendesk/text.ts";
import { isBigint } from "#lib/zendesk/wire.ts";

/*
 * Under which key a row is held: its id; lists of one stream that may use the same ids write their name before it. A row without
 * an id by which it could be known again is held under its own text, so that each is held for itself.
 */

const shared = /^(\w+_fields|custom_statuses|survey|legacy|memberships)$/;
const nameless = "unnamed:";

/** `id`: null where the row has none that could be stored. */
export function heldKey(id: string | null, part: string, text: () => string): string {
  const key = id ?? `${nameless}${hashOfText(text())}`;
  return cleanText(shared.test(part) ? `${part}:${key}` : key);
}

/** Which of the stream's lists the row came from. */
export function partOf(key: string, name: StreamName): string {
  const [before] = key.split(":", 1) as [string];
  return shared.test(before) ? before : name;
}

/** The key without the list's name: the row's id where it has one. */
export function idIn(key: string, name: StreamName): string {
  const part = partOf(key, name);
  return part === name ? key : key.slice(part.length + 1);
}

/** Whether the key tells no row: it will never come again under a key of its own. */
export function isNameless(key: string, name: StreamName): boolean {
  const id = idIn(key, name);
  return id.startsWith(nameless) || (partOf(key, name) !== "survey" && !isBigint(id));
}
