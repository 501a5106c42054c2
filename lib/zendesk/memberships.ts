import type { Trx } from "#db/client.ts";
import { parseUsualInstant } from "#lib/zendesk/dates.ts";
import { isPlaceRefused, WaitNeeded } from "#lib/zendesk/failures.ts";
import { weighHeldRows } from "#lib/zendesk/held-doubt.ts";
import { idIn } from "#lib/zendesk/held-keys.ts";
import { lookAgain, sightLost } from "#lib/zendesk/identity.ts";
import { type Asked, askMembers, organizationOf } from "#lib/zendesk/members.ts";
import { type MadePage, makeRows, storeRows } from "#lib/zendesk/page-rows.ts";
import { newPlace, type Place, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { Progress } from "#lib/zendesk/progress.ts";
import { page, readList, wrongPage } from "#lib/zendesk/readers.ts";
import { commit, nowSecond, type Reading, uncountedRequests } from "#lib/zendesk/reading.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";
import { forgetSeen, noteSeen } from "#lib/zendesk/store/drift.ts";
import { holdRows, releaseRows } from "#lib/zendesk/store/held-rows.ts";
import {
  forgetMemberships,
  forgetMembershipsOfDeleted,
  memberOfAny,
  releaseUnseenMemberships,
  storedLike,
  unseenKeys,
  unseenMembers,
} from "#lib/zendesk/store/memberships.ts";
import { addCounts, addRequests, noCounts } from "#lib/zendesk/store/run-counters.ts";
import { readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";
import { membershipPart, streamNamed } from "#lib/zendesk/streams.ts";
import { keyOfRow } from "#lib/zendesk/wire.ts";

const users = streamNamed("users");

const path = "/api/v2/organization_memberships";
/** So many people a run are asked for whose memberships the list does not show, so many of whom may prove it wrong, so many between two commits. */
const mostAsked = 1000;
const mostWrong = 50;
const mostTogether = 20;

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
    const next: Place = { ...place, at, rows: place.rows + rows.length };
    const requests = uncountedRequests(reading);
    await commit(reading, async (trx) => {
      await storePage(trx, reading, { rows, made });
      await addRequests(trx, reading.scope, reading.runId, requests);
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
  const place = await askUnseen(reading, listed);
  await lookWithAllRights(reading);
  const requests = uncountedRequests(reading);
  await commit(reading, async (trx) => {
    if (place.doubt === undefined) await releaseUnseenMemberships(trx, scope);
    await forgetSeen(trx, scope, "memberships");
    await savePlace(trx, reading, place, true);
    await addRequests(trx, scope, reading.runId, requests);
  });
  if (place.doubt !== undefined) throw wrongPage(path, place.doubt);
}

/** Asks the people whose memberships the list does not show for them, a few between two commits: whoever goes on asks for the others. */
async function askUnseen(reading: Reading, listed: Place): Promise<Place> {
  const { scope } = reading;
  await lookWithAllRights(reading);
  const somebody = listed.rows === 0 ? await commit(reading, (trx) => memberOfAny(trx, scope)) : null;
  if (somebody !== null && (await organizationOf(reading, somebody)) !== null)
    return { ...listed, doubt: `it is empty, though people like ${somebody} belong to an organization` };
  await commit(reading, (trx) => forgetMembershipsOfDeleted(trx, scope));
  let place = listed;
  // Each night in another order: who stays in doubt is not always asked first.
  const order = place.check?.begun ?? 0;
  // Few at first: what is learned before a wait is lost.
  for (let limit = 1, hasFailed = false; ; limit = Math.min(2 * limit, mostTogether)) {
    const members = await commit(reading, (trx) => unseenMembers(trx, scope, { order, limit }));
    if (members.length === 0 || (place.wrong ?? 0) >= mostWrong) return place;
    if ((place.asked ?? 0) >= mostAsked)
      return { ...place, doubt: place.doubt ?? `it lacks those of more than ${mostAsked} people` };
    const asked = await askMembers(reading, members, { hasFailed });
    await lookWithAllRights(reading);
    const requests = uncountedRequests(reading);
    const last = place;
    place = await commit(reading, async (trx) => {
      await addRequests(trx, scope, reading.runId, requests);
      return storeAsked(trx, reading, last, asked);
    });
    if (!asked.goesOn) return place;
    if (asked.wait) throw asked.wait;
    hasFailed = asked.hasFailed;
  }
}

/** What people show and the list does not is stored: it was made in the midst of the reading, or the list is short. */
async function storeAsked(trx: Trx, reading: Reading, last: Place, asked: Asked): Promise<Place> {
  const { scope } = reading;
  const rows = asked.shown.flatMap((shown) => shown.rows);
  const keys = rows.flatMap((row) => keyOfRow(row) ?? []);
  const unlisted = new Set(await unseenKeys(trx, scope, keys));
  const isUnlisted = (row: Wire) => unlisted.has(String(row.id));
  await forgetMemberships(trx, scope, asked.over);
  for (const shown of asked.shown) if (shown.rows.some(isUnlisted)) await storePage(trx, reading, shown);
  await noteSeen(trx, scope, "memberships", asked.kept);
  const begun = new Date((last.check?.begun ?? 0) * 1000);
  const lacking = rows.filter((row) => isUnlisted(row) && (parseUsualInstant(row.created_at) ?? 0) < begun);
  const lacks = lacking[0] && `it lacks membership ${lacking[0].id}, which is there`;
  const doubt = last.doubt ?? lacks ?? asked.doubt;
  const people = (last.asked ?? 0) + asked.people;
  const wrong = (last.wrong ?? 0) + asked.wrong + new Set(lacking.map((row) => row.user_id)).size;
  const place: Place = { ...last, asked: people, wrong, ...(doubt === undefined ? {} : { doubt }) };
  await savePlace(trx, reading, place, false);
  return place;
}

/** A lower role is shown less (row 63). */
async function lookWithAllRights(reading: Reading): Promise<void> {
  await lookAgain(reading);
  if (reading.downgraded) throw sightLost();
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
async function storePage(trx: Trx, reading: Reading, { rows, made }: { rows: Wire[]; made: MadePage }): Promise<void> {
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
  const nameless = await storedLike(
    trx,
    scope,
    rows.filter((row) => keyOfRow(row) === null),
  );
  await noteSeen(trx, scope, "memberships", [...shown, ...nameless]);
  await addCounts(trx, scope, runId, name, { ...noCounts, held, cleaned: made.cleaned });
}
