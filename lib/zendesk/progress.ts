import { wrongPage } from "#lib/zendesk/readers.ts";

/** A page without rows that is not the end is right once in a while, not for ever (row 14). */
const mostEmptyPages = 10;

/** Whether the pages of one reading lead on: never back to where it has been, nor for ever through empty ones (rows 7, 14). */
export class Progress {
  private readonly of: string;
  private readonly led = new Set<string>();
  private empty = 0;

  /** `of`: the list, as a failure names it. */
  constructor(of: string) {
    this.of = of;
  }

  /** Throws for a page, asked for at `from`, that leads nowhere. `complete`: the last of one of several lists, which may well be empty. */
  follow(
    from: string | null,
    page: { at: string | null; end: boolean; rows: readonly unknown[]; complete?: boolean },
  ): void {
    if (!page.end && page.at !== null && page.at !== from) {
      if (this.led.has(page.at)) throw wrongPage(this.of, "it leads back to where the reading has been");
      this.led.add(page.at);
    }
    this.empty = page.rows.length > 0 || page.end || page.complete ? 0 : this.empty + 1;
    if (this.empty > mostEmptyPages) {
      throw wrongPage(this.of, "one page after the other is empty, and none is the last");
    }
  }

  /** The reading begins again. */
  beginAgain(): void {
    this.led.clear();
  }
}
