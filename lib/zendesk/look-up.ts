import { ZendeskError } from "#lib/zendesk/failures.ts";
import { type Fetched, fetchByIds } from "#lib/zendesk/fetch-by-id.ts";
import type { Reading } from "#lib/zendesk/reading.ts";

/** Asks for rows by id; at most `idsAtOnce` ids. An address that Zendesk does not know, or refuses, says nothing about a row. */
export async function lookUp(
  reading: Reading,
  kind: "tickets" | "organizations",
  ids: readonly string[],
): Promise<Fetched> {
  if (ids.length === 0) return { found: [], missing: [] };
  return fetchByIds(reading.client, kind, ids);
}

/**
 * Look-ups are checks beside the streams: an address that the account does not answer must not fail a run. What stops the
 * connection, or waits, goes on.
 */
export async function unlessRefused<T>(reading: Reading, otherwise: T, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ZendeskError) || error.scope !== "stream") throw error;
    reading.log.warn({ ...reading.scope, code: error.code, said: error.message }, "a check by id was refused");
    return otherwise;
  }
}
