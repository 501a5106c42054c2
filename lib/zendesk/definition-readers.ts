import { ZendeskError } from "#lib/zendesk/failures.ts";
import type { Place } from "#lib/zendesk/place.ts";
import { type Ask, emptyPage, listIn, type Page, page, readList } from "#lib/zendesk/readers.ts";

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

/** Each of these lists comes whole in one answer, without an end flag (row 14). One that is refused is left out; all refused fail. */
export async function readFields({ client, shrinkable }: Ask, place: Place): Promise<Page> {
  const [index, refused] = (place.at ?? "0:0").split(":").map(Number) as [number, number];
  const part = fieldParts[index] as FieldPart;
  const next = (refusals: number) => ({ part, at: `${index + 1}:${refusals}`, end: index + 1 >= fieldParts.length });
  try {
    const answer = await client.get(`/api/v2/${part}`, { expect: part, shrinkable });
    return page(answer, {
      ...next(refused),
      rows: listIn(answer, part, `/api/v2/${part}`),
      complete: true,
      stamp: null,
    });
  } catch (error) {
    const isRefusal =
      error instanceof ZendeskError && error.scope === "stream" && [403, 404].includes(error.status ?? 0);
    if (!isRefusal || refused + 1 === fieldParts.length) throw error;
    return emptyPage(client, next(refused + 1));
  }
}

function splitOnce(text: string): [string, string | undefined] {
  const colon = text.indexOf(":");
  return [text.slice(0, colon), text.slice(colon + 1) || undefined];
}
