import type { Trx } from "#db/client.ts";
import { refreshTimeline } from "#lib/timeline/refresh.ts";
import { type AskedPage, growth, Pages } from "#lib/zendesk/ask-page.ts";
import { byEarliestClock } from "#lib/zendesk/claims.ts";
import { toSeconds } from "#lib/zendesk/dates.ts";
import { WaitNeeded } from "#lib/zendesk/failures.ts";
import { isNameless } from "#lib/zendesk/held-keys.ts";
import { letUnmetGo } from "#lib/zendesk/held-unmet.ts";
import { lookAgain } from "#lib/zendesk/identity.ts";
import { type Examine, takeBackAbsences } from "#lib/zendesk/ledger.ts";
import { noteMetrics } from "#lib/zendesk/metric-sets.ts";
import { noteOutrun } from "#lib/zendesk/outrun.ts";
import { isAhead, type MadePage, makeRows, type StoredPage, storeRows } from "#lib/zendesk/page-rows.ts";
import { newPlace, type Place, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { commit, nowSecond, type Reading, uncountedRequests } from "#lib/zendesk/reading.ts";
import { countAbsences, isAbsentStream } from "#lib/zendesk/store/absence.ts";
import { heldKeys, holdRows, releaseRows } from "#lib/zendesk/store/held-rows.ts";
import { addCounts } from "#lib/zendesk/store/run-counters.ts";
import { type Purpose, readClock, readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";
import type { Stream } from "#lib/zendesk/streams.ts";
import { keyOfRow } from "#lib/zendesk/wire.ts";

export interface PassOptions {
  purpose: Purpose;
  /** Where a new pass begins; one that was not finished goes on from its place. */
  begin: (trx: Trx) => Promise<Place>;
  /** May go on with an unfinished place as another one, or begin anew (null). */
  resume?: (trx: Trx, place: Place) => Promise<Place | null>;
  /** Tells which of the changed rows this reading repaired rather than read as news. */
  examine?: Examine;
  /** Written in the transaction of the last page, beside the place. */
  finish: (trx: Trx, place: Place) => Promise<void>;
}

/** One reading of a stream from its place to its end, page by page: rows, place and counts in one transaction each. */
export class Pass {
  private readonly reading: Reading;
  private readonly stream: Stream;
  private readonly options: PassOptions;
  private held = new Set<string>();
  /** Held rows without an id that were met, and the lists that showed anything. */
  private readonly nameless = new Set<string>();
  private readonly parts = new Set<string>();
  private absent = false;

  constructor(reading: Reading, stream: Stream, options: PassOptions) {
    this.reading = reading;
    this.stream = stream;
    this.options = options;
  }

  /** Reads to the end. Throws WaitNeeded at a page boundary when told to stop; the next call goes on there. */
  async run(): Promise<Place> {
    const { place, end } = await this.advance(() => false);
    if (!end) throw new WaitNeeded(this.reading.clock());
    return place;
  }

  /** Reads to the end, or to the first page boundary at which `isOver`, or whoever runs us, says so. */
  async advance(isOver: () => boolean): Promise<{ place: Place; end: boolean }> {
    const { place: begun, size } = await this.open();
    const pages = new Pages(this.reading, this.stream, size);
    let place = begun;
    let coming = pages.next(place);
    for (;;) {
      const page = await coming;
      let next = this.placeAfter(page);
      const end = page.end || (next.until !== null && next.through !== null && next.through >= next.until);
      const goesOn = !end && !this.reading.stop() && !isOver();
      // The next page is on its way while this one is stored: Zendesk and the database work at the same time.
      if (goesOn) coming = quietly(pages.next(next));
      if (end) {
        await lookAgain(this.reading);
        const told = byEarliestClock(next, this.reading);
        // Which of the two clocks is wrong, and so whether earlier claims stand, one answer more says.
        if (told !== next) await lookAgain(this.reading);
        next = byEarliestClock(told, this.reading);
      }
      await this.commitPage(page, { before: place, place: next, end, size: pages.size });
      place = next;
      if (!goesOn) return { place, end };
    }
  }

  private async open(): Promise<{ place: Place; size: number | null }> {
    const { scope } = this.reading;
    return commit(this.reading, async (trx) => {
      this.held = await heldKeys(trx, scope, this.stream.name);
      const state = await readStreamState(trx, scope, this.stream.name, this.options.purpose);
      this.absent = isAbsentStream(this.stream.name) && (await countAbsences(trx, scope, this.stream.name)).rows > 0;
      const kept = state && !state.caught_up ? parsePlace(state.position) : null;
      const unfinished = kept && this.options.resume ? await this.options.resume(trx, kept) : kept;
      // Whoever goes on may begin again as often as the one before.
      const place = unfinished ? { ...unfinished, restarts: 0 } : await this.begin(trx);
      await this.savePlace(trx, place, false, state?.page_size ?? null);
      const size = state?.page_size ?? null;
      return { place, size: size === null || unfinished ? size : size * growth };
    });
  }

  private async begin(trx: Trx): Promise<Place> {
    const place = await this.options.begin(trx);
    return this.isWhole ? { ...place, begun: (await readClock(trx)).getTime() } : place;
  }

  /** It reads all there is since its start. */
  private get isWhole(): boolean {
    return this.stream.complete === true || this.options.purpose === "full" || this.options.purpose === "reconcile";
  }

  private placeAfter(page: AskedPage): Place {
    const from = byEarliestClock(page.from, this.reading);
    const requested = page.requestedAt.getTime();
    // What bears a version of the future is held, and leads the reading nowhere.
    const stamp = page.stamp === null || isAhead(page, new Date(page.stamp * 1000)) ? null : page.stamp;
    const reachesPresent =
      this.stream.kind === "list" ||
      page.end ||
      (stamp !== null && stamp >= toSeconds(page.requestedAt) - this.stream.overlap);
    const live = from.live ?? (reachesPresent ? requested : null);
    return {
      ...from,
      at: page.at,
      through: stamp === null ? from.through : Math.max(from.through ?? 0, stamp),
      live: upTo(page.readTo, from, live),
      offset: from.live === null ? this.reading.client.offset : from.offset,
      rows: from.rows + page.rows.length,
    };
  }

  private async commitPage(
    page: AskedPage,
    { before, place, end, size }: { before: Place; place: Place; end: boolean; size: number },
  ): Promise<void> {
    const { reading, stream } = this;
    const made = makeRows(stream, page);
    const requests = uncountedRequests(reading);
    const stored = await commit(reading, async (trx) => {
      const now = reading.clock();
      await this.reappear(trx, made);
      const repaired = await this.options.examine?.(trx, page, made);
      const result = await storeRows(trx, stream, reading.scope, made, now);
      if (stream.name === "tickets")
        await noteMetrics(trx, reading.scope, page, made, { through: place.through, end: page.end }, now);
      if (stream.name === "ticket_events") await noteOutrun(trx, reading, page.rows);
      result.deleted += await this.retire(trx, page, now);
      if (stream.touchesTimeline) await refreshTimeline(trx, reading.scope, result.ids, now);
      const held = await holdRows(trx, reading.scope, stream.name, result.held, made.fetchedAt);
      await this.release(trx, result);
      if (end) await this.letUnmetGo(trx, place, page, result);
      await this.savePlace(trx, place, end, size);
      if (end) await this.options.finish(trx, place);
      await addCounts(trx, reading.scope, reading.runId, stream.name, {
        ...result,
        pages: 1,
        read: made.read,
        repaired: (await repaired?.(result)) ?? 0,
        held,
        cleaned: made.cleaned,
        restarts: place.restarts - before.restarts,
        requests,
      });
      return result;
    });
    this.remember(page, stored, made.cleaned);
  }

  private async release(trx: Trx, result: StoredPage): Promise<void> {
    if (this.held.size === 0) return;
    const stillHeld = new Set(result.held.map((row) => row.key));
    const healed = result.keys.filter((key) => this.held.has(key) && !stillHeld.has(key));
    await releaseRows(trx, this.reading.scope, this.stream.name, healed);
  }

  /** What Zendesk shows, in whatever version, is not absent. */
  private async reappear(trx: Trx, made: MadePage): Promise<void> {
    const { name } = this.stream;
    if (!this.absent || !isAbsentStream(name)) return;
    await takeBackAbsences(
      trx,
      this.reading,
      name,
      made.items.map((item) => item.key),
    );
  }

  private async savePlace(trx: Trx, place: Place, caughtUp: boolean, size: number | null): Promise<void> {
    const change = { position: writePlace(place), caught_up: caughtUp, page_size: size };
    await saveStreamState(
      trx,
      this.reading.scope,
      this.stream.name,
      this.options.purpose,
      change,
      this.reading.clock(),
    );
  }

  /** One row without an id might be any of those that are not shown; and a lower role is shown less. */
  private async retire(trx: Trx, page: AskedPage, now: Date): Promise<number> {
    const { reading, stream } = this;
    if (!page.whole || !stream.retire || reading.downgraded) return 0;
    const ids = page.rows.flatMap((row) => keyOfRow(row) ?? []);
    if (ids.length < page.rows.length) return 0;
    return stream.retire(trx, reading.scope, page.part, ids, now);
  }

  /** A list of everything has no place for what it does not show; one that shows less than it should proves nothing (rows 63, 123). */
  private async letUnmetGo(trx: Trx, place: Place, page: AskedPage, result: StoredPage): Promise<void> {
    const { reading, stream } = this;
    if (place.begun === undefined || this.held.size === 0 || reading.downgraded) return;
    await letUnmetGo(trx, reading.scope, stream.name, {
      begun: new Date(place.begun),
      since: place.since,
      met: new Set([...this.nameless, ...result.held.map((row) => row.key)]),
      parts: page.rows.length > 0 ? new Set([...this.parts, page.part]) : this.parts,
    });
  }

  private remember(page: AskedPage, stored: StoredPage, cleaned: number): void {
    const { reading, stream } = this;
    if (page.rows.length > 0) this.parts.add(page.part);
    for (const { key } of stored.held) {
      this.held.add(key);
      if (isNameless(key, stream.name)) this.nameless.add(key);
    }
    if (stored.held.length > 0 || cleaned > 0) {
      const counts = { held: stored.held.length, cleaned };
      reading.log.warn({ ...reading.scope, stream: stream.name, ...counts }, "rows were held or cleaned");
    }
  }
}

/** Where a stream begins when it has never been read: its history as the connection wants it. */
export async function firstPlace(trx: Trx, reading: Reading, stream: Stream): Promise<Place> {
  return newPlace(await stream.start(trx, reading.connection, nowSecond(reading)));
}

/** What a reading may claim that Zendesk would not go on with: nothing behind its place, and nothing at all at its start. */
function upTo(readTo: number | undefined, { start }: Place, live: number | null): number | null {
  if (readTo === undefined || live === null) return live;
  return readTo > start * 1000 ? Math.min(live, readTo) : null;
}

/** A page that fails before anybody waits for it must not look like a forgotten failure. */
function quietly<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {});
  return promise;
}
