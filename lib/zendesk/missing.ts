import type { Trx } from "#db/client.ts";
import { refreshTimeline } from "#lib/timeline/refresh.ts";
import { type FailureWords, WaitNeeded } from "#lib/zendesk/failures.ts";
import { type ById, idsAtOnce, lookUp } from "#lib/zendesk/look-up.ts";
import { makeRows, storeRows } from "#lib/zendesk/page-rows.ts";
import { newPlace, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { commit, type Reading, uncountedRequests } from "#lib/zendesk/reading.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";
import { holdRows, readHeldRows, releaseRows } from "#lib/zendesk/store/held-rows.ts";
import { countOrganizations, organizationIdsAfter } from "#lib/zendesk/store/missing.ts";
import { tombstoneOrganizations } from "#lib/zendesk/store/organizations.ts";
import { addCounts, noCounts } from "#lib/zendesk/store/run-counters.ts";
import { readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";
import { tombstoneTickets } from "#lib/zendesk/store/tickets.ts";
import { streamNamed } from "#lib/zendesk/streams.ts";

/** A row that cannot be found is gone when it still cannot be found so long after (row 30). Milliseconds. */
const confirmAfter = 24 * 3_600_000;
/** More missing rows than this, and more than one in a hundred, are the listing's fault until a person says otherwise. */
const mostMissing = 10;
const largestShare = 0.01;

const heldKey = (id: string) => `missing:${id}`;

/**
 * Organizations that users or tickets left in this run: asked for by id, and gone if Zendesk answers 404. Two signals that
 * point the same way, a 404 and the move, need no second day: a merge, or a deletion that let its people go (rows 40, 41).
 */
export async function checkDeparted(reading: Reading): Promise<void> {
  const ids = [...reading.departures.keys()];
  for (let at = 0; at < ids.length; at += idsAtOnce) {
    const { missing } = await lookUp(reading, "organizations", ids.slice(at, at + idsAtOnce));
    if (missing.length === 0) continue;
    const winners = new Map(missing.flatMap((id) => winnerOf(reading, id)));
    await commit(reading, async (trx) => {
      const now = reading.clock();
      const { deleted } = await tombstoneOrganizations(trx, reading.scope, missing, now, winners);
      await releaseRows(trx, reading.scope, "organizations", missing.map(heldKey));
      await count(trx, reading, "organizations", { deleted });
    });
  }
  reading.departures.clear();
}

/** The organization that most of them went to. */
function winnerOf(reading: Reading, id: string): [string, string][] {
  const [first] = [...(reading.departures.get(id) ?? [])].sort(([, a], [, b]) => b - a);
  return first?.[0] ? [[id, first[0]]] : [];
}

/**
 * Asks for every stored organization by id, since the export does not name the deleted ones for certain: resumable, in
 * chunks. Absence only nominates. Gives a doubt when too many are missing to believe it.
 */
export async function checkOrganizations(reading: Reading): Promise<FailureWords | null> {
  const { scope } = reading;
  const { begun, stored } = await commit(reading, async (trx) => {
    const state = await readStreamState(trx, scope, "organizations", "reconcile");
    const begun = state && !state.caught_up ? (parsePlace(state.position)?.at ?? null) : null;
    return { begun, stored: await countOrganizations(trx, scope) };
  });
  const missing: string[] = [];
  for (let after = begun; ; ) {
    const ids = await commit(reading, (trx) => organizationIdsAfter(trx, scope, after, idsAtOnce));
    const looked = await lookUp(reading, "organizations", ids);
    missing.push(...looked.missing);
    if (isTooMany(missing.length, stored)) return tooMany("organizations", missing.length);
    after = ids.at(-1) ?? after;
    if (looked.found.length > 0) await storeFound(reading, "organizations", looked.found);
    const done = ids.length < idsAtOnce;
    if (!done && !reading.stop()) continue;
    await nominate(reading, "organizations", missing);
    await savePlace(reading, after, done);
    if (done) return null;
    throw new WaitNeeded(reading.clock());
  }
}

async function savePlace(reading: Reading, after: string | null, done: boolean): Promise<void> {
  const position = writePlace({ ...newPlace(0), at: after });
  const change = { position, caught_up: done };
  await commit(reading, (trx) =>
    saveStreamState(trx, reading.scope, "organizations", "reconcile", change, reading.clock()),
  );
}

/** Rows that Zendesk does not find by id: held the first time, tombstoned when they are still missing a day later. */
export async function nominate(reading: Reading, kind: ById, missing: readonly string[]): Promise<void> {
  if (missing.length === 0 || reading.downgraded) return;
  await commit(reading, async (trx) => {
    const now = reading.clock();
    const held = new Map((await readHeldRows(trx, reading.scope, kind)).map((row) => [row.key, row.firstHeldAt]));
    const isConfirmed = (id: string) => {
      const since = held.get(heldKey(id));
      return since !== undefined && now.getTime() - since.getTime() >= confirmAfter;
    };
    const gone = missing.filter(isConfirmed);
    const reason = "Zendesk does not find it by its id; if it is still missing a day later, it counts as deleted.";
    const waiting = missing.filter((id) => !isConfirmed(id)).map((id) => ({ key: heldKey(id), payload: "", reason }));
    const added = await holdRows(trx, reading.scope, kind, waiting, now);
    await releaseRows(trx, reading.scope, kind, gone.map(heldKey));
    const deleted = await entomb(trx, reading, kind, gone);
    await count(trx, reading, kind, { deleted, held: added });
  });
}

async function entomb(trx: Trx, reading: Reading, kind: ById, gone: readonly string[]): Promise<number> {
  if (gone.length === 0) return 0;
  const now = reading.clock();
  if (kind === "organizations") return (await tombstoneOrganizations(trx, reading.scope, gone, now)).deleted;
  const result = await tombstoneTickets(trx, reading.scope, gone, now);
  await refreshTimeline(trx, reading.scope, [...gone], now);
  return result.deleted;
}

/** A listing that lacks so much is not believed. */
export function isTooMany(missing: number, stored: number): boolean {
  return missing > mostMissing && missing > stored * largestShare;
}

export function tooMany(kind: ById, missing: number): FailureWords {
  return {
    code: "many_missing",
    message: `Zendesk does not find ${missing} stored ${kind} any more, more than is believable. All of them are kept.`,
    action:
      "Check that the connected login sees everything. If they were really deleted, read the connection again in full.",
  };
}

/** Stores rows that were fetched by id; gives how many of them were news to us. */
export async function storeFound(reading: Reading, kind: ById, found: Wire[]): Promise<number> {
  const stream = streamNamed(kind);
  const text = "";
  const rest = { part: kind, at: null, end: true, requestedAt: reading.client.serverNow(), stamp: null };
  const made = makeRows(stream, { ...rest, rows: found, text });
  return commit(reading, async (trx) => {
    const now = reading.clock();
    const stored = await storeRows(trx, stream, reading.scope, made, now);
    if (stream.touchesTimeline) await refreshTimeline(trx, reading.scope, stored.ids, now);
    const held = await holdRows(trx, reading.scope, kind, stored.held, now);
    await releaseRows(
      trx,
      reading.scope,
      kind,
      found.map((row) => heldKey(String(row.id))),
    );
    const repaired = stored.inserted + stored.updated + stored.deleted;
    await count(trx, reading, kind, { ...stored, read: found.length, held, repaired });
    return repaired;
  });
}

async function count(trx: Trx, reading: Reading, kind: ById, counts: Partial<typeof noCounts>): Promise<void> {
  const all = { ...noCounts, ...counts, requests: uncountedRequests(reading) };
  await addCounts(trx, reading.scope, reading.runId, kind, all);
}
