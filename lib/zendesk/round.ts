import type { StreamName } from "#lib/connections/shapes.ts";
import { checkDeparted } from "#lib/zendesk/departed.ts";
import type { FailureCode } from "#lib/zendesk/failures.ts";
import { unlessRefused } from "#lib/zendesk/look-up.ts";
import { claimAfterEvents } from "#lib/zendesk/outrun.ts";
import type { Reading, StreamEnd } from "#lib/zendesk/reading.ts";
import type { readRunStreams } from "#lib/zendesk/store/run-counters.ts";
import { readStream, recordAfterChecks } from "#lib/zendesk/stream-turn.ts";
import type { Stream } from "#lib/zendesk/streams.ts";

type Done = Awaited<ReturnType<typeof readRunStreams>>;

/** Why the events of tickets may be out of reach for as long as nobody acts: tickets are claimed without them, as far as exports tell. */
const outOfReach: readonly FailureCode[] = ["forbidden", "missing_scope", "not_found", "not_administrator"];

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
    if (stream !== witness || reading.downgraded || areEventsUnread(ends)) continue;
    let isDoubted = false;
    const refused = await unlessRefused(reading, "tickets", async () => {
      isDoubted = await claimAfterEvents(reading);
    });
    if (isDoubted || refused) await restate(reading, ends, "tickets");
  }
  if (reading.downgraded) return;
  let isAnyChecked = false;
  const refused = await unlessRefused(reading, "organizations", async () => {
    isAnyChecked = await checkDeparted(reading);
  });
  if (isAnyChecked || refused) await restate(reading, ends, "organizations");
}

/** They are there, but this run did not get them: what they would tell of tickets it does not know, and must not claim. */
function areEventsUnread(ends: readonly StreamEnd[]): boolean {
  const failure = ends.find(({ name, state }) => name === "ticket_events" && state === "failed")?.failure;
  return failure !== undefined && !outOfReach.includes(failure.code);
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
