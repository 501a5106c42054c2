import type { Trx } from "#db/client.ts";
import { isPlaceRefused, WaitNeeded } from "#lib/zendesk/failures.ts";
import { weighHeldRows } from "#lib/zendesk/held-doubt.ts";
import { idIn } from "#lib/zendesk/held-keys.ts";
import { lookAgain } from "#lib/zendesk/identity.ts";
import { type MadePage, makeRows, storeRows } from "#lib/zendesk/page-rows.ts";
import { newPlace, type Place, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { page, readList } from "#lib/zendesk/readers.ts";
import { commit, nowSecond, type Reading, uncountedRequests } from "#lib/zendesk/reading.ts";
import { forgetSeen, noteSeen } from "#lib/zendesk/store/drift.ts";
import { holdRows, releaseRows } from "#lib/zendesk/store/held-rows.ts";
import { forgetUnseenMemberships, releaseUnseenMemberships } from "#lib/zendesk/store/memberships.ts";
import { addCounts, noCounts } from "#lib/zendesk/store/run-counters.ts";
import { readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";
import { membershipPart, streamNamed } from "#lib/zendesk/streams.ts";
import { keyOfRow } from "#lib/zendesk/wire.ts";

const users = streamNamed("users");

/**
 * All memberships of people in organizations, page by page (row 42): Zendesk has no export of what changed, so the night
 * reads the whole list. What a list with something in it does not show is over; nothing counts by memberships, and a
 * later list brings back what this one lacked.
 */
export async function readMemberships(reading: Reading): Promise<void> {
  let place = await commit(reading, async (trx): Promise<Place | null> => {
    const state = await readStreamState(trx, reading.scope, "users", "memberships");
    const last = parsePlace(state?.position ?? null);
    if (state?.caught_up && last?.check?.runId === reading.runId) return null;
    if (last && !state?.caught_up) return last;
    return beginAnew(trx, reading);
  });
  const handedDown = place?.at;
  while (place) {
    const listed = await listFrom(reading, place, handedDown);
    if (!listed) {
      place = await commit(reading, (trx) => beginAnew(trx, reading));
      continue;
    }
    const { rows, cursor: at, hasMore } = listed;
    const made = makeRows(users, page(listed.answer, { part: membershipPart, rows, at, end: !hasMore, stamp: null }));
    const check = { runId: reading.runId, begun: place.check?.begun ?? nowSecond(reading) };
    const isNameless = place.nameless === true || rows.some((row) => keyOfRow(row) === null);
    const next: Place = {
      ...place,
      ...{ at, rows: place.rows + rows.length, check },
      ...(isNameless ? { nameless: true } : {}),
    };
    // A lower role is shown less (row 63).
    if (!hasMore) await lookAgain(reading);
    const isWhole = !hasMore && next.rows > 0 && !reading.downgraded;
    const requests = uncountedRequests(reading);
    await commit(reading, async (trx) => {
      await storePage(trx, reading, made, requests);
      // One row without an id might be any of those that are not shown; a held one is known by its text.
      if (isWhole && !isNameless) await forgetUnseenMemberships(trx, reading.scope);
      if (isWhole) await releaseUnseenMemberships(trx, reading.scope);
      if (!hasMore) await forgetSeen(trx, reading.scope, "memberships");
      const change = { position: writePlace(next), caught_up: !hasMore };
      await saveStreamState(trx, reading.scope, "users", "memberships", change, reading.clock());
    });
    if (!hasMore) return;
    place = next;
    if (reading.stop()) throw new WaitNeeded(reading.clock());
  }
}

/** With the place: what was seen belongs to it. */
async function beginAnew(trx: Trx, { scope, clock }: Reading): Promise<Place> {
  const place = newPlace(0);
  await forgetSeen(trx, scope, "memberships");
  const change = { position: writePlace(place), caught_up: false };
  await saveStreamState(trx, scope, "users", "memberships", change, clock());
  return place;
}

/** Null: the place that another night has handed down is taken no more (row 15). */
async function listFrom({ client }: Reading, { at }: Place, handedDown: string | null | undefined) {
  const of = { path: "/api/v2/organization_memberships", rows: "organization_memberships", cursor: at ?? undefined };
  try {
    return await readList({ client, size: 100, shrinkable: false }, of);
  } catch (error) {
    if (at === null || at !== handedDown || !isPlaceRefused(error)) throw error;
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
