import { type Answer, isObject } from "#lib/zendesk/answers.ts";
import type { ZendeskClient } from "#lib/zendesk/client.ts";
import { parseInstant, toSeconds } from "#lib/zendesk/dates.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import type { Endpoint } from "#lib/zendesk/limits.ts";
import type { Place } from "#lib/zendesk/place.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

/** One page as Zendesk gave it, and where the next one is. */
export interface Page {
  /** Which of a stream's lists it is from. */
  part: string;
  rows: Wire[];
  /** The whole answer as it came. */
  text: string;
  at: string | null;
  end: boolean;
  /** The last page of one of several lists: it may well be empty. */
  complete?: boolean;
  /** It is all of one list: what it does not show is not there. */
  whole?: true;
  /** It came without what was asked for beside its rows. */
  isBare?: boolean;
  /** Zendesk's clock when the page was asked for. */
  requestedAt: Date;
  /** The latest that Zendesk's clock can have been then. */
  latest: Date;
  /** The database's clock then, where somebody asked. */
  fetchedAt?: Date;
  /** Version of the newest row in Unix seconds; null where rows do not come in the order of their versions. */
  stamp: number | null;
}

export interface Ask {
  client: ZendeskClient;
  size: number;
  /** A heavy page may be given up early, since a smaller one can be asked for. */
  shrinkable: boolean;
}
export type ReadPage = (ask: Ask, place: Place) => Promise<Page>;

/** Zendesk withholds the newest minute, and refuses to begin there. */
const youngestStart = 120;
/** Clocks differ, and an answer takes its time. Seconds. */
const mostAhead = 10 * 60;

/** What an export is asked for beside its rows, and the key under which each row has it (zendesk-api section 3.6). */
interface Sideload {
  include: string;
  key: string;
}

/** Exports that hand out an opaque cursor (tickets, users): zendesk-api section 3.3. */
export function cursorExport(of: {
  path: string;
  rows: string;
  endpoint: Endpoint;
  sideload?: Sideload;
  version: string;
}): ReadPage {
  return async ({ client, size, shrinkable }, place) => {
    const begin = place.at === null ? { start_time: startTime(client, place) } : { cursor: place.at };
    const query = { ...begin, per_page: size, include: of.sideload?.include };
    const answer = await client.get(of.path, { query, endpoint: of.endpoint, expect: of.rows, shrinkable });
    const rows = listIn(answer, of.rows, of.path);
    const cursor = answer.body.after_cursor;
    const told = flagIn(answer.body.end_of_stream, "end_of_stream", of.path);
    if (!told && leadsNowhere(cursor, place.at, rows)) {
      throw wrongPage(of.path, "the page is not the last, yet its cursor leads nowhere");
    }
    const leadsOn = isPlace(cursor) && cursor !== place.at;
    const end = told && isBelieved({ rows, size, leadsOn });
    const at = isPlace(cursor) ? cursor : place.at;
    const stamp = versionOf(rows.at(-1), of.version);
    return page(answer, { part: of.rows, rows, at, end, stamp, isBare: lacks(rows, of.sideload) });
  };
}

/** Exports by time (organizations, ticket events): zendesk-api section 3.4. `crowded` gets past a second with more rows than a page. */
export function timeExport(of: {
  path: string;
  rows: string;
  endpoint: Endpoint;
  crowded: (ask: Ask, second: number, place: Place) => Promise<Page>;
}): ReadPage {
  return async (ask, place) => {
    const { client, size, shrinkable } = ask;
    if (place.at?.startsWith("second:")) return of.crowded(ask, Number(place.at.split(":")[1]), place);
    const second = place.at === null ? startTime(client, place) : Number(place.at);
    const query = { start_time: second, per_page: size };
    const answer = await client.get(of.path, { query, endpoint: of.endpoint, expect: of.rows, shrinkable });
    const rows = listIn(answer, of.rows, of.path);
    checkCount(answer, rows, of.path);
    const next = answer.body.end_time;
    const leadsOn = typeof next === "number" && next > second;
    const end = flagIn(answer.body.end_of_stream, "end_of_stream", of.path) && isBelieved({ rows, size, leadsOn });
    if (!end && typeof next !== "number") throw wrongPage(of.path, "the page is not the last, yet it has no end_time");
    if (!end) checkEndTime(next as number, { second, answer, path: of.path });
    if (!end && rows.length > 0 && next === second) return of.crowded(ask, second, { ...place, at: null });
    const at = typeof next === "number" && next >= second ? String(next) : place.at;
    return page(answer, { part: of.rows, rows, at, end, stamp: typeof next === "number" ? next : null });
  };
}

/**
 * Organizations that one second has too many of: the whole list, by its own cursor, holds them too (row 10). Afterwards
 * the export goes on with the next second.
 */
export function throughTheList(of: {
  path: string;
  rows: string;
}): (ask: Ask, second: number, place: Place) => Promise<Page> {
  return async (ask, second, place) => {
    const cursor = place.at?.split(":").slice(2).join(":") || undefined;
    const listed = await readList(ask, { ...of, cursor });
    const at = listed.hasMore ? `second:${second}:${listed.cursor}` : String(second + 1);
    return page(listed.answer, { part: of.rows, rows: listed.rows, at, end: false, stamp: null });
  };
}

/** Where no list holds the rows of one second, reading past them would lose some (row 10). */
export function failLoudly(what: string, largestPage: number) {
  return async ({ size }: Ask, second: number): Promise<Page> => {
    const time = new Date(second * 1000).toISOString();
    throw new ZendeskError({
      code: "crowded_second",
      message: `The second ${time} holds more ${what} than one page of ${size} can bring, so the rest of it cannot be read.`,
      action:
        size < largestPage
          ? "Nothing to do: larger pages are asked for as soon as Zendesk answers them in time."
          : `Ask Zendesk support to export the ${what} of that second; reading stops before it so that nothing is lost.`,
      scope: "stream",
      transient: true,
    });
  };
}

