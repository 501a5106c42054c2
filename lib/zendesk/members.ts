import { isMissing, WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { fetchByIds } from "#lib/zendesk/fetch-by-id.ts";
import { lookAgain } from "#lib/zendesk/identity.ts";
import { type MadePage, makeRows } from "#lib/zendesk/page-rows.ts";
import { Progress } from "#lib/zendesk/progress.ts";
import { page, readList, wrongPage } from "#lib/zendesk/readers.ts";
import type { Reading } from "#lib/zendesk/reading.ts";
import { idOf, type Wire } from "#lib/zendesk/row-reader.ts";
import type { UnseenMember } from "#lib/zendesk/store/memberships.ts";
import { membershipPart, streamNamed } from "#lib/zendesk/streams.ts";
import { keyOfRow, membershipWire } from "#lib/zendesk/wire.ts";

/** A person is in 300 organizations at most. */
const mostPages = 10;

/** What came of asking some people. */
export interface Asked {
  /** How many gave an answer, or will give none tonight. */
  people: number;
  /** Ids of memberships that are over. */
  over: string[];
  /** Ids of those of which it is not known. */
  kept: string[];
  /** What people showed. */
  shown: OwnPage[];
  /** What is wrong with the list of all memberships, or why that is not known; by how many people it is proved wrong. */
  doubt?: string;
  wrong: number;
  /** Zendesk has failed here, which may be about one person alone. */
  hasFailed: boolean;
  /** False: Zendesk fails again and again. */
  goesOn: boolean;
  /** Why the others were not asked. */
  wait?: WaitNeeded;
}

interface OwnPage {
  rows: Wire[];
  made: MadePage;
}

/** Asks people, one by one, for what the list of all memberships does not show of them. */
export async function askMembers(
  reading: Reading,
  members: readonly UnseenMember[],
  { hasFailed }: Pick<Asked, "hasFailed">,
): Promise<Asked> {
  const asked: Asked = { people: 0, over: [], kept: [], shown: [], wrong: 0, hasFailed, goesOn: true };
  try {
    for (const member of members) {
      note(asked, member, await answerOf(reading, () => judge(reading, member)));
      if (!asked.goesOn) break;
      // Never before one was asked: each turn comes to something.
      if (reading.stop()) throw new WaitNeeded(reading.clock());
    }
  } catch (error) {
    if (!(error instanceof WaitNeeded)) throw error;
    asked.wait = error;
  }
  return asked;
}

interface Verdict {
  shown: Shown;
  over: string[];
  wrong?: string;
}

function note(asked: Asked, member: UnseenMember, answer: Verdict | ZendeskError): void {
  asked.people++;
  if (answer instanceof ZendeskError) {
    asked.kept.push(...member.memberships);
    asked.doubt ??= `it lacks what cannot be asked for otherwise (${answer.message})`;
    asked.goesOn = !(answer.transient && asked.hasFailed);
    asked.hasFailed ||= answer.transient;
    return;
  }
  asked.over.push(...answer.over);
  asked.kept.push(...member.memberships.filter((id) => !answer.over.includes(id)));
  asked.shown.push(...answer.shown.pages);
  if (answer.wrong === undefined) return;
  asked.doubt ??= answer.wrong;
  asked.wrong++;
}

/**
 * What somebody's own list does not show either is over, unless that contradicts the organization which the person has: by
 * what is stored, and where that does not confirm it by the person's own address (rows 16, 30).
 */
async function judge(reading: Reading, member: UnseenMember): Promise<Verdict> {
  const shown = await shownBy(reading, member.id);
  const over = member.memberships.filter((id) => !shown.ids.has(id));
  const { organization } = member;
  if (organization !== null && shown.organizations.has(organization)) return { shown, over };
  const now = await organizationOf(reading, member.id);
  if (now === null || shown.organizations.has(now)) return { shown, over };
  return { shown, over: [], wrong: `neither it nor their own list shows where people like ${member.id} belong` };
}

/** The organization that somebody has by their own address; null for none, and for whoever is gone. */
export async function organizationOf({ client }: Reading, user: string): Promise<string | null> {
  const { found, refused } = await fetchByIds(client, "users", [user], { forgiving: true });
  if (refused[0]) throw refused[0].why;
  const { organization_id: organization = null, active } = found[0]?.row ?? {};
  return organization === null || active === false ? null : String(organization);
}

interface Shown {
  ids: Set<string>;
  organizations: Set<string>;
  pages: OwnPage[];
}

/** The memberships of one person; none where there is no such person. */
async function shownBy({ client }: Reading, user: string): Promise<Shown> {
  const path = `/api/v2/users/${user}/organization_memberships`;
  const shown: Shown = { ids: new Set(), organizations: new Set(), pages: [] };
  const progress = new Progress(path);
  let cursor: string | undefined;
  try {
    while (shown.pages.length < mostPages) {
      const ask = { client, size: 100, shrinkable: false };
      const listed = await readList(ask, { path, rows: "organization_memberships", cursor });
      const { rows, cursor: at, hasMore } = listed;
      const listPage = page(listed.answer, { part: membershipPart, rows, at, end: !hasMore, stamp: null });
      progress.follow(cursor ?? null, listPage);
      shown.pages.push({ rows, made: makeRows(streamNamed("users"), listPage) });
      for (const row of rows) noteShown(shown, row, { user, path });
      if (!hasMore) return shown;
      cursor = at ?? undefined;
    }
  } catch (error) {
    if (isMissing(error)) return { ids: new Set(), organizations: new Set(), pages: [] };
    throw error;
  }
  throw wrongPage(path, `it does not end after ${mostPages} pages`);
}

function noteShown({ ids, organizations }: Shown, row: Wire, { user, path }: { user: string; path: string }): void {
  const key = keyOfRow(row);
  if (key === null) throw wrongPage(path, "a membership in it has no id");
  ids.add(key);
  if (!membershipWire.safeParse(row).success) return;
  if (idOf(row.user_id) !== user) throw wrongPage(path, `membership ${key} in it is somebody else's`);
  organizations.add(idOf(row.organization_id));
}

/** A failure that is about what was asked here alone is given back. */
async function answerOf<T>(reading: Reading, ask: () => Promise<T>): Promise<T | ZendeskError> {
  try {
    return await ask();
  } catch (error) {
    if (!(error instanceof ZendeskError)) throw error;
    if (error.scope === "connection") await lookAgain(reading);
    return error;
  }
}
