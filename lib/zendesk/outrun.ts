import type { Trx } from "#db/client.ts";
import { later } from "#lib/zendesk/claims.ts";
import { parseUsualInstant, toSeconds } from "#lib/zendesk/dates.ts";
import { WaitNeeded } from "#lib/zendesk/failures.ts";
import { idsAtOnce } from "#lib/zendesk/fetch-by-id.ts";
import { lookUp } from "#lib/zendesk/look-up.ts";
import { newPlace, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { commit, nowSecond, type Reading } from "#lib/zendesk/reading.ts";
import { instantOfSeconds, type Wire } from "#lib/zendesk/row-reader.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { outrunAmong } from "#lib/zendesk/store/missing.ts";
import { readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";
import { storeFetched } from "#lib/zendesk/store-by-id.ts";
import { streamNamed } from "#lib/zendesk/streams.ts";

/*
 * A ticket that changes again within the minute that the export withholds is in no page, neither as it was nor as it is. Its
 * events tell of it. So what tickets are fresh through is claimed only after the events of that time were read and the tickets
 * that they name were asked for by id (INV-HONEST). Until then both wait as the stream state `tickets`, `outrun`.
 */

/** A ticket, and a Unix second at which it changed. */
type Change = readonly [id: string, second: number];

/** What is older tells nothing that the export has not shown. Seconds. */
const recent = 86_400;

/**
 * In the transaction that ends a reading of tickets: keeps what it vouches for until the events were read. Gives what may be
 * claimed so long: what was claimed before, and after the very first reading what lies an overlap back.
 */
export async function claimBeforeEvents(
  trx: Trx,
  reading: Reading,
  before: Date | null,
  through: Date | null,
): Promise<Date | null> {
  if (through === null) return before;
  await saveStreamState(trx, reading.scope, "tickets", "outrun", { fresh_through: through }, reading.clock());
  return before ?? new Date(through.getTime() - streamNamed("tickets").overlap * 1000);
}

/** In the transaction of a page of ticket events: keeps which tickets it tells of that the export has not shown. */
export async function noteOutrun(trx: Trx, reading: Reading, events: readonly Wire[]): Promise<void> {
  const told = changesIn(events, nowSecond(reading) - recent);
  if (told.length === 0) return;
  const { through, changes } = await readAwaited(trx, reading.scope);
  if (through === null) return;
  const outrun = await outrunAmong(trx, reading.scope, claimed(told, through));
  if (outrun.length === 0) return;
  const all = new Map([...claimed(changes, through), ...outrun]);
  const position = writePlace({ ...newPlace(0), at: JSON.stringify([...all]) });
  await saveStreamState(trx, reading.scope, "tickets", "outrun", { position }, reading.clock());
}

/**
 * After the events: asks by id for the tickets that they tell of, and claims what the reading of tickets has vouched for.
 * Throws WaitNeeded and why an answer was refused: then nothing more is claimed than before.
 */
export async function claimAfterEvents(reading: Reading): Promise<void> {
  const { scope } = reading;
  const { through, outrun } = await commit(reading, async (trx) => {
    const { through, changes } = await readAwaited(trx, scope);
    return { through, outrun: through ? await outrunAmong(trx, scope, claimed(changes, through)) : [] };
  });
  if (through === null) return;
  const ids = outrun.map(([id]) => id);
  for (let at = 0; at < ids.length; at += idsAtOnce) {
    if (reading.stop()) throw new WaitNeeded(reading.clock());
    const asked = ids.slice(at, at + idsAtOnce);
    const { found, refused } = await lookUp(reading, "tickets", asked);
    // One that bears another id is held already, as the export has it.
    const theirs = found.filter(({ row }) => asked.includes(String(row?.id)));
    await commit(reading, (trx) => storeFetched(trx, scope, "tickets", theirs, reading.clock()));
    if (refused[0]) throw refused[0].why;
  }
  await commit(reading, async (trx) => {
    const now = reading.clock();
    const state = await readStreamState(trx, scope, "tickets", "incremental");
    const change = { fresh_through: later(reading, state?.fresh_through, through) };
    await saveStreamState(trx, scope, "tickets", "incremental", change, now);
    await saveStreamState(trx, scope, "tickets", "outrun", { fresh_through: null, position: null }, now);
  });
}

async function readAwaited(trx: Trx, scope: Scope): Promise<{ through: Date | null; changes: Change[] }> {
  const state = await readStreamState(trx, scope, "tickets", "outrun");
  const kept = parsePlace(state?.position ?? null)?.at ?? null;
  return { through: state?.fresh_through ?? null, changes: kept === null ? [] : JSON.parse(kept) };
}

function changesIn(events: readonly Wire[], since: number): Change[] {
  return events.flatMap((event) => {
    const at = instantOfSeconds(event?.timestamp) ?? parseUsualInstant(event?.created_at);
    const id = String(event?.ticket_id ?? "");
    return at && toSeconds(at) >= since && /^\d+$/.test(id) ? [[id, toSeconds(at)] as const] : [];
  });
}

/** What changed earlier and not since the export has shown; what changed since events of these very days tell again. */
function claimed(changes: readonly Change[], through: Date): Change[] {
  const last = toSeconds(through);
  const { overlap } = streamNamed("tickets");
  return changes.filter(([, second]) => second <= last && second > last - overlap);
}
