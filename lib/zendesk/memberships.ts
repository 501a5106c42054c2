import { z } from "zod";
import type { Trx } from "#db/client.ts";
import { isPlaceRefused, WaitNeeded } from "#lib/zendesk/failures.ts";
import { newPlace, type Place, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { readList } from "#lib/zendesk/readers.ts";
import { commit, nowSecond, type Reading, uncountedRequests } from "#lib/zendesk/reading.ts";
import { idOf, RowReader, type Wire } from "#lib/zendesk/row-reader.ts";
import { forgetSeen, noteSeen } from "#lib/zendesk/store/drift.ts";
import { forgetUnseenMemberships, type MembershipRow, storeMemberships } from "#lib/zendesk/store/memberships.ts";
import { addRequests } from "#lib/zendesk/store/run-counters.ts";
import { readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";
import { keyOfRow, whatIsWrong } from "#lib/zendesk/wire.ts";

const id = z.union([z.number(), z.string().regex(/^-?\d{1,18}$/)]);
const membershipWire = z.object({ id, user_id: id, organization_id: id });

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
    const rows = membershipRows(listed.rows);
    const check = { runId: reading.runId, begun: place.check?.begun ?? nowSecond(reading) };
    // Also of those that cannot be stored: they are shown, so that what is stored of them is not over.
    const seen = listed.rows.flatMap((row) => keyOfRow(row) ?? []);
    const isNameless = place.nameless === true || seen.length < listed.rows.length;
    const next: Place = {
      ...place,
      ...{ at: listed.cursor, rows: place.rows + rows.length, check },
      ...(isNameless ? { nameless: true } : {}),
    };
    await commit(reading, async (trx) => {
      await storeMemberships(trx, reading.scope, rows);
      await noteSeen(trx, reading.scope, "memberships", seen);
      if (!listed.hasMore && next.rows > 0 && !isNameless) await forgetUnseenMemberships(trx, reading.scope);
      if (!listed.hasMore) await forgetSeen(trx, reading.scope, "memberships");
      const change = { position: writePlace(next), caught_up: !listed.hasMore };
      await saveStreamState(trx, reading.scope, "users", "memberships", change, reading.clock());
      await addRequests(trx, reading.scope, reading.runId, uncountedRequests(reading));
    });
    if (!listed.hasMore) return;
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

function membershipRows(wires: readonly Wire[]): MembershipRow[] {
  const read = new RowReader();
  return wires
    .filter((wire) => whatIsWrong(membershipWire, wire) === null)
    .map((wire) => ({
      id: idOf(wire.id),
      userId: idOf(wire.user_id),
      organizationId: idOf(wire.organization_id),
      isDefault: wire.default === true,
      updatedAt: read.instant(wire, "updated_at"),
    }));
}
