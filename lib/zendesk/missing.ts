import type { Trx } from "#db/client.ts";
import { refreshTimeline } from "#lib/timeline/refresh.ts";
import { judgeDeserted, settleDepartures, suspectsAmong } from "#lib/zendesk/departed.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { type Fetched, idsAtOnce } from "#lib/zendesk/fetch-by-id.ts";
import { seesEverything } from "#lib/zendesk/identity.ts";
import { comparePage, takeBackAbsences } from "#lib/zendesk/ledger.ts";
import { lookUp, noteRefusal } from "#lib/zendesk/look-up.ts";
import { makeRows, storeRows } from "#lib/zendesk/page-rows.ts";
import { newPlace, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { commit, type Reading, uncountedRequests } from "#lib/zendesk/reading.ts";
import type { AbsentStream } from "#lib/zendesk/store/absence.ts";
import {
  anyDepartureAsked,
  departuresToAsk,
  forgetOldDepartures,
  markDeparturesAsked,
  type NotedDeparture,
} from "#lib/zendesk/store/departures.ts";
import { holdRows } from "#lib/zendesk/store/held-rows.ts";
import { unknownTickets } from "#lib/zendesk/store/missing.ts";
import { addCounts, noCounts } from "#lib/zendesk/store/run-counters.ts";
import { readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";
import { streamNamed } from "#lib/zendesk/streams.ts";

/** So many tickets that only events or ratings name are asked for in one night; the next one goes on behind them. */
const mostUnknown = 1000;
/** What nobody could judge for so long is left to the nights. Milliseconds. */
const departuresKept = 2 * 24 * 3_600_000;
/** Those that do not come together are asked for one by one: not too many, since a wait in between begins the lot again. */
const departedAtOnce = 25;
/** So many pages of the organizations' export are looked at in one check, and for one verdict: exports are dear. */
const mostLooks = 12;
const looksAtOnce = 3;

/**
 * Organizations that users or tickets left since they were last asked about: asked for by id, and gone if Zendesk answers 404.
 * Three signals that point the same way, a 404, that nobody is left in it and that the export has it no more, need no second
 * day: a merge, or a deletion that let its people go (rows 40, 41). What cannot be told yet waits for the next run, and so does
 * the rest once a wait or the number of looks ends it: a run has streams to read, and tries nothing here twice. True when this run
 * has asked about any. Throws WaitNeeded where it is told to stop.
 */
export async function checkDeparted(reading: Reading): Promise<boolean> {
  const { scope, runId } = reading;
  const before = new Date(reading.clock().getTime() - departuresKept);
  const progress = await commit(reading, async (trx) => {
    await forgetOldDepartures(trx, scope, before);
    return { isAsked: await anyDepartureAsked(trx, scope, runId), looks: 0 };
  });
  while (progress.looks < mostLooks) {
    const noted = await commit(reading, (trx) => departuresToAsk(trx, scope, { runId, limit: departedAtOnce }));
    if (noted.length === 0) break;
    if (reading.stop()) throw new WaitNeeded(reading.clock());
    try {
      await askAboutDeparted(reading, noted, progress);
    } catch (error) {
      const isWait = error instanceof WaitNeeded;
      // What is never answered for, or never in time, must not keep the others from their turn.
      if (isWait || (error instanceof ZendeskError && error.scope === "stream"))
        await commit(reading, (trx) => markDeparturesAsked(trx, scope, idsOf(noted), runId));
      if (isWait && !reading.stop()) break;
      throw error;
    }
  }
  return progress.isAsked;
}

interface Progress {
  isAsked: boolean;
  /** Pages of the organizations' export that were looked at. */
  looks: number;
}

async function askAboutDeparted(reading: Reading, noted: readonly NotedDeparture[], progress: Progress): Promise<void> {
  const { scope, client, runId } = reading;
  const ids = idsOf(noted);
  const { missing, refused } = await lookUp(reading, "organizations", ids);
  progress.isAsked = true;
  if (refused[0]) await noteRefusal(reading, "organizations", refused[0].why);
  const suspects = await commit(reading, (trx) => suspectsAmong(trx, scope, { ids, missing }));
  const settle = async (judged: readonly string[], gone: readonly string[]) => {
    if (judged.length === 0) return;
    await commit(reading, async (trx) => {
      const which = { gone, judged: noted.filter(({ organizationId }) => judged.includes(organizationId)) };
      const buried = await settleDepartures(trx, scope, which, reading.clock());
      await takeBackAbsences(trx, reading, "organizations", buried.ids);
      await count(trx, reading, "organizations", { deleted: buried.deleted });
    });
  };
  let { deserted: open } = suspects;
  const waiting = [...suspects.living, ...refused.map(({ id }) => id)];
  const undecided = new Set([...waiting, ...open.map(({ id }) => id)]);
  await settle(
    ids.filter((id) => !undecided.has(id)),
    [],
  );
  while (open.length > 0 && progress.looks < mostLooks) {
    const verdict = await judgeDeserted(client, { ...suspects, deserted: open }, looksAtOnce);
    progress.looks += verdict.looks;
    if (verdict.gone.length > 0 && !(await seesEverything(client, reading.connection))) break;
    const rest = open.filter(({ id }) => verdict.open.includes(id));
    if (rest.length === open.length) break;
    await settle(
      open.filter((one) => !rest.includes(one)).map(({ id }) => id),
      verdict.gone,
    );
    open = rest;
    if (open.length > 0 && reading.stop()) throw new WaitNeeded(reading.clock());
  }
  await commit(reading, (trx) => markDeparturesAsked(trx, scope, [...waiting, ...open.map(({ id }) => id)], runId));
}

const idsOf = (noted: readonly NotedDeparture[]) => [...new Set(noted.map(({ organizationId }) => organizationId))];

/**
 * Tickets that events or ratings since an instant speak of and that no export has shown: asked for by id (row 23). Those
 * that are really gone are asked for again every night, so each night goes on where the last one stopped, round and round.
 */
export async function findUnknown(reading: Reading, since: Date): Promise<void> {
  const begun = await commit(reading, (trx) => readStreamState(trx, reading.scope, "tickets", "unknown"));
  let after = parsePlace(begun?.position ?? null)?.at ?? null;
  for (let asked = 0; asked < mostUnknown; asked += idsAtOnce) {
    const which = { since, after, limit: idsAtOnce };
    const ids = await commit(reading, (trx) => unknownTickets(trx, reading.scope, which));
    const { found, refused } = await lookUp(reading, "tickets", ids);
    if (found.length > 0) await storeFound(reading, "tickets", found);
    const unanswered = refused.find(({ why }) => why.transient);
    if (unanswered) await noteRefusal(reading, "tickets", unanswered.why);
    const isLast = ids.length < idsAtOnce;
    after = isLast ? null : (ids.at(-1) ?? null);
    await savePlace(reading, after);
    if (isLast) return;
    if (reading.stop()) throw new WaitNeeded(reading.clock());
  }
}

function savePlace(reading: Reading, at: string | null): Promise<void> {
  const change = { position: writePlace({ ...newPlace(0), at }) };
  return commit(reading, (trx) => saveStreamState(trx, reading.scope, "tickets", "unknown", change, reading.clock()));
}

/**
 * Stores rows that were fetched by id, as far as they are news: what is stored in the same version came from the export and
 * holds more than an answer by id does. They are no nominees any more.
 */
export async function storeFound(reading: Reading, kind: AbsentStream, found: Fetched["found"]): Promise<void> {
  const stream = streamNamed(kind);
  const fetchedAt = new Date(Math.min(...found.map((one) => one.fetchedAt.getTime())));
  const latest = new Date(Math.max(...found.map((one) => one.latest.getTime())));
  const page = { part: kind, latest, rows: found.map(({ row }) => row), text: "", at: null, end: true, stamp: null };
  const made = makeRows(stream, { ...page, requestedAt: fetchedAt, fetchedAt });
  const ids = made.items.map((item) => item.key);
  await commit(reading, async (trx) => {
    const now = reading.clock();
    await takeBackAbsences(trx, reading, kind, ids);
    const comparison = await comparePage(trx, reading, stream, made, { newerOnly: true });
    const news = new Set(comparison.drifted.map((row) => row.key));
    const items = made.items.filter((item) => news.has(item.key));
    const stored = await storeRows(trx, stream, reading.scope, { ...made, items }, now);
    if (stream.touchesTimeline) await refreshTimeline(trx, reading.scope, stored.ids, now);
    const held = await holdRows(trx, reading.scope, kind, stored.held, made.fetchedAt);
    const unchanged = stored.unchanged + made.items.length - items.length;
    const repaired = await comparison.write();
    await count(trx, reading, kind, { ...stored, unchanged, read: found.length, held, repaired });
  });
}

async function count(trx: Trx, reading: Reading, kind: AbsentStream, counts: Partial<typeof noCounts>): Promise<void> {
  const all = { ...noCounts, ...counts, requests: uncountedRequests(reading) };
  await addCounts(trx, reading.scope, reading.runId, kind, all);
}
