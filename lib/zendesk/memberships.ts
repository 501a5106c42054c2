import type { Trx } from "#db/client.ts";
import { isMissing, isPlaceRefused, WaitNeeded, type ZendeskError } from "#lib/zendesk/failures.ts";
import { weighHeldRows } from "#lib/zendesk/held-doubt.ts";
import { idIn } from "#lib/zendesk/held-keys.ts";
import { lookAgain } from "#lib/zendesk/identity.ts";
import { type MadePage, makeRows, storeRows } from "#lib/zendesk/page-rows.ts";
import { newPlace, type Place, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { page, readList, wrongPage } from "#lib/zendesk/readers.ts";
import { commit, nowSecond, type Reading, uncountedRequests } from "#lib/zendesk/reading.ts";
import { forgetSeen, noteSeen } from "#lib/zendesk/store/drift.ts";
import { holdRows, releaseRows } from "#lib/zendesk/store/held-rows.ts";
import { forgetMemberships, releaseUnseenMemberships, unseenMemberships } from "#lib/zendesk/store/memberships.ts";
import { addCounts, addRequests, noCounts } from "#lib/zendesk/store/run-counters.ts";
import { readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";
import { membershipPart, streamNamed } from "#lib/zendesk/streams.ts";
import { keyOfRow } from "#lib/zendesk/wire.ts";

const users = streamNamed("users");

/** So many people, or organizations, are asked for a night whose memberships the list does not show. */
const mostAsked = 300;
const path = "/api/v2/organization_memberships";

/**
 * All memberships of people in organizations, page by page (row 42): Zendesk has no export of what changed, so the night
 * reads the whole list, each run from its beginning. What the list does not show is over only where those whom it concerns do
 * not show it either: a list may be short without a word (rows 16, 30).
 */
export async function readMemberships(reading: Reading): Promise<void> {
  let place = await commit(reading, async (trx): Promise<Place | null> => {
    const state = await readStreamState(trx, reading.scope, "users", "memberships");
    const last = parsePlace(state?.position ?? null);
    const isOurs = last?.check?.runId === reading.runId;
    if (isOurs) return state?.caught_up ? null : last;
    return beginAnew(trx, reading, state?.caught_up ? null : last);
  });
  let mayBeginAgain = true;
  while (place) {
    const listed = await listFrom(reading, place, mayBeginAgain);
    if (!listed) {
      mayBeginAgain = false;
      const refused: Place = place;
      place = await commit(reading, (trx) => beginAnew(trx, reading, refused));
      continue;
    }
    const { rows, cursor: at, hasMore } = listed;
    const made = makeRows(users, page(listed.answer, { part: membershipPart, rows, at, end: !hasMore, stamp: null }));
    const isNameless = place.nameless === true || rows.some((row) => keyOfRow(row) === null);
    const next: Place = { ...place, at, rows: place.rows + rows.length, ...(isNameless ? { nameless: true } : {}) };
    const requests = uncountedRequests(reading);
    await commit(reading, async (trx) => {
      await storePage(trx, reading, made, requests);
      const change = { position: writePlace(next), caught_up: false };
      await saveStreamState(trx, reading.scope, "users", "memberships", change, reading.clock());
    });
    if (!hasMore) return finish(reading, next);
    place = next;
    if (reading.stop()) throw new WaitNeeded(reading.clock());
  }
}

/** Lets go what is over. Throws where the list turns out to be short, or there is more to ask than one night may: all that is kept. */
async function finish(reading: Reading, place: Place): Promise<void> {
  const { scope } = reading;
  const unseen = await commit(reading, (trx) => unseenMemberships(trx, scope));
  // One row without an id might be any of those that are not shown.
  const { over, doubt } = place.nameless ? { over: [], doubt: null } : await whatIsOver(reading, unseen);
  // A lower role is shown less (row 63).
  await lookAgain(reading);
  const requests = uncountedRequests(reading);
  await commit(reading, async (trx) => {
    if (!reading.downgraded) await forgetMemberships(trx, scope, over);
    // Held ones are known by their text, and one that is held for nothing comes again.
    if (!reading.downgraded && place.rows > 0) await releaseUnseenMemberships(trx, scope);
    await forgetSeen(trx, scope, "memberships");
    // A list in doubt is read anew by the next turn.
    const change = { position: writePlace(doubt ? restarted(place) : place), caught_up: doubt === null };
    await saveStreamState(trx, scope, "users", "memberships", change, reading.clock());
    await addRequests(trx, scope, reading.runId, requests);
  });
  if (doubt) throw doubt;
}

async function whatIsOver(
  reading: Reading,
  { over: known, by, asked }: Awaited<ReturnType<typeof unseenMemberships>>,
): Promise<{ over: string[]; doubt: ZendeskError | null }> {
  const over = [...known];
  for (const [n, [id, memberships]] of [...asked].entries()) {
    if (n >= mostAsked) return { over, doubt: wrongPage(path, `it lacks more than ${mostAsked} ${by} at once`) };
    if (reading.stop()) throw new WaitNeeded(reading.clock());
    const shown = await shownBy(reading, `/api/v2/${by}/${id}/organization_memberships`);
    const lacking = memberships.filter((membership) => shown.has(membership));
    over.push(...memberships.filter((membership) => !shown.has(membership)));
    if (lacking.length > 0)
      return { over, doubt: wrongPage(path, `it lacks membership ${lacking[0]}, which is there`) };
  }
  return { over, doubt: null };
}

/** Ids of the memberships of one person, or in one organization. Nobody there: none. */
async function shownBy({ client }: Reading, of: string): Promise<Set<string>> {
  const shown = new Set<string>();
  let cursor: string | undefined;
  try {
    for (;;) {
      const listed = await readList(
        { client, size: 100, shrinkable: false },
        { path: of, rows: "organization_memberships", cursor },
      );
      for (const row of listed.rows) {
        const key = keyOfRow(row);
        if (key === null) throw wrongPage(of, "a membership in it has no id");
        shown.add(key);
      }
      if (!listed.hasMore) return shown;
      cursor = listed.cursor ?? undefined;
    }
  } catch (error) {
    if (isMissing(error)) return new Set();
    throw error;
  }
}

/** With the place: what was seen belongs to it. A reading that is given up is recorded as begun again (INV-CURSOR). */
async function beginAnew(trx: Trx, reading: Reading, unfinished: Place | null): Promise<Place> {
  const { scope, runId, clock } = reading;
  const check = { runId, begun: nowSecond(reading) };
  const place = { ...(unfinished ? restarted(unfinished) : newPlace(0)), check };
  await forgetSeen(trx, scope, "memberships");
  const change = { position: writePlace(place), caught_up: false };
  await saveStreamState(trx, scope, "users", "memberships", change, clock());
  return place;
}

const restarted = ({ restarts }: Place): Place => ({ ...newPlace(0), restarts: restarts + 1 });

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
