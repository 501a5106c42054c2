import { rebuildMetrics } from "#lib/metrics/rebuild.ts";
import type { AskedPage } from "#lib/zendesk/ask-page.ts";
import type { FailureWords } from "#lib/zendesk/failures.ts";
import { idsAtOnce, lookUp, unlessRefused } from "#lib/zendesk/look-up.ts";
import { isTooMany, nominate, storeFound, tooMany } from "#lib/zendesk/missing.ts";
import { Pass } from "#lib/zendesk/pass.ts";
import { newPlace, type Place, parsePlace } from "#lib/zendesk/place.ts";
import { commit, nowSecond, type Reading } from "#lib/zendesk/reading.ts";
import { repairsSinceFresh } from "#lib/zendesk/repairs.ts";
import { repairedInRun, ticketIdsBetween, unknownTickets } from "#lib/zendesk/store/missing.ts";
import { readStreamState } from "#lib/zendesk/store/stream-state.ts";
import type { Stream } from "#lib/zendesk/streams.ts";

const day = 86_400;
/** What the nightly reading checks: a year, or the connection's history where that is shorter. */
const yearOfDays = 365;
/** Beyond so many tickets a year, what is absent is not looked for: the ids are held in memory. */
const mostRemembered = 500_000;
const unknownAtOnce = 1000;

export interface Verified {
  tickets: number;
  repaired: number;
  metricsDiffering: number;
}

/**
 * Reads the past year of tickets again through the incremental export (never through lists, which lack archived tickets,
 * row 27) and counts what differed; then looks by id for tickets that only their events name, and for those that the
 * export no longer shows (rows 23, 30).
 */
export async function reconcileTickets(reading: Reading, stream: Stream): Promise<FailureWords | null> {
  const repaired = await repairsSinceFresh(reading);
  const seen = new SeenIds();
  const place = await new Pass(reading, stream, {
    purpose: "reconcile",
    begin: async () => newPlace(yearStart(reading)),
    repaired,
    seen: (page) => seen.add(page),
    finish: async () => {},
  }).run();
  await unlessRefused(reading, undefined, () => findUnknown(reading, place));
  const whole = seen.rows === place.rows && seen.rows <= mostRemembered;
  return whole ? unlessRefused(reading, null, () => findAbsent(reading, stream, place, seen)) : null;
}

/** Reads the past year of ratings again: one that was changed after the 35 days that every run re-reads is found here (row 33). */
export async function reconcileRatings(reading: Reading, stream: Stream): Promise<void> {
  await new Pass(reading, stream, {
    purpose: "reconcile",
    begin: async () => newPlace(yearStart(reading)),
    repaired: (stored) => stored.inserted + stored.updated,
    finish: async () => {},
  }).run();
}

function yearStart(reading: Reading): number {
  const days = Math.min(reading.connection.history_days || yearOfDays, yearOfDays);
  return Math.max(0, nowSecond(reading) - days * day);
}

class SeenIds {
  rows = 0;
  private readonly ids = new Set<string>();

  add(page: AskedPage): void {
    this.rows += page.rows.length;
    if (this.rows > mostRemembered) this.ids.clear();
    else for (const row of page.rows) this.ids.add(String(row?.id));
  }

  has(id: string): boolean {
    return this.ids.has(id);
  }
}

async function findUnknown(reading: Reading, place: Place): Promise<void> {
  const since = new Date(place.start * 1000);
  const ids = await commit(reading, (trx) => unknownTickets(trx, reading.scope, since, unknownAtOnce));
  for (let at = 0; at < ids.length; at += idsAtOnce) {
    const { found } = await lookUp(reading, "tickets", ids.slice(at, at + idsAtOnce));
    if (found.length > 0) await storeFound(reading, "tickets", found);
  }
}

async function findAbsent(reading: Reading, stream: Stream, place: Place, seen: SeenIds): Promise<FailureWords | null> {
  if (reading.downgraded || place.live === null || seen.rows === 0) return null;
  const span = { from: place.start, to: Math.floor(place.live / 1000) - stream.overlap, limit: 5000 };
  const absent: string[] = [];
  for (let after: string | null = null; ; ) {
    const ids: string[] = await commit(reading, (trx) => ticketIdsBetween(trx, reading.scope, { ...span, after }));
    absent.push(...ids.filter((id) => !seen.has(id)));
    after = ids.at(-1) ?? null;
    if (ids.length < span.limit) break;
  }
  if (isTooMany(absent.length, seen.rows)) return tooMany("tickets", absent.length);
  const missing: string[] = [];
  for (let at = 0; at < absent.length; at += idsAtOnce) {
    const looked = await lookUp(reading, "tickets", absent.slice(at, at + idsAtOnce));
    if (looked.found.length > 0) await storeFound(reading, "tickets", looked.found);
    missing.push(...looked.missing);
  }
  await nominate(reading, "tickets", missing);
  return null;
}

/** After all streams: every number from scratch, and what the night has found. */
export async function verifyNumbers(reading: Reading): Promise<Verified> {
  return commit(reading, async (trx) => {
    const { differing } = await rebuildMetrics(trx, reading.scope.workspaceId, reading.clock());
    const state = await readStreamState(trx, reading.scope, "tickets", "reconcile");
    const repaired = await repairedInRun(trx, reading.scope, reading.runId);
    return { tickets: parsePlace(state?.position ?? null)?.rows ?? 0, repaired, metricsDiffering: differing };
  });
}
