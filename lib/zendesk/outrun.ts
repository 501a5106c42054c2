import type { Trx } from "#db/client.ts";
import { parseUsualInstant, toSeconds } from "#lib/zendesk/dates.ts";
import { WaitNeeded } from "#lib/zendesk/failures.ts";
import { idsAtOnce } from "#lib/zendesk/fetch-by-id.ts";
import { lookUp } from "#lib/zendesk/look-up.ts";
import { commit, nowSecond, type Reading } from "#lib/zendesk/reading.ts";
import { instantOfSeconds, type Wire } from "#lib/zendesk/row-reader.ts";
import { outrunAmong } from "#lib/zendesk/store/missing.ts";
import { readStreamState } from "#lib/zendesk/store/stream-state.ts";
import { storeFetched } from "#lib/zendesk/store-by-id.ts";
import { streamNamed } from "#lib/zendesk/streams.ts";

/** So many are asked for in one run; the next one's events tell of the others again, as long as they are in its overlap. */
const mostOutrun = 500;
/** Older events tell nothing that the tickets of the same run have not shown. Seconds. */
const recent = 86_400;

/** Keeps, of a page of ticket events, when each ticket was last told to have changed. */
export function noteChanges(reading: Reading, events: readonly Wire[]): void {
  const since = nowSecond(reading) - recent;
  for (const event of events) {
    const at = instantOfSeconds(event?.timestamp) ?? parseUsualInstant(event?.created_at);
    const id = String(event?.ticket_id ?? "");
    if (!at || toSeconds(at) < since || !/^\d+$/.test(id)) continue;
    reading.changes.set(id, Math.max(reading.changes.get(id) ?? 0, toSeconds(at)));
  }
}

/**
 * Tickets that have changed again within the minute that the export withholds are in it neither as they were nor as they are:
 * those of which events tell that they changed before the instant that tickets are claimed fresh through are asked for by id
 * (INV-HONEST). What is not answered in time is told of again by the next run's events.
 */
export async function readOutrun(reading: Reading): Promise<void> {
  const { scope } = reading;
  const ids = await commit(reading, (trx) => outrun(trx, reading));
  try {
    for (let at = 0; at < ids.length; at += idsAtOnce) {
      if (reading.stop()) return;
      const asked = ids.slice(at, at + idsAtOnce);
      const { found } = await lookUp(reading, "tickets", asked);
      // One that bears another id is held already, as the export has it.
      const theirs = found.filter(({ row }) => asked.includes(String(row?.id)));
      await commit(reading, (trx) => storeFetched(trx, scope, "tickets", theirs, reading.clock()));
    }
  } catch (error) {
    if (!(error instanceof WaitNeeded)) throw error;
  }
}

async function outrun(trx: Trx, { scope, changes }: Reading): Promise<string[]> {
  const state = await readStreamState(trx, scope, "tickets", "incremental");
  if (!state?.fresh_through) return [];
  const claimed = toSeconds(state.fresh_through);
  const { overlap } = streamNamed("tickets");
  const told = [...changes].filter(([, second]) => second <= claimed && second > claimed - overlap);
  return told.length === 0 ? [] : outrunAmong(trx, scope, told, mostOutrun);
}
