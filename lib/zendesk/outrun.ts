import type { Trx } from "#db/client.ts";
import { later } from "#lib/zendesk/claims.ts";
import { parseUsualInstant, toSeconds } from "#lib/zendesk/dates.ts";
import { WaitNeeded, type ZendeskError } from "#lib/zendesk/failures.ts";
import { type Fetched, fetchTogether, idsAtOnce } from "#lib/zendesk/fetch-by-id.ts";
import { lookUp, noteRefusal, unlessRefused } from "#lib/zendesk/look-up.ts";
import { newPlace, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { commit, nowSecond, type Reading } from "#lib/zendesk/reading.ts";
import { instantOfSeconds, type Wire } from "#lib/zendesk/row-reader.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { outrunAmong, unknownTickets } from "#lib/zendesk/store/missing.ts";
import { readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";
import { storeFetched } from "#lib/zendesk/store-by-id.ts";
import { streamNamed } from "#lib/zendesk/streams.ts";
import { isBigint } from "#lib/zendesk/wire.ts";

/*
 * A ticket that changes again within the minute that the export withholds is in no page, neither as it was nor as it is. Its
 * events tell of it. So what tickets are fresh through is claimed only after the events of that time were read and the tickets
 * that they name were asked for by id (INV-HONEST). Until then both wait as the stream state `tickets`, `outrun`.
 */

/** A ticket, and a Unix second at which it changed. */
type Change = readonly [id: string, second: number];

const day = 86_400;
/** What changed longer ago the export has shown, however late (row 12) and after however long a pause. Seconds. */
const recent = 7 * day;
/**
 * An answer by id may lag behind the events, and a ticket may be gone by id that no export has shown as deleted yet: for so long no
 * claim passes a change that no answer shows. Seconds.
 */
const unseenFor = 10 * 60;
/** After the first reading so many tickets that only events name are asked for; the nights ask for the others. */
const mostNeverShown = 10_000;

/** In the transaction that ends a reading of tickets: keeps what it vouches for until the events were read. */
export async function awaitEvents(trx: Trx, reading: Reading, through: Date | null): Promise<void> {
  if (through === null) return;
  const { changes } = await readAwaited(trx, reading.scope);
  await saveAwaited(trx, reading, { through, changes });
}

/**
 * In the transaction of a page of ticket events: keeps which tickets it tells of that no export has shown so, also those that
 * changed after what is to be claimed now: the next claim asks for them, and its events may begin behind them.
 */
export async function noteOutrun(trx: Trx, reading: Reading, events: readonly Wire[]): Promise<void> {
  const told = changesIn(events, nowSecond(reading) - recent);
  const outrun = await outrunAmong(trx, reading.scope, told);
  if (outrun.length === 0) return;
  const { through, changes } = await readAwaited(trx, reading.scope);
  const all = new Map([...changes, ...outrun].map((change) => [change.join(), change]));
  await saveAwaited(trx, reading, { through, changes: [...all.values()] });
}

/**
 * After the events: asks by id for the tickets that they tell of, and claims what the reading of tickets has vouched for, where
 * the events were read no further than those: Zendesk may have refused their newest minutes (row 13). Throws WaitNeeded, and at
 * the end why an answer was refused: then nothing more is claimed than before.
 */
export async function claimAfterEvents(reading: Reading, areEventsRead: boolean): Promise<void> {
  const { scope } = reading;
  const {
    through,
    outrun,
    later: since,
    isFirst,
  } = await commit(reading, async (trx) => {
    const { through: vouched, changes } = await readAwaited(trx, scope);
    const state = await readStreamState(trx, scope, "tickets", "incremental");
    const events = await readStreamState(trx, scope, "ticket_events", "incremental");
    const through = areEventsRead ? earlier(vouched, events?.fresh_through ?? null) : vouched;
    const last = through ? toSeconds(through) : Number.POSITIVE_INFINITY;
    const isFirst = state?.fresh_through == null;
    // What a first reading has not met at all is asked for together, but for the newest.
    const first = isFirst ? last - day : 0;
    const outrun = await outrunAmong(
      trx,
      scope,
      changes.filter(([, second]) => second <= last && second > first),
    );
    const later = changes.filter(([, second]) => second > last && second > nowSecond(reading) - recent);
    return { through, outrun, later, isFirst };
  });
  if (through === null) return;
  if (isFirst) await unlessRefused(reading, "tickets", () => readNeverShown(reading));
  const ids = [...new Set(outrun.map(([id]) => id))];
  const unseen: Change[] = [];
  let why: ZendeskError | undefined;
  for (let at = 0; at < ids.length; at += idsAtOnce) {
    if (reading.stop()) throw new WaitNeeded(reading.clock());
    const asked = ids.slice(at, at + idsAtOnce);
    const { found, refused } = await lookUp(reading, "tickets", asked);
    await store(reading, found);
    if (!why && refused[0]) {
      why = refused[0].why;
      // At once: a later batch may wait, and whoever goes on then meets none of this again.
      await noteRefusal(reading, "tickets", why);
    }
    unseen.push(...unseenIn(outrun, asked, found, nowSecond(reading) - unseenFor));
    // Whoever goes on after a wait asks for none of the others again.
    const rest = new Set(ids.slice(at + idsAtOnce));
    const changes = [...outrun.filter(([id]) => rest.has(id)), ...unseen, ...since];
    await commit(reading, (trx) => saveAwaited(trx, reading, { through: why ? null : through, changes }));
  }
  // One that is never shown must not keep the claim back for good: the next reading of tickets may claim again.
  if (why) throw why;
  const before = Math.min(...unseen.map(([, second]) => second)) - 1;
  const claimed = before < toSeconds(through) ? new Date(before * 1000) : through;
  await commit(reading, async (trx) => {
    const now = reading.clock();
    const state = await readStreamState(trx, scope, "tickets", "incremental");
    const change = { fresh_through: later(reading, state?.fresh_through, claimed) };
    await saveStreamState(trx, scope, "tickets", "incremental", change, now);
    await saveAwaited(trx, reading, { through: null, changes: [...unseen, ...since] });
  });
}

/** Null where either is. */
function earlier(a: Date | null, b: Date | null): Date | null {
  if (a === null || b === null) return null;
  return a < b ? a : b;
}

/** Of the changes of those `asked` for and since a second, those that no answer shows: it is older, or there is none. */
function unseenIn(
  changes: readonly Change[],
  asked: readonly string[],
  found: Fetched["found"],
  since: number,
): Change[] {
  const shown = new Map(found.map(({ row }) => [String(row?.id), parseUsualInstant(row?.updated_at)]));
  return changes.filter(([id, second]) => {
    const at = shown.get(id);
    return asked.includes(id) && second >= since && (!at || toSeconds(at) < second);
  });
}

/**
 * After the very first reading even a change of long ago may be known from its event alone: the ticket was touched in the minute
 * that was withheld. Those that are not answered together, and those that time does not suffice for, are asked for in the
 * nights (row 23).
 */
async function readNeverShown(reading: Reading): Promise<void> {
  const { scope, client, connection } = reading;
  const ids = await commit(reading, async (trx) => {
    const since = new Date((await streamNamed("tickets").start(trx, connection, nowSecond(reading))) * 1000);
    return unknownTickets(trx, scope, { since, after: null, limit: mostNeverShown });
  });
  for (let at = 0; at < ids.length && !reading.stop(); at += idsAtOnce) {
    const asked = ids.slice(at, at + idsAtOnce);
    await store(reading, await fetchTogether(client, "tickets", asked));
  }
}

async function store(reading: Reading, found: Fetched["found"]): Promise<void> {
  await commit(reading, (trx) => storeFetched(trx, reading.scope, "tickets", found, reading.clock()));
}

/** What tickets are to be claimed fresh through when their events were read, and what those have told. */
interface Waiting {
  through: Date | null;
  changes: readonly Change[];
}

async function readAwaited(trx: Trx, scope: Scope): Promise<Waiting> {
  const state = await readStreamState(trx, scope, "tickets", "outrun");
  const { live = null, at = null } = parsePlace(state?.position ?? null) ?? {};
  return { through: live === null ? null : new Date(live), changes: at === null ? [] : JSON.parse(at) };
}

async function saveAwaited(trx: Trx, { scope, clock }: Reading, { through, changes }: Waiting): Promise<void> {
  const at = changes.length === 0 ? null : JSON.stringify(changes);
  const position = writePlace({ ...newPlace(0), live: through?.getTime() ?? null, at });
  await saveStreamState(trx, scope, "tickets", "outrun", { position }, clock());
}

function changesIn(events: readonly Wire[], since: number): Change[] {
  return events.flatMap((event) => {
    const at = instantOfSeconds(event?.timestamp) ?? parseUsualInstant(event?.created_at);
    const id = String(event?.ticket_id ?? "");
    return at && toSeconds(at) >= since && isBigint(id) ? [[id, toSeconds(at)] as const] : [];
  });
}