/** One page of a list by cursor (zendesk-api section 9); `has_more` says whether there is another. */
export async function readList(
  { client, size, shrinkable }: Ask,
  of: { path: string; rows: string; cursor: string | undefined; query?: Record<string, string | number | undefined> },
): Promise<{ answer: Answer; rows: Wire[]; hasMore: boolean; cursor: string | null }> {
  const asked = Math.min(size, 100);
  const query = { ...of.query, "page[size]": asked, "page[after]": of.cursor };
  const answer = await client.get(of.path, { query, expect: of.rows, shrinkable });
  const rows = listIn(answer, of.rows, of.path);
  const meta = isObject(answer.body.meta) ? answer.body.meta : {};
  const cursor = isPlace(meta.after_cursor) ? meta.after_cursor : null;
  const leadsOn = cursor !== null && cursor !== of.cursor;
  const hasMore = flagIn(meta.has_more, "meta.has_more", of.path) || !isBelieved({ rows, size: asked, leadsOn });
  if (hasMore && leadsNowhere(cursor, of.cursor ?? null, rows)) {
    throw wrongPage(of.path, "there is more, yet the cursor leads nowhere");
  }
  return { answer, rows, hasMore, cursor: cursor ?? of.cursor ?? null };
}

export function page(answer: Answer, rest: Omit<Page, "text" | "requestedAt" | "latest" | "fetchedAt">): Page {
  const { text, requestedAt, latest, fetchedAt } = answer;
  return { ...rest, text, requestedAt, latest, fetchedAt };
}

/** A page without rows. */
export function emptyPage(client: ZendeskClient, rest: Pick<Page, "part" | "at" | "end">): Page {
  const instants = { requestedAt: client.serverNow(), latest: client.latestServerNow() };
  return { ...rest, ...instants, complete: true, rows: [], text: "", stamp: null };
}

export function listIn(answer: Answer, key: string, path: string): Wire[] {
  const rows = answer.body[key];
  if (!Array.isArray(rows)) throw wrongPage(path, `"${key}" is not a list`);
  return rows as Wire[];
}

/**
 * A page by time says how many rows it has (zendesk-api section 3.4, where `count` is what one compares with the size of a page): one
 * with fewer was cut on its way (row 16). It may hold more, and may say nothing (row 14). Pages by cursor have no count.
 */
function checkCount(answer: Answer, rows: readonly Wire[], path: string): void {
  const { count } = answer.body;
  if (typeof count !== "number" || rows.length >= count) return;
  throw wrongPage(path, `it holds ${rows.length} of the ${count} rows that it says it has`);
}

/** The next page begins at this one's end: one before its start leads back, one after the present past rows that are still to come. */
function checkEndTime(endTime: number, of: { second: number; answer: Answer; path: string }): void {
  if (endTime < of.second) throw wrongPage(of.path, "its end_time lies before its start");
  // Our own clock may have been set meanwhile, or another answer's be wrong (row 47).
  if (endTime > toSeconds(of.answer.date) + mostAhead) throw wrongPage(of.path, "its end_time lies in the future");
}

/**
 * Whether a page that says it is the last is believed: a full one only where nothing leads on from it, since all that follows
 * would be passed over (row 16). The page behind it is shorter, if need be empty, and tells. `size`: the rows asked for.
 */
function isBelieved({ rows, size, leadsOn }: { rows: readonly Wire[]; size: number; leadsOn: boolean }): boolean {
  return rows.length < size || !leadsOn;
}

/**
 * Whether a page came without what was asked for beside its rows, so that it is worth asking for again. Of deleted rows, and of
 * what is hardly a row, nothing is to be expected (rows 25, 56).
 */
function lacks(rows: readonly Wire[], sideload: Sideload | undefined): boolean {
  if (!sideload) return false;
  const telling = rows.filter((row) => typeof row?.status === "string" && row.status !== "deleted");
  return telling.length > 0 && telling.every((row) => row?.[sideload.key] == null);
}

/** Reading ends on an explicit flag only (rows 14, 16). */
function flagIn(value: unknown, name: string, path: string): boolean {
  if (typeof value === "boolean") return value;
  throw wrongPage(path, `it does not say whether there is more (${name})`);
}

/** An empty page may name its own place again: it is asked for again, a bounded number of times (row 14). */
function leadsNowhere(cursor: unknown, from: string | null, rows: readonly Wire[]): boolean {
  if (!isPlace(cursor)) return rows.length > 0 || from === null;
  return cursor === from && rows.length > 0;
}

function isPlace(cursor: unknown): cursor is string {
  return typeof cursor === "string" && cursor !== "";
}

export function wrongPage(path: string, what: string): ZendeskError {
  return new ZendeskError({
    code: "protocol",
    message: `Zendesk's answer for ${path} cannot be used: ${what}.`,
    action: "Nothing to do: reading resumes with the next run. If it lasts, report it.",
    scope: "stream",
    transient: true,
  });
}

function startTime(client: ZendeskClient, place: Place): number {
  return Math.max(0, Math.min(place.start, toSeconds(client.serverNow()) - youngestStart));
}

function versionOf(row: Wire | undefined, field: string): number | null {
  const value = row?.[field];
  if (typeof value === "number") return value;
  const instant = parseInstant(value);
  return instant ? toSeconds(instant) : null;
}
