import type { Trx } from "#db/client.ts";
import { refreshTimeline } from "#lib/timeline/refresh.ts";
import type { Fetched, FetchedKind } from "#lib/zendesk/fetch-by-id.ts";
import { weighHeldRows } from "#lib/zendesk/held-doubt.ts";
import { makeRows, storeRows } from "#lib/zendesk/page-rows.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import type { Departure } from "#lib/zendesk/store/departures.ts";
import { holdRows, releaseRows } from "#lib/zendesk/store/held-rows.ts";
import { countInserted } from "#lib/zendesk/store/run-counters.ts";
import { streamNamed } from "#lib/zendesk/streams.ts";

export { type Departure, departuresOf } from "#lib/zendesk/store/departures.ts";
export { membersOf } from "#lib/zendesk/store/facts.ts";

export interface StoredById {
  /** Rows that were news. */
  changed: number;
  left: Departure[];
}

/**
 * Stores rows that were fetched by id outside of any run, as a page of theirs would be: counts, timeline, held rows. Never
 * an older version over a newer one, so that it may happen beside a run (row 19).
 */
export async function storeFetched(
  trx: Trx,
  scope: Scope,
  kind: FetchedKind,
  found: Fetched["found"],
  now: Date,
): Promise<StoredById> {
  const total: StoredById = { changed: 0, left: [] };
  const stream = streamNamed(kind);
  for (const { fetchedAt, latest, rows } of byInstant(found)) {
    const rest = { part: kind, text: "", at: null, end: true, stamp: null };
    const made = makeRows(stream, { ...rest, rows, requestedAt: fetchedAt, fetchedAt, latest });
    const stored = await storeRows(trx, stream, scope, made, now);
    if (stream.touchesTimeline) await refreshTimeline(trx, scope, stored.ids, now);
    await holdRows(trx, scope, kind, stored.held, fetchedAt);
    const held = new Set(stored.held.map(({ key }) => key));
    const released = await releaseRows(
      trx,
      scope,
      kind,
      stored.keys.filter((key) => !held.has(key)),
    );
    if (held.size > 0 || released.length > 0) await weighHeldRows(trx, scope, kind, now);
    await countInserted(trx, scope, kind, stored.inserted);
    total.changed += stored.inserted + stored.updated + stored.deleted;
    total.left.push(...stored.left);
  }
  return total;
}

/** Rows asked for together stay one page. */
function byInstant(found: Fetched["found"]) {
  const pages = new Map<number, { fetchedAt: Date; latest: Date; rows: Wire[] }>();
  for (const { row, fetchedAt, latest } of found) {
    const page = pages.get(fetchedAt.getTime()) ?? { fetchedAt, latest, rows: [] };
    page.rows.push(row);
    pages.set(fetchedAt.getTime(), page);
  }
  return pages.values();
}
