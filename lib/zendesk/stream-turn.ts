import type { Trx } from "#db/client.ts";
import type { StreamName, SyncMode } from "#lib/connections/shapes.ts";
import { heldAbsenceWords } from "#lib/zendesk/absences.ts";
import { freshThrough, isAhead, later, resumeFrom } from "#lib/zendesk/claims.ts";
import { comparisonDoubt, isCompared } from "#lib/zendesk/comparison.ts";
import { toSeconds } from "#lib/zendesk/dates.ts";
import { type FailureWords, WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { heldWords } from "#lib/zendesk/held-doubt.ts";
import { lookAgain, narrowed } from "#lib/zendesk/identity.ts";
import { intoLedger, lateRows } from "#lib/zendesk/ledger.ts";
import { refusalDoubt } from "#lib/zendesk/look-up.ts";
import { metricsDoubt, metricsOwedSince } from "#lib/zendesk/metric-sets.ts";
import { awaitEvents } from "#lib/zendesk/outrun.ts";
import { firstPlace, Pass } from "#lib/zendesk/pass.ts";
import { newPlace, type Place, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { ratingsHeard } from "#lib/zendesk/ratings-reader.ts";
import { commit, nowSecond, type Reading, type StreamEnd } from "#lib/zendesk/reading.ts";
import { countAbsences, isAbsentStream } from "#lib/zendesk/store/absence.ts";
import { comparedBy } from "#lib/zendesk/store/compared.ts";
import { holdsLiving } from "#lib/zendesk/store/drift.ts";
import { holdsAny, saveCsatSystem } from "#lib/zendesk/store/facts.ts";
import { countHeld } from "#lib/zendesk/store/held-rows.ts";
import { setRunStream } from "#lib/zendesk/store/run-counters.ts";
import { lockStreamState, type Purpose, readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";
import type { Stream } from "#lib/zendesk/streams.ts";

/** An end that lies so far behind the present may have rows behind it that came late: read on at once. Seconds. */
const tooLongAgo = 10 * 60;
const mostExtraPasses = 2;
/** Tickets that lack their metric sets are read again by the next runs for so long; then the night reads them. Seconds. */
const owedFor = 24 * 3600;
/** A start moved back by less than this is the clock's doing. Seconds. */
const sameStart = 3600;

/** What a reading of a whole stream leaves to say beside "done". */
interface Verdict {
  doubt: FailureWords | null;
  notAvailable: boolean;
  /** Nothing that was read counts: the next run begins this reading again. */
  failure?: ZendeskError;
}

/**
 * Reads one stream as far as the mode asks for and records how it ended. Only failures of this stream end here; a wait and
 * whatever stops the whole connection is recorded and thrown on.
 */
export async function readStream(reading: Reading, stream: Stream): Promise<StreamEnd> {
  await commit(reading, (trx) => begin(trx, reading, stream));
  try {
    const verdict = reading.mode === "full" ? await readInFull(reading, stream) : await catchUp(reading, stream);
    if (verdict.failure) throw verdict.failure;
    return await commit(reading, (trx) => end(trx, reading, stream, verdict));
  } catch (thrown) {
    const error = await narrowed(reading, thrown);
    if (error instanceof WaitNeeded)
      await commit(reading, (trx) => record(trx, reading, { name: stream.name, state: "waiting" }));
    if (!(error instanceof ZendeskError)) throw error;
    reading.log.warn({ ...reading.scope, runId: reading.runId, stream: stream.name, err: error }, "a stream failed");
    const failed: StreamEnd = { name: stream.name, state: "failed", failure: error.words() };
    await commit(reading, (trx) => record(trx, reading, failed));
    if (error.scope === "connection") throw error;
    return failed;
  }
}

/** The incremental reading, after a gap that an earlier start date has opened (row 85). */
async function catchUp(reading: Reading, stream: Stream): Promise<Verdict> {
  if (await commit(reading, (trx) => claimsFuture(trx, reading, stream))) await lookAgain(reading);
  const unfilled = await fillGap(reading, stream);
  const examine =
    reading.mode === "reconcile"
      ? intoLedger(reading, stream, { counts: stream.complete === true })
      : await lateRows(reading, stream);
  for (let extra = 0; ; extra++) {
    const verdict: Verdict = { doubt: null, notAvailable: false };
    const place = await new Pass(reading, stream, {
      purpose: "incremental",
      begin: (trx) => nextPlace(trx, reading, stream),
      examine,
      finish: async (trx, done) => {
        Object.assign(verdict, await settle(trx, reading, stream, "incremental", done));
      },
    }).run();
    const behind = place.live === null ? 0 : nowSecond(reading) - place.live / 1000;
    if (behind < tooLongAgo || extra >= mostExtraPasses) return unfilled ? { ...verdict, failure: unfilled } : verdict;
  }
}

/** By the earliest clock that any answer has shown: it may be that one that is wrong, so that another is asked for (row 47). */
async function claimsFuture(trx: Trx, { scope, client }: Reading, stream: Stream): Promise<boolean> {
  const state = await readStreamState(trx, scope, stream.name, "incremental");
  return state?.resume_from != null && state.resume_from > client.serverNow();
}

async function readInFull(reading: Reading, stream: Stream): Promise<Verdict> {
  const verdict: Verdict = { doubt: null, notAvailable: false };
  await new Pass(reading, stream, {
    purpose: "full",
    begin: (trx) => firstPlace(trx, reading, stream),
    finish: async (trx, done) => {
      Object.assign(verdict, await settle(trx, reading, stream, "full", done));
    },
  }).run();
  return verdict;
}

async function nextPlace(trx: Trx, reading: Reading, stream: Stream): Promise<Place> {
  const state = await readStreamState(trx, reading.scope, stream.name, "incremental");
  const last = parsePlace(state?.position ?? null);
  if (!last || !state?.resume_from) return firstPlace(trx, reading, stream);
  // Vouched for by a clock that was ahead: what of it was really read nobody can tell.
  if (isAhead(reading, state.resume_from)) return firstPlace(trx, reading, stream);
  const resumed = toSeconds(state.resume_from);
  const owed = stream.name === "tickets" ? await metricsOwedSince(trx, reading.scope) : null;
  const isLately = owed !== null && resumed - owed <= owedFor;
  return newPlace(isLately ? Math.min(resumed, owed) : resumed, { since: last.since });
}

/** Gives why a gap could not be filled: it is read again from its beginning by the next run. */
async function fillGap(reading: Reading, stream: Stream): Promise<ZendeskError | null> {
  const gap = await commit(reading, async (trx) => {
    const state = await readStreamState(trx, reading.scope, stream.name, "incremental");
    const known = parsePlace(state?.position ?? null);
    const wanted = await stream.start(trx, reading.connection, nowSecond(reading));
    return known && wanted < known.since - sameStart ? newPlace(wanted, { until: known.since }) : null;
  });
  if (!gap) return null;
  const verdict: Pick<Verdict, "failure"> = {};
  await new Pass(reading, stream, {
    purpose: "backfill",
    begin: async () => gap,
    finish: async (trx, done) => {
      const access = await stream.access?.(trx, reading.scope, reading.identity, done);
      if (access instanceof ZendeskError)
        Object.assign(verdict, await begunAgain(trx, reading, stream, "backfill", done, access));
      else await rememberStart(trx, reading, stream, done.since);
    },
  }).run();
  return verdict.failure ?? null;
}

async function rememberStart(trx: Trx, reading: Reading, stream: Stream, since: number): Promise<void> {
  const state = await readStreamState(trx, reading.scope, stream.name, "incremental");
  const place = parsePlace(state?.position ?? null);
  if (!place) return;
  const position = writePlace({ ...place, since: Math.min(place.since, since) });
  await saveStreamState(trx, reading.scope, stream.name, "incremental", { position }, reading.clock());
}

/** In the transaction of the last page: what the reading may claim, and from where the next one starts. */
async function settle(trx: Trx, reading: Reading, stream: Stream, purpose: Purpose, place: Place): Promise<Verdict> {
  const doubt = reading.downgraded ? shorterLists(reading) : await emptyDoubt(trx, reading, stream, purpose, place);
  const access = (await stream.access?.(trx, reading.scope, reading.identity, place)) ?? "granted";
  if (access instanceof ZendeskError) {
    // What a lower role is refused says nothing that the role does not say.
    const failure = reading.downgraded && access.code === "forbidden" ? null : access;
    if (failure) return begunAgain(trx, reading, stream, purpose, place, failure);
  }
  if (doubt) return { doubt, notAvailable: false };
  if (stream.name === "satisfaction_ratings") await saveCsatSystem(trx, reading.scope, ratingsHeard(place).answered);
  if (access === "not_available") return { doubt: null, notAvailable: true };
  const state = await readStreamState(trx, reading.scope, stream.name, "incremental");
  const known = purpose === "full" ? parsePlace(state?.position ?? null) : place;
  const merged = { ...place, since: Math.min(place.since, known?.since ?? place.since) };
  const through = freshThrough(place);
  const isTold = stream.name === "tickets";
  if (isTold) await awaitEvents(trx, reading, through);
  const change = {
    position: writePlace(merged),
    caught_up: true,
    resume_from: later(reading, state?.resume_from, resumeFrom(stream, place)),
    ...(isTold ? {} : { fresh_through: later(reading, state?.fresh_through, through) }),
  };
  await saveStreamState(trx, reading.scope, stream.name, "incremental", change, reading.clock());
  return { doubt: null, notAvailable: false };
}

/** Nothing that was read counts: the next reading begins where this one did. */
async function begunAgain(
  trx: Trx,
  reading: Reading,
  stream: Stream,
  purpose: Purpose,
  place: Place,
  failure: ZendeskError,
): Promise<Verdict> {
  const again = newPlace(place.start, { since: place.since, until: place.until });
  const change = { position: writePlace(again), caught_up: false };
  await saveStreamState(trx, reading.scope, stream.name, purpose, change, reading.clock());
  return { doubt: null, notAvailable: false, failure };
}

async function emptyDoubt(
  trx: Trx,
  reading: Reading,
  stream: Stream,
  purpose: Purpose,
  place: Place,
): Promise<FailureWords | null> {
  const doubt = await stream.doubt?.(trx, reading.scope);
  if (doubt) return doubt;
  const complete = stream.complete || purpose === "full";
  if (!complete || place.rows > 0 || !(await holdsSome(trx, reading, stream, place))) return null;
  return {
    code: "empty_listing",
    message: `Zendesk listed nothing at all for ${stream.name}, though rows of it are stored. They are kept.`,
    action: "Check that the connected login still sees everything; the next run looks again.",
  };
}

/** Whether anything is stored that a reading of all there is since its start must show. */
function holdsSome(trx: Trx, { scope }: Reading, stream: Stream, { start }: Place): Promise<boolean> {
  if (!isCompared(stream)) return holdsAny(trx, scope, stream.table);
  return holdsLiving(trx, scope, comparedBy(stream.name), start > 0 ? new Date(start * 1000) : null);
}

function shorterLists({ identity, connection }: Reading): FailureWords {
  return {
    code: "role_changed",
    message: `${identity.email ?? identity.id} was ${connection.login_role} when this was connected and is ${identity.role || "no agent"} now: lists may be shorter than the truth. Nothing is removed.`,
    action: "Make the login an administrator again, or reconnect as another.",
  };
}

async function begin(trx: Trx, reading: Reading, stream: Stream): Promise<void> {
  const now = reading.clock();
  await saveStreamState(trx, reading.scope, stream.name, "incremental", { state: "running", last_run_at: now }, now);
  await setRunStream(trx, reading.scope, reading.runId, stream.name, { state: "running" });
}

async function end(trx: Trx, reading: Reading, stream: Stream, verdict: Verdict): Promise<StreamEnd> {
  const { name } = stream;
  const ended: StreamEnd = verdict.notAvailable
    ? { name, state: "not_available" }
    : await standing(trx, reading, name, verdict.doubt);
  await record(trx, reading, ended);
  return ended;
}

/** A stream that is caught up is degraded while something about it is in doubt, undecided or held. */
async function standing(
  trx: Trx,
  { scope, mode }: Reading,
  name: StreamName,
  doubt: FailureWords | null,
): Promise<StreamEnd> {
  // Whoever holds a row beside this run waits for its verdict, or is counted in it.
  await lockStreamState(trx, scope, name, "incremental");
  const absent = isAbsentStream(name) ? (await countAbsences(trx, scope, name)).held : 0;
  const held = await countHeld(trx, scope, name);
  // A reading of all there is has seen what a comparison did not.
  const pastDoubt = mode === "full" ? null : await comparisonDoubt(trx, scope, name);
  const failure =
    doubt ??
    pastDoubt ??
    (await refusalDoubt(trx, scope, name)) ??
    (await metricsDoubt(trx, scope, name)) ??
    (isAbsentStream(name) && absent > 0 ? heldAbsenceWords(name, absent) : held > 0 ? heldWords(held) : null);
  return failure ? { name, state: "degraded", failure } : { name, state: "ok" };
}

async function record(trx: Trx, reading: Reading, ended: StreamEnd): Promise<void> {
  const { scope, runId } = reading;
  const now = reading.clock();
  const { code = null, message = null, action = null } = ended.failure ?? {};
  const words = { failure_code: code, failure_message: message, failure_action: action };
  const known = await readStreamState(trx, scope, ended.name, "incremental");
  const since = code === null ? null : known?.failure_code === code ? known.failure_since : now;
  const change = { state: ended.state, ...words, failure_since: since, last_run_at: now };
  await saveStreamState(trx, scope, ended.name, "incremental", change, now);
  await setRunStream(trx, scope, runId, ended.name, {
    state: ended.state,
    failure_code: code,
    failure_message: message,
  });
}

/**
 * Whether the catch-up itself is in doubt, so that the stream was not caught up: no check takes that away, and no run succeeds
 * with it. Whether the past is listed a comparison tells anew.
 */
export function isBehind(mode: SyncMode, { name, failure }: StreamEnd): boolean {
  // Definitions may all be deleted, and stand for a day as if they were not.
  if (failure?.code === "empty_listing") return name !== "fields" && (mode === "full" || !isCompared({ name }));
  return failure?.code === "role_changed";
}

/** After the checks of a run: how a stream that was caught up stands now. One that failed, or is not to be had, stays so. */
export function recordAfterChecks(
  reading: Reading,
  ended: StreamEnd,
  failure: FailureWords | null = null,
): Promise<StreamEnd> {
  return commit(reading, async (trx) => {
    const { name } = ended;
    if (ended.state === "not_available" || (ended.state === "failed" && !failure)) return ended;
    // Nothing that comes after it compares definitions.
    const stays = isBehind(reading.mode, ended) || (name === "fields" && ended.failure?.code === "empty_listing");
    const doubted = (stays && ended.failure) || null;
    const now: StreamEnd = failure ? { name, state: "failed", failure } : await standing(trx, reading, name, doubted);
    await record(trx, reading, now);
    return now;
  });
}
