/**
 * How far a reading has come: what `stream_state.position` keeps, page by page, in the transaction of the page.
 * Seconds are Zendesk's own (Unix), never this machine's.
 */
export interface Place {
  /** Where the reading began, or began again. */
  start: number;
  /** Where it need not go beyond (a backfill of a gap), or null: to the end. */
  until: number | null;
  /** The place in Zendesk's own terms, opaque to all but the stream's reader; null before the first page. */
  at: string | null;
  /** Stamp of the newest committed row. */
  through: number | null;
  /**
   * Zendesk's clock, in milliseconds, when the reading first came so near to the present that rows may still have been
   * missing behind it: nothing that was visible before is missing, anything later must be read again.
   */
  live: number | null;
  /**
   * How far that clock was ahead of this machine's by what was known then, in milliseconds. Another machine that goes on, or this
   * one with its clock set, reckons with the difference of the two clocks: ahead, it claims less than was read; behind, it
   * may not notice that a clock of Zendesk's was wrong.
   */
  offset?: number;
  /** Rows that the reading has seen. */
  rows: number;
  /** Everything since then has been read by this or an earlier reading. */
  since: number;
  /** Times that Zendesk refused the place and the reading began again. */
  restarts: number;
  /** Of a reading of all there is: when it began, in milliseconds of the database's clock. */
  begun?: number;
  /** Of the list of memberships: how many people were asked for what it lacks, by how many it was proved wrong, and what is wrong. */
  asked?: number;
  wrong?: number;
  doubt?: string;
  /** Of a comparison of the past: the run whose ledger it fills, when it began (Unix seconds), and whether that is closed. */
  check?: { runId: string; begun: number; closed?: true };
}

export function newPlace(start: number, options: { since?: number; until?: number | null } = {}): Place {
  const since = Math.min(options.since ?? start, start);
  return { start, until: options.until ?? null, at: null, through: null, live: null, rows: 0, since, restarts: 0 };
}

export function writePlace(place: Place): string {
  return JSON.stringify(place);
}

export function parsePlace(text: string | null): Place | null {
  return text === null ? null : (JSON.parse(text) as Place);
}
