import { PageTooHeavy } from "#lib/zendesk/client.ts";
import { toSeconds } from "#lib/zendesk/dates.ts";
import { isPlaceRefused, WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { newPlace, type Place } from "#lib/zendesk/place.ts";
import { Progress } from "#lib/zendesk/progress.ts";
import { emptyPage, type Page } from "#lib/zendesk/readers.ts";
import type { Reading } from "#lib/zendesk/reading.ts";
import type { Stream } from "#lib/zendesk/streams.ts";

const smallestPage = 10;
/** So many good pages, or a new reading, before larger ones are tried. */
const growAfter = 4;
export const growth = 1.5;
const mostRestarts = 3;
/** So often in a row a page that lacks what was asked for beside its rows is asked for again; an account may not have it at all. */
const mostBarePages = 2;
/** What clocks and slow answers add to how old a start may be that Zendesk calls too recent. Seconds. */
const leeway = 15 * 60;

export interface AskedPage extends Page {
  /** The place that was asked from: another one than given when Zendesk no longer took it. */
  from: Place;
  /** Nothing behind this instant was read: Zendesk would not go on from it yet (its clock, milliseconds). */
  readTo?: number;
}

/** Asks for the pages of one reading, as large as Zendesk and the network bear (rows 21, 72). */
export class Pages {
  size: number;
  private readonly reading: Reading;
  private readonly stream: Stream;
  private good = 0;
  private bare = 0;
  private readonly progress: Progress;

  constructor(reading: Reading, stream: Stream, size: number | null) {
    this.reading = reading;
    this.stream = stream;
    this.progress = new Progress(stream.name);
    this.size = Math.min(stream.largestPage, Math.max(smallestPage, Math.ceil(size ?? stream.largestPage)));
  }

  async next(place: Place): Promise<AskedPage> {
    for (let from = place; ; ) {
      try {
        const page = await this.whole(await this.stream.read(this.ask(), from), from);
        this.progress.follow(from.at, page);
        this.grow();
        return { ...page, from };
      } catch (error) {
        if (isTooRecent(error)) return this.nothingYet(from, error);
        if (this.shrink(error, from)) continue;
        from = this.beginAgain(error, from);
      }
    }
  }

  /** A page that lacks what was asked for beside its rows, asked for again: whole, or, as a last resort, as it is. */
  private async whole(page: Page, from: Place): Promise<Page> {
    if (!page.isBare) this.bare = 0;
    if (!page.isBare || this.bare >= mostBarePages) return page;
    this.bare++;
    try {
      return await this.whole(await this.stream.read(this.ask(), from), from);
    } catch (error) {
      if (!(error instanceof WaitNeeded || error instanceof PageTooHeavy || error instanceof ZendeskError)) throw error;
      return page;
    }
  }

  private ask() {
    return { client: this.reading.client, size: this.size, shrinkable: this.size > smallestPage };
  }

  /**
   * Zendesk refuses to begin in the newest minutes alone (row 13): what it has refused was not read, so that nothing is claimed
   * of it. Throws what it said of a place that is older.
   */
  private nothingYet(from: Place, refusal: unknown): AskedPage {
    const { client } = this.reading;
    const asked = /^\d+$/.test(from.at ?? "") ? Number(from.at) : (from.through ?? from.start);
    // A reading right after another begins no earlier than its overlap.
    if (client.knowsTime && toSeconds(client.serverNow()) - asked > this.stream.overlap + leeway) throw refusal;
    const nothing = emptyPage(client, { part: this.stream.name, at: from.at, end: true });
    return { ...nothing, from, readTo: asked * 1000 };
  }

  private grow(): void {
    this.good++;
    if (this.size >= this.stream.largestPage || this.good < growAfter) return;
    this.size = Math.min(this.stream.largestPage, Math.ceil(this.size * growth));
    this.good = 0;
  }

  /** Whether a smaller page is worth asking for. A 422 may be about the size or about the place: the size is tried first. */
  private shrink(error: unknown, place: Place): boolean {
    const about422 = error instanceof ZendeskError && error.status === 422 && place.restarts === 0;
    if (!(error instanceof PageTooHeavy || about422) || this.size <= smallestPage) return false;
    if (about422 && this.size < this.stream.largestPage) return false;
    this.size = Math.max(smallestPage, Math.floor(this.size / 2));
    this.good = 0;
    this.reading.log.info({ ...this.reading.scope, stream: this.stream.name, size: this.size }, "smaller pages");
    return true;
  }

  /** A place that Zendesk no longer takes: from the last committed time on, minus the overlap (row 15). Anything else is thrown. */
  private beginAgain(error: unknown, place: Place): Place {
    if (!isPlaceRefused(error) || !this.stream.resumable || place.at === null || place.restarts >= mostRestarts)
      throw error;
    const known = this.stream.kind === "export" && place.through !== null;
    const start = known ? Math.max(place.start, (place.through as number) - this.stream.overlap) : place.start;
    this.reading.log.warn(
      { ...this.reading.scope, stream: this.stream.name, start },
      "the place was refused: reading again",
    );
    this.progress.beginAgain();
    return {
      ...newPlace(start, { since: place.since, until: place.until }),
      rows: place.rows,
      through: place.through,
      restarts: place.restarts + 1,
      ...(place.begun === undefined ? {} : { begun: place.begun }),
      ...(place.check ? { check: place.check } : {}),
    };
  }
}

/** "Nothing yet" rather than a failure (row 13). */
function isTooRecent(error: unknown): boolean {
  return (
    error instanceof ZendeskError && (error.status === 422 || error.status === 400) && /too recent/i.test(error.message)
  );
}
