import type { Trx } from "#db/client.ts";
import { isMissing, isPlaceRefused, WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { weighHeldRows } from "#lib/zendesk/held-doubt.ts";
import { idIn } from "#lib/zendesk/held-keys.ts";
import { lookAgain } from "#lib/zendesk/identity.ts";
import { type MadePage, makeRows, storeRows } from "#lib/zendesk/page-rows.ts";
import { newPlace, type Place, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { Progress } from "#lib/zendesk/progress.ts";
import { page, readList, wrongPage } from "#lib/zendesk/readers.ts";
import { commit, nowSecond, type Reading, uncountedRequests } from "#lib/zendesk/reading.ts";
import { forgetSeen, noteSeen } from "#lib/zendesk/store/drift.ts";
import { holdRows, releaseRows } from "#lib/zendesk/store/held-rows.ts";
import {
  forgetMemberships,
  forgetMembershipsOfDeleted,
  releaseUnseenMemberships,
  type UnseenMember,
  unseenMembers,
} from "#lib/zendesk/store/memberships.ts";
import { addCounts, addRequests, noCounts } from "#lib/zendesk/store/run-counters.ts";
import { readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";
import { membershipPart, streamNamed } from "#lib/zendesk/streams.ts";
import { keyOfRow } from "#lib/zendesk/wire.ts";

const users = streamNamed("users");

const path = "/api/v2/organization_memberships";
/** So many people a run are asked for whose memberships the list does not show, so many between two commits. */
const mostAsked = 1000;
const askedTogether = 20;

/**
 * All memberships of people in organizations, page by page (row 42): Zendesk has no export of what changed, so the night
 * reads the whole list, each run from its beginning. What the list does not show is over only where those whom it concerns do
 * not show it either: a list may be short without a word (rows 16, 30). Throws where it is.
 */
export async function readMemberships(reading: Reading): Promise<void> {
  let place = await commit(reading, async (trx): Promise<Place | null> => {
    const state = await readStreamState(trx, reading.scope, "users", "memberships");
    const last = parsePlace(state?.position ?? null);
    if (last?.check?.runId !== reading.runId) return beginAnew(trx, reading, state?.caught_up ? null : last);
    if (state?.caught_up && last.doubt) throw wrongPage(path, last.doubt);
    return state?.caught_up ? null : last;
  });
  const progress = new Progress(path);
  let mayBeginAgain = true;
  while (place) {
    const listed = await listFrom(reading, place, mayBeginAgain);
    if (!listed) {
      mayBeginAgain = false;
      progress.beginAgain();
      const refused: Place = place;
      place = await commit(reading, (trx) => beginAnew(trx, reading, refused));
      continue;
    }
    const { rows, cursor: at, hasMore } = listed;
    const listPage = page(listed.answer, { part: membershipPart, rows, at, end: !hasMore, stamp: null });
    progress.follow(place.at, listPage);
    const made = makeRows(users, listPage);
    const isNameless = place.nameless === true || rows.some((row) => keyOfRow(row) === null);
    const next: Place = { ...place, at, rows: place.rows + rows.length, ...(isNameless ? { nameless: true } : {}) };
    const requests = uncountedRequests(reading);
    await commit(reading, async (trx) => {
      await storePage(trx, reading, made, requests);
      await savePlace(trx, reading, next, false);
    });
    if (!hasMore) return settle(reading, next);
    place = next;
    if (reading.stop()) throw new WaitNeeded(reading.clock());
  }
}

/** At the end of the list: lets go what is over. Throws where the list is short, or not all could be asked: that is kept. */
async function settle(reading: Reading, listed: Place): Promise<void> {
  const { scope } = reading;
  // One row without an id might be any of those that are not shown.
  const place = listed.nameless ? listed : await askMembers(reading, listed);
  // A lower role is shown less (row 63).
  await lookAgain(reading);
  const requests = uncountedRequests(reading);
  await commit(reading, async (trx) => {
    const isWhole = place.rows > 0 && place.doubt === undefined && !reading.downgraded;
    if (isWhole) await releaseUnseenMemberships(trx, scope);
    await forgetSeen(trx, scope, "memberships");
    await savePlace(trx, reading, place, true);
    await addRequests(trx, scope, reading.runId, requests);
  });
  if (place.doubt !== undefined) throw wrongPage(path, place.doubt);
}

/** Asks the people whose memberships the list does not show for them, a few between two commits: whoever goes on asks for the others. */
async function askMembers(reading: Reading, listed: Place): Promise<Place> {
  const { scope } = reading;
  let place = listed;
  await lookAgain(reading);
  if (reading.downgraded) return place;
  await commit(reading, (trx) => forgetMembershipsOfDeleted(trx, scope));
  for (let goesOn = true; goesOn; ) {
    const members = await commit(reading, (trx) => unseenMembers(trx, scope, askedTogether));
    if (members.length === 0) return place;
    const { asked = 0 } = place;
    if (asked >= mostAsked)
      return { ...place, doubt: place.doubt ?? `it lacks those of more than ${mostAsked} people` };
    const found = await askEach(reading, members, place);
    await lookAgain(reading);
    if (reading.downgraded) return place;
    goesOn = found.goesOn;
    const doubt = place.doubt ?? found.doubt;
    place = { ...place, asked: asked + members.length, ...(doubt === undefined ? {} : { doubt }) };
    const requests = uncountedRequests(reading);
    await commit(reading, async (trx) => {
      await forgetMemberships(trx, scope, found.over);
      const kept = members.flatMap(({ memberships }) => memberships).filter((id) => !found.over.includes(id));
      await noteSeen(trx, scope, "memberships", kept);
      await savePlace(trx, reading, place, false);
      await addRequests(trx, scope, reading.runId, requests);
    });
  }
  return place;
}

interface Asked {
  over: string[];
  doubt?: string;
  /** False: the list is short, or Zendesk fails again and again. */
  goesOn: boolean;
}

async function askEach(reading: Reading, members: readonly UnseenMember[], { rows }: Place): Promise<Asked> {
  const asked: Asked = { over: [], goesOn: true };
  let hasFailed = false;
  for (const member of members) {
    if (reading.stop()) throw new WaitNeeded(reading.clock());
    const shown = await shownBy(reading, member.id);
    if (shown instanceof ZendeskError) {
      asked.doubt ??= `it lacks what cannot be asked for otherwise (${shown.message})`;
      if (shown.transient && hasFailed) asked.goesOn = false;
      hasFailed ||= shown.transient;
      continue;
    }
    const lacking = member.memberships.find((id) => shown.ids.has(id));
    if (lacking !== undefined) {
      asked.doubt ??= `it lacks membership ${lacking}, which is there`;
      asked.goesOn = false;
    }
    const gone = member.memberships.filter((id) => !shown.ids.has(id));
    // Whoever left an organization and came back has another membership in it.
    const isBack = member.organization !== null && shown.organizations.has(member.organization);
    const denied = isBack ? [] : gone.filter((id) => member.own.includes(id));
    // The person, as stored, says otherwise: the next night knows whether that is old.
    asked.over.push(...gone.filter((id) => !denied.includes(id)));
    if (rows === 0 && denied.length > 0)
      asked.doubt ??= `it is empty, though people like ${member.id} belong to an organization`;
  }
  return asked;
}

interface Shown {
  ids: Set<string>;
  organizations: Set<string>;
}

/** The memberships of one person; none where there is no such person. A refusal that is about this person alone is given back. */
async function shownBy({ client }: Reading, user: string): Promise<Shown | ZendeskError> {
  const of = `/api/v2/users/${user}/organization_memberships`;
  const shown: Shown = { ids: new Set(), organizations: new Set() };
  const progress = new Progress(of);
  let cursor: string | undefined;
  try {
    for (;;) {
      const ask = { client, size: 100, shrinkable: false };
      const listed = await readList(ask, { path: of, rows: "organization_memberships", cursor });
      progress.follow(cursor ?? null, { at: listed.cursor, end: !listed.hasMore, rows: listed.rows });
      for (const row of listed.rows) {
        const key = keyOfRow(row);
        if (key === null) return wrongPage(of, "a membership in it has no id");
        shown.ids.add(key);
        shown.organizations.add(String((row as { organization_id?: unknown }).organization_id));
      }
      if (!listed.hasMore) return shown;
      cursor = listed.cursor ?? undefined;
    }
  } catch (error) {
    if (isMissing(error)) return { ids: new Set(), organizations: new Set() };
    // The account has just shown the whole list: a page for people is this address's own.
    const isOwn = error instanceof ZendeskError && (error.scope === "stream" || error.code === "unknown_subdomain");
    if (isOwn) return error;
    throw error;
  }
}

/** With the place: what was seen belongs to it. A reading that is given up is recorded as begun again (INV-CURSOR). */
async function beginAnew(trx: Trx, reading: Reading, unfinished: Place | null): Promise<Place> {
  const check = { runId: reading.runId, begun: nowSecond(reading) };
  const place: Place = { ...newPlace(0), restarts: unfinished ? unfinished.restarts + 1 : 0, check };
  await forgetSeen(trx, reading.scope, "memberships");
  await savePlace(trx, reading, place, false);
  return place;
}

function savePlace(trx: Trx, { scope, clock }: Reading, place: Place, caughtUp: boolean): Promise<void> {
  const change = { position: writePlace(place), caught_up: caughtUp };
  return saveStreamState(trx, scope, "users", "memberships", change, clock());
}

/** Null: the place is taken no more, and the list may begin again (row 15). */
async function listFrom({ client }: Reading, { at }: Place, mayBeginAgain: boolean) {
  try {
    const of = { path, rows: "organization_memberships", cursor: at ?? undefined };
    return await readList({ client, size: 100, shrinkable: false }, of);
  } catch (error) {
    if (at === null || !mayBeginAgain || !isPlaceRefused(error)) throw error;
    return null;
  }
}

/** Those that cannot be stored are held, as rows of the users (row 55), and leave as soon as they are stored. */
async function storePage(trx: Trx, reading: Reading, made: MadePage, requests: number): Promise<void> {
  const { scope, runId } = reading;
  const { name } = users;
  const stored = await storeRows(trx, users, scope, made, reading.clock());
  const heldNow = new Set(stored.held.map((row) => row.key));
  const held = await holdRows(trx, scope, name, stored.held, made.fetchedAt);
  const healed = await releaseRows(
    trx,
    scope,
    name,
    stored.keys.filter((key) => !heldNow.has(key)),
  );
  if (heldNow.size > 0 || healed.length > 0) await weighHeldRows(trx, scope, name, reading.clock());
  // Also those that cannot be stored: they are shown, so that what is stored of them is not over.
  const shown = [...stored.keys, ...heldNow].map((key) => idIn(key, name));
  await noteSeen(trx, scope, "memberships", shown);
  await addCounts(trx, scope, runId, name, { ...noCounts, held, cleaned: made.cleaned, requests });
}
