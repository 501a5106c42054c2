import type { Trx } from "#db/client.ts";
import { refreshTimeline } from "#lib/timeline/refresh.ts";
import { WaitNeeded } from "#lib/zendesk/failures.ts";
import { type Fetched, idsAtOnce } from "#lib/zendesk/fetch-by-id.ts";
import { comparePage, takeBackAbsences } from "#lib/zendesk/ledger.ts";
import { lookUp, noteRefusal } from "#lib/zendesk/look-up.ts";
import { makeRows, storeRows } from "#lib/zendesk/page-rows.ts";
import { newPlace, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { commit, type Reading, uncountedRequests } from "#lib/zendesk/reading.ts";
import type { AbsentStream } from "#lib/zendesk/store/absence.ts";
import { comparedBy } from "#lib/zendesk/store/compared.ts";
import { forgetLaterVersions } from "#lib/zendesk/store/drift.ts";
import { holdRows } from "#lib/zendesk/store/held-rows.ts";
import { unknownTickets } from "#lib/zendesk/store/missing.ts";
import { addCounts, noCounts } from "#lib/zendesk/store/run-counters.ts";
import { readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";
import { streamNamed } from "#lib/zendesk/streams.ts";

/** So many tickets that only events or ratings name are asked for in one night; the next one goes on behind them. */
const mostUnknown = 1000;

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
 * holds more than an answer by id does. They are no nominees any more. `evenOlder`: they are right also where a later version is
 * stored.
 */
export async function storeFound(
  reading: Reading,
  kind: AbsentStream,
  found: Fetched["found"],
  { evenOlder = false } = {},
): Promise<void> {
  const stream = streamNamed(kind);
  const fetchedAt = new Date(Math.min(...found.map((one) => one.fetchedAt.getTime())));
  const latest = new Date(Math.max(...found.map((one) => one.latest.getTime())));
  const page = { part: kind, latest, rows: found.map(({ row }) => row), text: "", at: null, end: true, stamp: null };
  const made = makeRows(stream, { ...page, requestedAt: fetchedAt, fetchedAt });
  const ids = made.items.map((item) => item.key);
  await commit(reading, async (trx) => {
    const now = reading.clock();
    await takeBackAbsences(trx, reading, kind, ids);
    if (evenOlder) {
      const rows = made.items.flatMap((item) => item.rows);
      await forgetLaterVersions(trx, reading.scope, comparedBy(kind), { fetchedAt }, rows);
    }
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
