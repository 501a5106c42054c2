import type { AskedPage } from "#lib/zendesk/ask-page.ts";
import type { StoredPage } from "#lib/zendesk/page-rows.ts";
import { commit, type Reading } from "#lib/zendesk/reading.ts";
import { readStreamState } from "#lib/zendesk/store/stream-state.ts";

/**
 * Counts the tickets of a page that changed here though their version lies before the instant that the last reading vouched
 * for: they came late, or were lost (rows 12, 23). What is newer is news.
 */
export async function repairsSinceFresh(reading: Reading): Promise<(stored: StoredPage, page: AskedPage) => number> {
  const known = await commit(reading, (trx) => readStreamState(trx, reading.scope, "tickets", "incremental"));
  const fresh = known?.fresh_through?.getTime() ?? 0;
  return (stored, page) => {
    const changed = new Set(stored.ids);
    const isRepaired = (row: unknown) => {
      const { id, generated_timestamp } = (row ?? {}) as { id?: unknown; generated_timestamp?: unknown };
      return changed.has(String(id)) && typeof generated_timestamp === "number" && generated_timestamp * 1000 <= fresh;
    };
    return page.rows.filter(isRepaired).length;
  };
}
