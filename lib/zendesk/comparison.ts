import type { Trx } from "#db/client.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import { rebuildMetrics } from "#lib/metrics/rebuild.ts";
import { judgeAbsences } from "#lib/zendesk/absences.ts";
import { forgetAhead, noteAhead } from "#lib/zendesk/ahead.ts";
import { type FailureWords, ZendeskError } from "#lib/zendesk/failures.ts";
import { sightLost } from "#lib/zendesk/identity.ts";
import { intoLedger } from "#lib/zendesk/ledger.ts";
import { Pass } from "#lib/zendesk/pass.ts";
import { newPlace, type Place, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { ratingsHeard } from "#lib/zendesk/ratings-reader.ts";
import { commit, nowSecond, type Reading } from "#lib/zendesk/reading.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { isAbsentStream } from "#lib/zendesk/store/absence.ts";
import { comparedBy } from "#lib/zendesk/store/compared.ts";
import { closeComparison, forgetSeen, holdsLiving, moveLedger, sumLedger } from "#lib/zendesk/store/drift.ts";
import { readRunState } from "#lib/zendesk/store/run-counters.ts";
import { readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";
import type { Stream } from "#lib/zendesk/streams.ts";

const day = 86_400;
/** What the night compares: a year, or the connection's history where that is shorter. */
const yearOfDays = 365;
/** Rows may appear so long after their stamp: what is younger may be absent still. Seconds. */
const lateness = 30 * 60;
/** A comparison that was left unfinished is gone on with for so long; then it is too old to vouch for. Seconds. */
const keptFor = 3 * day;

/** Streams whose past is compared by exports and lists of their own; groups and fields are whole lists in every run. */
const comparedStreams: readonly StreamName[] = [
  "organizations",
  "users",
  "tickets",
  "ticket_events",
  "satisfaction_ratings",
];

export interface Verified {
  tickets: number;
  repaired: number;
  metricsDiffering: number;
}

export function isCompared({ name }: Pick<Stream, "name">): boolean {
  return comparedStreams.includes(name);
}

/**
 * Compares the past of one stream with what is stored, row by row, through the same export or list that the runs read
 * (never through lists that lack archived tickets, row 27), and counts and repairs what differs. Stops at a page boundary
 * when `isOver`; the next call goes on there, also in another turn, or in the run that follows a killed one. True when done.
 */
export async function compareStream(reading: Reading, stream: Stream, isOver: () => boolean): Promise<boolean> {
  const read = await alreadyRead(reading, stream);
  if (read?.check?.closed) return true;
  const place = read ?? (await readPast(reading, stream, isOver));
  // A transaction of its own: over millions of rows it takes seconds, which the lock of the last page must not be held for.
  if (place) await commit(reading, (trx) => close(trx, reading, stream, place));
  return place !== null;
}

/** Null: there is more to read. */
async function readPast(reading: Reading, stream: Stream, isOver: () => boolean): Promise<Place | null> {
  const { place, end } = await new Pass(reading, stream, {
    purpose: "reconcile",
    begin: (trx) => beginComparison(trx, reading, stream),
    resume: (trx, place) => goOn(trx, reading, stream, place),
    examine: async (trx, page, made) => {
      if (isAbsentStream(stream.name)) await noteAhead(trx, reading, stream.name, page, made);
      return intoLedger(reading, stream, { counts: true })(trx, page, made);
    },
    finish: async (trx) => {
      // Read with lesser eyes: the next comparison begins anew.
      if (!reading.downgraded) return;
      const change = { position: null, caught_up: false };
      await saveStreamState(trx, reading.scope, stream.name, "reconcile", change, reading.clock());
    },
  }).advance(isOver);
  if (end && reading.downgraded) throw sightLost();
  return end ? place : null;
}

/** What the last finished comparison leaves to doubt until the next: a listing without a single row, where rows are stored (row 123). */
export async function comparisonDoubt(trx: Trx, scope: Scope, name: StreamName): Promise<FailureWords | null> {
  const state = await readStreamState(trx, scope, name, "reconcile");
  const place = parsePlace(state?.position ?? null);
  if (!state?.caught_up || place?.rows !== 0) return null;
  if (!(await holdsLiving(trx, scope, comparedBy(name), spanFrom(place)))) return null;
  return {
    code: "empty_listing",
    message: `Zendesk listed nothing at all of the past ${name}, though rows of it are stored. They are kept.`,
    action: "Check that the connected login still sees everything; the next night looks again.",
  };
}

/** After all streams: every number from scratch, and what the ledger of the night says. */
export async function verifyNumbers(reading: Reading): Promise<Verified> {
  return commit(reading, async (trx) => {
    const { differing } = await rebuildMetrics(trx, reading.scope.workspaceId, reading.clock());
    const { tickets, repaired } = await sumLedger(trx, reading.scope, reading.runId);
    return { tickets, repaired, metricsDiffering: differing };
  });
}

/** The second at which the compared past of a stream begins. The organizations are all compared: they may vanish unchanged. */
export function spanStart({ connection, client }: Pick<Reading, "connection" | "client">, name: StreamName): number {
  if (name === "organizations") return 0;
  const days = name === "ticket_events" ? connection.event_history_days : connection.history_days;
  const now = Math.floor(client.serverNow().getTime() / 1000);
  return Math.max(0, now - Math.min(days || yearOfDays, yearOfDays) * day);
}

/** A comparison that this run, or one that was killed, has read to its end; null for none. */
async function alreadyRead(reading: Reading, stream: Stream): Promise<Place | null> {
  return commit(reading, async (trx) => {
    const state = await readStreamState(trx, reading.scope, stream.name, "reconcile");
    const place = parsePlace(state?.position ?? null);
    const check = place?.check;
    if (!state?.caught_up || !place || !check) return null;
    if (check.runId === reading.runId) return place;
    // A run that was killed after this comparison handed it down; one that ended has had its night.
    if (isTooOld(reading, check) || (await readRunState(trx, reading.scope, check.runId)) !== "interrupted")
      return null;
    await moveLedger(trx, reading.scope, stream.name, check.runId, reading.runId);
    const own = takenOver(place, reading);
    const change = { position: writePlace(own) };
    await saveStreamState(trx, reading.scope, stream.name, "reconcile", change, reading.clock());
    return own;
  });
}

async function beginComparison(trx: Trx, reading: Reading, stream: Stream): Promise<Place> {
  await forgetSeen(trx, reading.scope, stream.name);
  if (isAbsentStream(stream.name)) await forgetAhead(trx, reading, stream.name);
  const check = { runId: reading.runId, begun: nowSecond(reading) };
  return { ...newPlace(spanStart(reading, stream.name)), check };
}

async function goOn(trx: Trx, reading: Reading, stream: Stream, place: Place): Promise<Place | null> {
  const { check } = place;
  if (!check || isTooOld(reading, check)) return null;
  if (check.runId === reading.runId) return place;
  await moveLedger(trx, reading.scope, stream.name, check.runId, reading.runId);
  return takenOver(place, reading);
}

function takenOver(place: Place, { runId }: Reading): Place {
  return { ...place, check: { begun: place.start, ...place.check, runId } };
}

function isTooOld(reading: Reading, check: NonNullable<Place["check"]>): boolean {
  return nowSecond(reading) - check.begun > keptFor;
}

/** After the last page: what was absent, and, of what can be asked for by id, who is nominated for deletion. Throws where lists were refused. */
async function close(trx: Trx, reading: Reading, stream: Stream, place: Place): Promise<void> {
  const access = await stream.access?.(trx, reading.scope, reading.identity, place);
  if (access instanceof ZendeskError) throw access;
  const span = {
    from: spanFrom(place),
    to: new Date((place.live ?? 0) - lateness * 1000),
    systems: stream.name === "satisfaction_ratings" ? ratingsHeard(place).answered : null,
  };
  const compared = comparedBy(stream.name);
  const { scope, runId } = reading;
  const now = reading.clock();
  const { shown, living } = await closeComparison(trx, scope, runId, stream.name, compared, span, now);
  if (isAbsentStream(stream.name)) await judgeAbsences(trx, reading, stream.name, { shown, living });
  const check = { begun: place.start, ...place.check, runId, closed: true as const };
  const change = { position: writePlace({ ...place, check }) };
  await saveStreamState(trx, scope, stream.name, "reconcile", change, now);
}

/** Null: from the very beginning. */
function spanFrom({ since }: Place): Date | null {
  return since > 0 ? new Date(since * 1000) : null;
}
