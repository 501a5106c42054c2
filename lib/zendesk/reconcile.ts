import type { Trx } from "#db/client.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import { settleNominees } from "#lib/zendesk/absences.ts";
import { settleAhead } from "#lib/zendesk/ahead.ts";
import {
  compareStream,
  comparisonDoubt,
  isCompared,
  spanStart,
  type Verified,
  verifyNumbers,
} from "#lib/zendesk/comparison.ts";
import { type FailureWords, WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { lookAgain, narrowed } from "#lib/zendesk/identity.ts";
import { forgetRefusal, refusalDoubt, unlessRefused } from "#lib/zendesk/look-up.ts";
import { readMemberships } from "#lib/zendesk/memberships.ts";
import { metricsDoubt } from "#lib/zendesk/metric-sets.ts";
import { findUnknown } from "#lib/zendesk/missing.ts";
import { commit, type Reading, type StreamEnd } from "#lib/zendesk/reading.ts";
import { readRound } from "#lib/zendesk/round.ts";
import { isAbsentStream } from "#lib/zendesk/store/absence.ts";
import { forgetSeen } from "#lib/zendesk/store/drift.ts";
import { readRhythm, readStreamState } from "#lib/zendesk/store/stream-state.ts";
import { recordAfterChecks } from "#lib/zendesk/stream-turn.ts";
import type { Stream } from "#lib/zendesk/streams.ts";

/**
 * The nightly check, after all streams were caught up: compares the past of each with what is stored and repairs it, asks by
 * id for what is absent and for tickets that only events name (rows 23, 30), and works out every number anew. While that
 * takes its time, the streams are caught up again and again. Gives how they ended, and what was verified: null unless all
 * of it was compared, and everything asked beside it was answered.
 */
export async function reconcile(
  reading: Reading,
  streams: readonly Stream[],
  caughtUp: readonly StreamEnd[],
): Promise<{ ends: StreamEnd[]; verified: Verified | null }> {
  const keeper = await FreshnessKeeper.start(reading, streams, caughtUp);
  // A wait in the midst of the check may have been long, and may come again.
  if (!reading.stop()) await keeper.catchUpIfDue();
  const failures = new Map<StreamName, FailureWords>();
  let isWhole = true;
  for (const stream of streams.filter(isCompared)) {
    const { state } = keeper.endOf(stream.name);
    isWhole &&= state !== "failed";
    if (state === "failed" || state === "not_available") continue;
    const failure = await failureOf(reading, () => checkStream(reading, stream, keeper));
    if (failure) failures.set(stream.name, failure);
  }
  if (!(await unlessRefused(reading, "memberships", () => readMemberships(reading))))
    await forgetRefusal(reading, "memberships", { again: true });
  const since = new Date(spanStart(reading, "tickets") * 1000);
  await unlessRefused(reading, "tickets", () => findUnknown(reading, since));
  const ends: StreamEnd[] = [];
  for (const stream of streams) {
    isWhole &&= (await commit(reading, (trx) => doubtOf(trx, reading, stream))) === null;
    ends.push(await recordAfterChecks(reading, keeper.endOf(stream.name), failures.get(stream.name) ?? null));
  }
  await lookAgain(reading);
  isWhole &&= !reading.downgraded;
  for (const stream of streams.filter(isCompared))
    await commit(reading, (trx) => forgetLateSight(trx, reading, stream));
  const verified = await verifyNumbers(reading);
  return { ends, verified: isWhole && ends.every(({ state }) => state !== "failed") ? verified : null };
}

async function checkStream(reading: Reading, stream: Stream, keeper: FreshnessKeeper): Promise<void> {
  while (!(await compareStream(reading, stream, () => keeper.isDue()))) await keeper.catchUpIfDue();
  const { name } = stream;
  if (!isAbsentStream(name)) return;
  const refused = await unlessRefused(reading, name, async () => {
    await settleNominees(reading, name, () => keeper.catchUpIfDue());
    await settleAhead(reading, name, () => keeper.catchUpIfDue());
  });
  if (!refused) await forgetRefusal(reading, name);
}

/** What catch-ups have shown after a comparison was closed; one that goes on another night needs all that it has seen (row 30). */
async function forgetLateSight(trx: Trx, { scope }: Reading, { name }: Stream): Promise<void> {
  const state = await readStreamState(trx, scope, name, "reconcile");
  if (state?.caught_up !== false) await forgetSeen(trx, scope, name);
}

async function doubtOf(trx: Trx, { scope }: Reading, { name }: Stream): Promise<FailureWords | null> {
  const missing = await metricsDoubt(trx, scope, name);
  if (missing) return missing;
  return (await comparisonDoubt(trx, scope, name)) ?? refusalDoubt(trx, scope, name);
}

/** What went wrong with one stream; what stops the whole connection, and a wait, goes on. */
async function failureOf(reading: Reading, work: () => Promise<void>): Promise<FailureWords | null> {
  try {
    await work();
    return null;
  } catch (thrown) {
    const error = await narrowed(reading, thrown);
    if (!(error instanceof ZendeskError) || error.scope === "connection") throw error;
    reading.log.warn({ ...reading.scope, runId: reading.runId, err: error }, "a stream could not be compared");
    return error.words();
  }
}

/**
 * A comparison of a year may take hours. Whenever half of the sync interval has passed it stands aside for a catch-up of all
 * streams, so that none of them becomes older than the interval.
 */
class FreshnessKeeper {
  private readonly ends: Map<StreamName, StreamEnd>;
  private readonly reading: Reading;
  private readonly streams: readonly Stream[];
  private readonly patience: number;
  private since: number;

  static async start(reading: Reading, streams: readonly Stream[], ends: readonly StreamEnd[]) {
    const { intervalMinutes, readSince } = await commit(reading, (trx) => readRhythm(trx, reading.scope));
    return new FreshnessKeeper(reading, streams, ends, intervalMinutes * 30_000, readSince ?? reading.clock());
  }

  private constructor(
    reading: Reading,
    streams: readonly Stream[],
    ends: readonly StreamEnd[],
    patience: number,
    since: Date,
  ) {
    this.reading = reading;
    this.streams = streams;
    this.ends = new Map(ends.map((end) => [end.name, end]));
    this.patience = patience;
    this.since = since.getTime();
  }

  endOf(name: StreamName): StreamEnd {
    return this.ends.get(name) ?? { name, state: "waiting" };
  }

  isDue(): boolean {
    return this.reading.clock().getTime() - this.since >= this.patience;
  }

  async catchUpIfDue(): Promise<void> {
    if (this.reading.stop()) throw new WaitNeeded(this.reading.clock());
    if (!this.isDue()) return;
    const now = this.reading.clock().getTime();
    const ends: StreamEnd[] = [];
    await readRound(this.reading, this.streams, ends);
    for (const end of ends) this.ends.set(end.name, end);
    this.since = now;
  }
}
