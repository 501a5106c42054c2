import { isMissing, WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { fetchByIds } from "#lib/zendesk/fetch-by-id.ts";
import { narrowed } from "#lib/zendesk/identity.ts";
import { Progress } from "#lib/zendesk/progress.ts";
import { readList, wrongPage } from "#lib/zendesk/readers.ts";
import type { Reading } from "#lib/zendesk/reading.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";
import type { UnseenMember } from "#lib/zendesk/store/memberships.ts";
import { keyOfRow } from "#lib/zendesk/wire.ts";

/** A person is in 300 organizations at most. */
const mostPages = 10;

export interface Asked {
  /** Ids of memberships that are over. */
  over: string[];
  /** What is wrong with the list of all memberships, or why that is not known. */
  doubt?: string;
  /** Zendesk has failed here, which may be about one person alone; where it fails again it is not asked on. */
  hasFailed: boolean;
  /** False: the list of all memberships is wrong, or Zendesk fails again and again. */
  goesOn: boolean;
}

/**
 * Asks people for what the list of all memberships does not show of them: what their own lists do not show either is over,
 * unless that contradicts the organization which they have, by what is stored and by their own address (rows 16, 30).
 */
export async function askMembers(
  reading: Reading,
  members: readonly UnseenMember[],
  { hasFailed, nameless }: Pick<Asked, "hasFailed"> & { nameless: boolean },
): Promise<Asked> {
  const asked: Asked = { over: [], hasFailed, goesOn: true };
  const atOdds: { member: UnseenMember; shown: Shown }[] = [];
  for (const member of members) {
    if (reading.stop()) throw new WaitNeeded(reading.clock());
    const shown = await answerOf(reading, () => shownBy(reading, member.id));
    if (shown instanceof ZendeskError) {
      noteFailure(asked, shown);
      continue;
    }
    const lacking = member.memberships.find((id) => shown.ids.has(id));
    // A row without an id in it may be just this one.
    if (lacking !== undefined && !nameless) noteWrong(asked, `it lacks membership ${lacking}, which is there`);
    if (member.organization !== null && !shown.organizations.has(member.organization)) atOdds.push({ member, shown });
    else asked.over.push(...goneOf(member, shown));
  }
  if (atOdds.length === 0) return asked;
  const ids = atOdds.map(({ member }) => member.id);
  const people = await answerOf(reading, () => fetchByIds(reading.client, "users", ids, { forgiving: true }));
  if (people instanceof ZendeskError) {
    noteFailure(asked, people);
    return asked;
  }
  for (const { why } of people.refused) noteFailure(asked, why);
  for (const { member, shown } of atOdds) {
    const row = people.found.find((one) => String(one.row?.id) === member.id)?.row;
    if (people.missing.includes(member.id) || (row && isAtOne(row, shown))) asked.over.push(...goneOf(member, shown));
    else if (row) noteWrong(asked, `neither it nor their own list shows where people like ${member.id} belong`);
  }
  return asked;
}

interface Shown {
  ids: Set<string>;
  organizations: Set<string>;
}

function goneOf(member: UnseenMember, shown: Shown): string[] {
  return member.memberships.filter((id) => !shown.ids.has(id));
}

/** Whether the organization that somebody has is among those of the own list. */
function isAtOne(row: NonNullable<Wire>, shown: Shown): boolean {
  const { organization_id: organization, active } = row as { organization_id?: unknown; active?: unknown };
  return active === false || organization === null || shown.organizations.has(String(organization));
}

function noteWrong(asked: Asked, doubt: string): void {
  asked.doubt ??= doubt;
  asked.goesOn = false;
}

function noteFailure(asked: Asked, failure: ZendeskError): void {
  asked.doubt ??= `it lacks what cannot be asked for otherwise (${failure.message})`;
  if (failure.transient && asked.hasFailed) asked.goesOn = false;
  asked.hasFailed ||= failure.transient;
}

/** The memberships of one person; none where there is no such person. */
async function shownBy({ client }: Reading, user: string): Promise<Shown> {
  const path = `/api/v2/users/${user}/organization_memberships`;
  const shown: Shown = { ids: new Set(), organizations: new Set() };
  const progress = new Progress(path);
  let cursor: string | undefined;
  try {
    for (let pages = 0; pages < mostPages; pages++) {
      const ask = { client, size: 100, shrinkable: false };
      const listed = await readList(ask, { path, rows: "organization_memberships", cursor });
      progress.follow(cursor ?? null, { at: listed.cursor, end: !listed.hasMore, rows: listed.rows });
      for (const row of listed.rows) {
        const key = keyOfRow(row);
        if (key === null) throw wrongPage(path, "a membership in it has no id");
        shown.ids.add(key);
        shown.organizations.add(String((row as { organization_id?: unknown }).organization_id));
      }
      if (!listed.hasMore) return shown;
      cursor = listed.cursor ?? undefined;
    }
  } catch (error) {
    if (isMissing(error)) return { ids: new Set(), organizations: new Set() };
    throw error;
  }
  throw wrongPage(path, `it does not end after ${mostPages} pages`);
}

/** A failure that is about what was asked here alone is given back. The account has just shown the whole list: a page for people is this address's own. */
async function answerOf<T>(reading: Reading, ask: () => Promise<T>): Promise<T | ZendeskError> {
  try {
    return await ask();
  } catch (thrown) {
    const error = await narrowed(reading, thrown);
    const isOwn =
      error instanceof ZendeskError &&
      (error.scope === "stream" || error.code === "unknown_subdomain" || error.code === "not_zendesk");
    if (isOwn) return error;
    throw error;
  }
}
