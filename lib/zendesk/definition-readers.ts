import { type Answer, isObject } from "#lib/zendesk/answers.ts";
import { type FailureWords, ZendeskError } from "#lib/zendesk/failures.ts";
import type { Place } from "#lib/zendesk/place.ts";
import { type Ask, emptyPage, listIn, type Page, page, readList, wrongPage } from "#lib/zendesk/readers.ts";
import { type Access, accessLost, isRefused, type Refusal, scopeFailure } from "#lib/zendesk/refused-lists.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

/** Deleted groups are named by old tickets; an account that does not know the parameter gives the others. */
export async function readGroups(ask: Ask, place: Place): Promise<Page> {
  const [kind = "all", cursor] = place.at === null ? [] : splitOnce(place.at);
  const query = kind === "all" ? { exclude_deleted: "false" } : {};
  try {
    const listed = await readList(ask, { path: "/api/v2/groups", rows: "groups", query, cursor });
    const at = listed.hasMore ? `${kind}:${listed.cursor}` : null;
    return page(listed.answer, { part: "groups", rows: listed.rows, at, end: !listed.hasMore, stamp: null });
  } catch (error) {
    const unknown = error instanceof ZendeskError && (error.status === 400 || error.status === 422);
    if (!unknown || kind !== "all" || place.at !== null) throw error;
    return emptyPage(ask.client, { part: "groups", at: "undeleted:", end: false });
  }
}

export const fieldParts = ["ticket_fields", "user_fields", "organization_fields", "custom_statuses"] as const;
export type FieldPart = (typeof fieldParts)[number];

/** A list that was refused. */
export type RefusedPart = Refusal & { part: FieldPart };

/** How many of the lists were asked for, and which were refused. */
interface FieldsPlace {
  asked: number;
  refused: RefusedPart[];
}

/** Each of these lists comes whole in one page. One that is refused does not keep the others from being read. */
export async function readFields(ask: Ask, place: Place): Promise<Page> {
  const { client, shrinkable } = ask;
  const { asked, refused } = parseFields(place.at);
  const part = fieldParts[asked] as FieldPart;
  const next = (refusals: RefusedPart[]) => ({
    part,
    at: JSON.stringify({ asked: asked + 1, refused: refusals } satisfies FieldsPlace),
    end: asked + 1 >= fieldParts.length,
  });
  try {
    const answer = await client.get(`/api/v2/${part}`, { expect: part, shrinkable });
    return page(answer, {
      ...next(refused),
      rows: await wholeList(ask, part, answer),
      complete: true,
      whole: true,
      stamp: null,
    });
  } catch (error) {
    if (!isRefused(error)) throw error;
    return emptyPage(client, next([...refused, { part, code: error.code, message: error.message }]));
  }
}

/** No account has that many definitions of one kind: pages of a hundred. */
const mostPages = 100;

/**
 * One answer is all of a list, without an end flag (row 14), unless it says that there is more: then the list is read from its
 * beginning by cursor, which tells its end (row 16; zendesk-api section 9).
 */
async function wholeList(ask: Ask, part: FieldPart, answer: Answer): Promise<Wire[]> {
  const path = `/api/v2/${part}`;
  const rows = listIn(answer, part, path);
  // This one has no pages, and nothing of it is ever taken for deleted.
  if (part === "custom_statuses") return rows;
  const { count, next_page: next, meta } = answer.body;
  const isShort = typeof count === "number" && count > rows.length;
  const leadsOn = typeof next === "string" || (isObject(meta) && meta.has_more === true);
  if (!isShort && !leadsOn) return rows;
  const all: Wire[] = [];
  let cursor: string | undefined;
  for (let pages = 0; pages < mostPages; pages++) {
    const listed = await readList(ask, { path, rows: part, cursor });
    all.push(...listed.rows);
    if (!listed.hasMore) return all;
    cursor = listed.cursor ?? undefined;
  }
  throw wrongPage(path, "one page after the other says that there is more");
}

/** The lists that the reading was refused so far. */
export function fieldsRefused(place: Place): RefusedPart[] {
  return parseFields(place.at).refused;
}

/**
 * What may be claimed of definitions: an administrator who may not see one of these lists, or finds none, has a plan that lacks
 * it, unless it was read before (row 62). Every account has ticket fields. `held`: lists of which something is stored.
 */
export function fieldsAccess(refused: readonly RefusedPart[], held: ReadonlySet<FieldPart>): Access {
  const unscoped = scopeFailure(refused);
  if (unscoped) return unscoped;
  const lost = refused.filter(({ part }) => part === "ticket_fields" || held.has(part));
  if (lost.length === 0) return "granted";
  const wasRead = lost.some(({ part }) => held.has(part));
  return accessLost(lost, wasRead ? "It was read before: what is stored of it is kept." : "");
}

/** Definitions of which Zendesk lists nothing at all, though some are stored (row 123). `kinds`: ticket, user, organization. */
export function absentFieldsDoubt(kinds: readonly string[]): FailureWords | null {
  if (kinds.length === 0) return null;
  return {
    code: "empty_listing",
    message: `Zendesk listed no ${kinds.join(" and no ")} fields at all, though some are stored. They are kept.`,
    action:
      "Check that the connected login still sees everything. If they were deleted in Zendesk, nothing is to be done: they count as deleted once they were missing for a day.",
  };
}

/** A place that was left by an earlier version counts for none: the lists are short. */
function parseFields(at: string | null): FieldsPlace {
  return at?.startsWith("{") ? (JSON.parse(at) as FieldsPlace) : { asked: 0, refused: [] };
}

function splitOnce(text: string): [string, string | undefined] {
  const colon = text.indexOf(":");
  return [text.slice(0, colon), text.slice(colon + 1) || undefined];
}
