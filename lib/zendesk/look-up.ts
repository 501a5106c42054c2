import { ZendeskError } from "#lib/zendesk/failures.ts";
import { listIn } from "#lib/zendesk/readers.ts";
import type { Reading } from "#lib/zendesk/reading.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

/** What can be asked for by id. */
export const byId = {
  tickets: { path: "/api/v2/tickets", one: "ticket" },
  organizations: { path: "/api/v2/organizations", one: "organization" },
} as const;
export type ById = keyof typeof byId;

/** At most so many ids in one request. */
export const idsAtOnce = 100;

export interface LookedUp {
  found: Wire[];
  /** Zendesk said by name that there is no such row: 404, not an empty list (row 30). */
  missing: string[];
}

/**
 * Asks for rows by id: all at once, and those that do not come each by itself. At most `idsAtOnce` ids. Only Zendesk's own
 * "RecordNotFound" makes a row missing; an address that it does not know, or refuses, says nothing about the row.
 */
export async function lookUp(reading: Reading, kind: ById, ids: readonly string[]): Promise<LookedUp> {
  if (ids.length === 0) return { found: [], missing: [] };
  const found = await lookUpMany(reading, kind, ids);
  const known = new Set(found.map((row) => String(row?.id)));
  const missing: string[] = [];
  for (const id of ids.filter((id) => !known.has(id))) {
    const row = await lookUpOne(reading, kind, id);
    if (row === "missing") missing.push(id);
    else if (row !== "unknown") found.push(row);
  }
  return { found, missing };
}

async function lookUpMany(reading: Reading, kind: ById, ids: readonly string[]): Promise<Wire[]> {
  const path = `${byId[kind].path}/show_many`;
  const answer = await reading.client.get(path, { query: { ids: ids.join(",") }, expect: kind });
  return listIn(answer, kind, path);
}

async function lookUpOne(reading: Reading, kind: ById, id: string): Promise<Wire | "missing" | "unknown"> {
  const { path, one } = byId[kind];
  try {
    const answer = await reading.client.get(`${path}/${id}`, { expect: one });
    return answer.body[one] as Wire;
  } catch (error) {
    if (!(error instanceof ZendeskError) || error.scope !== "stream" || error.transient) throw error;
    return error.status === 404 && /RecordNotFound/i.test(error.said) ? "missing" : "unknown";
  }
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
