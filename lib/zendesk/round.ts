import type { StreamName } from "#lib/connections/shapes.ts";
import { checkDeparted } from "#lib/zendesk/departed.ts";
import type { FailureCode } from "#lib/zendesk/failures.ts";
import { unlessRefused } from "#lib/zendesk/look-up.ts";
import { claimAfterEvents } from "#lib/zendesk/outrun.ts";
import { commit, type Reading, type StreamEnd } from "#lib/zendesk/reading.ts";
import type { readRunStreams } from "#lib/zendesk/store/run-counters.ts";
import { readStreamState } from "#lib/zendesk/store/stream-state.ts";
import { readStream, recordAfterChecks } from "#lib/zendesk/stream-turn.ts";
import type { Stream } from "#lib/zendesk/streams.ts";

type Done = Awaited<ReturnType<typeof readRunStreams>>;

/** Why the events of tickets may be out of reach for as long as nobody acts. */
const outOfReach: readonly FailureCode[] = ["forbidden", "missing_scope", "not_found", "not_administrator"];
/** A refusal that has lasted for so long is no accident: tickets are claimed as far as the exports tell. Milliseconds. */
const accident = 30 * 60_000;

/**
 * One round: the streams in their order, each as far as the mode of the run asks for, and what is asked by id beside them.
 * `ends` takes up how each ended, also where a wait or a failure of the account is thrown; `done` are those that an earlier turn
 * of the run has read.
 */
export async function readRound(
  reading: Reading,
  streams: readonly Stream[],
  ends: StreamEnd[],
  done: Done = new Map(),
): Promise<void> {
  const witness = streams.findLast(({ name }) => name === "tickets" || name === "ticket_events");
  for (const stream of streams) {
    ends.push(finished(stream, done) ?? (await readStream(reading, stream)));
    if (stream !== witness || reading.downgraded || (await areEventsAwaited(reading, ends))) continue;
    await unlessRefused(reading, "tickets", () => claimAfterEvents(reading, areEventsRead(ends)));
    await restate(reading, ends, "tickets");
  }
  if (reading.downgraded) return;
  let isAnyChecked = false;
  const refused = await unlessRefused(reading, "organizations", async () => {
    isAnyChecked = await checkDeparted(reading);
  });
  if (isAnyChecked || refused) await restate(reading, ends, "organizations");
}

const areEventsRead = (ends: readonly StreamEnd[]): boolean =>
  ends.some(({ name, state }) => name === "ticket_events" && state !== "failed");

/** This run did not get them, another one will: what they tell of tickets is not known, and must not be claimed. */
async function areEventsAwaited(reading: Reading, ends: readonly StreamEnd[]): Promise<boolean> {
  const failure = ends.find(({ name, state }) => name === "ticket_events" && state === "failed")?.failure;
  if (!failure) return false;
  const state = await commit(reading, (trx) => readStreamState(trx, reading.scope, "ticket_events", "incremental"));
  const since = state?.failure_since?.getTime() ?? 0;
  return !outOfReach.includes(failure.code) || reading.clock().getTime() - since < accident;
}

/** How a stream ended in an earlier turn of this run. */
function finished({ name }: Stream, done: Done): StreamEnd | null {
  const before = done.get(name);
  if (!before || before.state === "running" || before.state === "waiting") return null;
  const { code, message, action } = before;
  const state = before.state as StreamEnd["state"];
  return code && message
    ? { name, state, failure: { code: code as FailureCode, message, action: action ?? "" } }
    : { name, state };
}

/** How a stream of this run stands after a check beside it. */
export async function restate(reading: Reading, ends: StreamEnd[], name: StreamName): Promise<void> {
  const index = ends.findIndex((ended) => ended.name === name);
  const ended = ends[index];
  if (ended) ends[index] = await recordAfterChecks(reading, ended);
}
