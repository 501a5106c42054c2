import { isObject } from "#lib/zendesk/answers.ts";
import { toSeconds } from "#lib/zendesk/dates.ts";
import type { Place } from "#lib/zendesk/place.ts";
import { type Ask, emptyPage, type Page, page, readList } from "#lib/zendesk/readers.ts";
import { type Access, accessLost, isRefused, type Refusal, scopeFailure } from "#lib/zendesk/refused-lists.ts";

/** Zendesk refuses deep paging: ratings are read in slices of their creation time (row 34). */
const slice = 30 * 86_400;

const systems = ["legacy", "survey"] as const;
export type RatingSystem = (typeof systems)[number];

/** Which system is being read, the slice, the page within it, and what either system has answered so far. */
interface RatingsPlace {
  system: RatingSystem;
  from: number;
  to: number;
  /** Where the reading ends: fixed when it begins, since the present moves on. */
  last: number;
  after: string | null;
  answered: RatingSystem[];
  refused: RefusedSystem[];
}
type RefusedSystem = Refusal & { system: RatingSystem };

/** What both systems said when they were asked. */
export interface RatingsHeard {
  answered: RatingSystem[];
  refused: RefusedSystem[];
}

/** What is known of both systems from before they were asked. */
export interface RatingsPast {
  /** Those that answered when ratings were last read to their end. */
  answered: RatingSystem[];
  /** When a rating was last given or changed, of systems of which any is stored. */
  newest: Partial<Record<RatingSystem, Date>>;
}

/**
 * Ratings created since the start of the reading, of both systems; one that an account does not run answers 403 or 404 (row 36).
 * Nothing behind the end that was asked for is known, however long the answer was waited for.
 */
export async function readRatings(ask: Ask, place: Place): Promise<Page> {
  const at = parse(place.at) ?? begin("legacy", place.start, place.until ?? toSeconds(ask.client.serverNow()) + 1);
  const read = await readSlice(ask, place, at);
  return { ...read, requestedAt: new Date(Math.min(read.requestedAt.getTime(), at.last * 1000)) };
}

async function readSlice(ask: Ask, place: Place, at: RatingsPlace): Promise<Page> {
  try {
    const listed = await readList(ask, { ...requestFor(at), cursor: at.after ?? undefined });
    const answered = [...new Set([...at.answered, at.system])];
    const next = listed.hasMore
      ? { ...at, answered, after: listed.cursor }
      : nextSlice({ ...at, answered }, place.start);
    const rest = { part: at.system, rows: listed.rows, at: write(next ?? { ...at, answered }), end: next === null };
    return page(listed.answer, { ...rest, complete: !listed.hasMore, stamp: null });
  } catch (error) {
    const isFirst = at.after === null && !at.answered.includes(at.system);
    if (!isRefused(error) || !isFirst) throw error;
    const refused = [...at.refused, { system: at.system, code: error.code, message: error.message }];
    const next = nextSystem({ ...at, refused }, place.start);
    return emptyPage(ask.client, { part: at.system, at: write(next ?? { ...at, refused }), end: next === null });
  }
}

/** What the reading has heard so far. */
export function ratingsHeard(place: Place): RatingsHeard {
  return parse(place.at) ?? { answered: [], refused: [] };
}

/**
 * What may be claimed of ratings: an account runs one system, and the plan may include none (rows 36, 37). That it is the
 * plan only an administrator can tell, of whom no rating was ever read; a system that answered before and does not now keeps
 * ratings from us, unless the account has moved to the other one since.
 */
export function ratingsAccess(
  { answered, refused }: RatingsHeard,
  past: RatingsPast,
  isAdministrator: boolean,
): Access {
  const unscoped = scopeFailure(refused);
  if (unscoped) return unscoped;
  const [other] = answered;
  if (!other) {
    const wasRead = past.answered.length > 0 || Object.keys(past.newest).length > 0;
    if (isAdministrator && !wasRead) return "not_available";
    return accessLost(refused, wasRead ? "Ratings were read before: those that are stored are kept." : "");
  }
  const hasMoved = ({ system }: RefusedSystem) => {
    const [here, there] = [past.newest[system], past.newest[other]];
    return !past.answered.includes(other) || (here !== undefined && there !== undefined && there > here);
  };
  const lost = refused.filter((one) => past.answered.includes(one.system) && !hasMoved(one));
  if (lost.length === 0) return "granted";
  return accessLost(
    lost,
    `The ${systemTitles[lost[0]?.system ?? "legacy"]} were read before: those that are stored are kept.`,
  );
}

const systemTitles: Record<RatingSystem, string> = { legacy: "legacy ratings", survey: "survey responses" };

function requestFor(at: RatingsPlace) {
  if (at.system === "legacy") {
    const query = { start_time: at.from, end_time: at.to };
    return { path: "/api/v2/satisfaction_ratings", rows: "satisfaction_ratings", query };
  }
  const query = { "filter[created_at_start]": at.from * 1000, "filter[created_at_end]": at.to * 1000 };
  return { path: "/api/v2/guide/survey_responses", rows: "survey_responses", query };
}

function nextSlice(at: RatingsPlace, start: number): RatingsPlace | null {
  if (at.to >= at.last) return nextSystem(at, start);
  return { ...at, from: at.to, to: Math.min(at.to + slice, at.last), after: null };
}

function nextSystem(at: RatingsPlace, start: number): RatingsPlace | null {
  const system = systems[systems.indexOf(at.system) + 1];
  return system ? { ...begin(system, start, at.last), answered: at.answered, refused: at.refused } : null;
}

function begin(system: RatingSystem, start: number, last: number): RatingsPlace {
  return { system, from: start, to: Math.min(start + slice, last), last, after: null, answered: [], refused: [] };
}

function write(at: RatingsPlace): string {
  return JSON.stringify(at);
}

function parse(text: string | null): RatingsPlace | null {
  const value: unknown = text === null ? null : JSON.parse(text);
  return isObject(value) ? (value as unknown as RatingsPlace) : null;
}
