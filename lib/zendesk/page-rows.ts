import type { Trx } from "#db/client.ts";
import { insideSavepoint, isAboutRows } from "#db/savepoint.ts";
import { parseUsualInstant } from "#lib/zendesk/dates.ts";
import { heldKey } from "#lib/zendesk/held-keys.ts";
import { rowTexts } from "#lib/zendesk/json.ts";
import { type Page, wrongPage } from "#lib/zendesk/readers.ts";
import { RowReader, type Wire } from "#lib/zendesk/row-reader.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { type Departure, noteDepartures } from "#lib/zendesk/store/departures.ts";
import type { HeldRow } from "#lib/zendesk/store/held-rows.ts";
import type { Stream } from "#lib/zendesk/streams.ts";
import { cleanText } from "#lib/zendesk/text.ts";
import { keyOfRow, whatIsWrong } from "#lib/zendesk/wire.ts";

/** One row of the wire and what became of it. */
interface Item {
  key: string;
  rows: unknown[];
  payload: () => string;
}

export interface MadePage {
  part: string;
  items: Item[];
  /** Rows that are nothing, and rows that are stored without one of their fields. */
  held: HeldRow[];
  read: number;
  /** Texts that had to be cleaned. */
  cleaned: number;
  fetchedAt: Date;
}

export interface StoredPage {
  inserted: number;
  updated: number;
  unchanged: number;
  deleted: number;
  /** Ids that the store gave. */
  ids: string[];
  /** Keys of the rows that changed, as the ledger names them. */
  written: string[];
  left: Departure[];
  held: HeldRow[];
  /** Keys of the rows that were stored. */
  keys: string[];
}

/** Clocks of one account may differ by so much. Milliseconds. */
const mostAhead = 10 * 60_000;
/** So many rows, all of them wrong, are a wrong page: an error, where single wrong rows are held. */
const wrongPageFrom = 10;

/** Wire → rows: a wrong row is held, the others go on (row 55). Pure. */
export function makeRows(stream: Stream, page: Page): MadePage {
  const read = new RowReader();
  const fetchedAt = page.fetchedAt ?? page.requestedAt;
  const { part } = page;
  const made: MadePage = { part, items: [], held: [], read: page.rows.length, cleaned: 0, fetchedAt };
  const schema = stream.wire(page.part);
  const texts = lazily(() => rowTexts(page.text, page.rows));
  for (const [index, wire] of page.rows.entries()) {
    const payload = () => texts()[index] as string;
    const key = keyOfRow(wire, { areTexts: page.part === "survey" });
    const wrong =
      wire?.id === undefined || wire.id === null
        ? "it has no id"
        : (whatIsWrong(schema, wire) ?? (page.part === stream.unversioned ? null : versionAhead(wire, page)));
    const rows = wrong === null ? attempt(() => stream.make(read, wire, payload, page.part)) : [];
    const notes = read.take();
    if (wrong !== null || rows instanceof Error) {
      made.held.push(heldRow(key, payload, wrong ?? (rows as Error).message, page.part));
      continue;
    }
    made.items.push({ key: heldKey(key, page.part, payload), rows, payload });
    // A note about what was erased would keep what is left of its words (row 26).
    if (notes.length === 0 || rows.some((row) => stream.isErased?.(row))) continue;
    made.held.push(heldRow(key, payload, `stored, but: ${notes.join("; ")}`, page.part));
  }
  made.cleaned = read.cleaned;
  if (made.items.length === 0 && made.held.length >= wrongPageFrom) {
    throw wrongPage(stream.name, `none of its ${made.held.length} rows is one (${made.held[0]?.reason})`);
  }
  return made;
}

/** A version that lies in the future would hide every change that comes before it (INV-CONV). */
function versionAhead({ generated_timestamp, updated_at }: Wire, page: Page): string | null {
  const version = parseUsualInstant(generated_timestamp ?? updated_at);
  if (version === null || !isAhead(page, version)) return null;
  return `its version, ${version.toISOString()}, lies in the future`;
}

/** Later than any clock of Zendesk's showed when the page was asked for. */
export function isAhead({ latest }: Pick<Page, "latest">, version: Date): boolean {
  return version.getTime() > latest.getTime() + mostAhead;
}

function heldRow(key: string | null, payload: () => string, reason: string, part: string): HeldRow {
  const text = heldPayload(payload);
  return { key: heldKey(key, part, () => text), payload: text, reason: cleanText(reason, 1000) };
}

function attempt(make: () => unknown[]): unknown[] | Error {
  try {
    return make();
  } catch (error) {
    if (error instanceof RangeError || error instanceof TypeError) return error;
    throw error;
  }
}

function lazily<T>(make: () => T): () => T {
  let made: { value: T } | null = null;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

/**
 * Stores the rows of a page. Where the database refuses them, halves of the page are tried until the rows that it refuses
 * stand alone: those are held, with what the database says (row 55). Which organizations rows have left is noted (row 40).
 */
export async function storeRows(
  trx: Trx,
  stream: Stream,
  scope: Scope,
  made: MadePage,
  now: Date,
): Promise<StoredPage> {
  const stored: StoredPage = {
    inserted: 0,
    updated: 0,
    unchanged: 0,
    deleted: 0,
    ids: [],
    written: [],
    left: [],
    held: [...made.held],
    keys: [],
  };
  const remaining: Item[][] = made.items.length > 0 ? [made.items] : [];
  for (let items = remaining.shift(); items; items = remaining.shift()) {
    try {
      const rows = items.flatMap((item) => item.rows);
      const result = await insideSavepoint(trx, () => stream.store(trx, scope, rows, now, made));
      stored.inserted += result.inserted;
      stored.updated += result.updated;
      stored.unchanged += result.unchanged;
      stored.deleted += result.deleted;
      stored.ids.push(...result.ids);
      stored.written.push(...(result.written ?? result.ids));
      stored.left.push(...(result.left ?? []));
      for (const item of items) stored.keys.push(item.key);
    } catch (error) {
      if (!isAboutRows(error)) throw error;
      const [only] = items;
      if (items.length === 1 && only) {
        stored.held.push({ key: only.key, payload: heldPayload(only.payload), reason: reasonOf(error) });
      } else {
        const middle = Math.ceil(items.length / 2);
        remaining.unshift(items.slice(0, middle), items.slice(middle));
      }
    }
  }
  await noteDepartures(trx, scope, stored.left, now);
  return stored;
}

/** Whole, so that it can be stored one day: it is part of a page, and no page has more than 64 MiB (rows 55, 57). */
function heldPayload(payload: () => string): string {
  return cleanText(payload(), Number.POSITIVE_INFINITY);
}

function reasonOf(error: unknown): string {
  return cleanText((error as Error).message, 1000);
}
