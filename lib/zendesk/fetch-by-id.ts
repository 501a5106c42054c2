import type { ZendeskClient } from "#lib/zendesk/client.ts";
import { isMissing, ZendeskError } from "#lib/zendesk/failures.ts";
import { listIn, wrongPage } from "#lib/zendesk/readers.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

/** What can be fetched by id, each under the stream whose rows it has. */
const sources = {
  tickets: { path: "/api/v2/tickets", one: "ticket", query: { include: "metric_sets" } },
  users: { path: "/api/v2/users", one: "user", query: {} },
  organizations: { path: "/api/v2/organizations", one: "organization", query: {} },
} as const;
export type FetchedKind = keyof typeof sources;

/** At most so many ids in one request. */
export const idsAtOnce = 100;

export interface Fetched {
  /** Rows and the instant at which they were asked for, by the database's clock; `latest`: of an answer. */
  found: { row: Wire; fetchedAt: Date; latest: Date }[];
  /** Zendesk said by name that there is no such row: one answer by id, not an empty list (row 30). */
  missing: string[];
  /** What Zendesk does not show by its own address, though it knows it: neither found nor missing. */
  refused: { id: string; why: ZendeskError }[];
}

/**
 * Fetches rows by id: all at once, and those that do not come each by itself, once. At most `idsAtOnce` ids. Throws for
 * whatever says nothing about single rows, such as a server that fails: `forgiving`, where only one of them meets it.
 */
export async function fetchByIds(
  client: ZendeskClient,
  kind: FetchedKind,
  ids: readonly string[],
  { forgiving = false }: { forgiving?: boolean } = {},
): Promise<Fetched> {
  const fetched: Fetched = { found: await fetchTogether(client, kind, ids), missing: [], refused: [] };
  const known = new Set(fetched.found.map(({ row }) => String(row?.id)));
  for (const id of ids.filter((id) => !known.has(id))) {
    const isForgiven = forgiving && !fetched.refused.some(({ why }) => why.transient);
    await fetchOne(client, kind, id, fetched, isForgiven);
  }
  return fetched;
}

/**
 * Fetches rows by id in one request. One that does not come is not missing for that: only its own address says so. What was
 * not asked for is left out: nobody knows whose it is.
 */
export async function fetchTogether(
  client: ZendeskClient,
  kind: FetchedKind,
  ids: readonly string[],
): Promise<Fetched["found"]> {
  const { path, query } = sources[kind];
  const answer = await client.get(`${path}/show_many`, { query: { ids: ids.join(","), ...query }, expect: kind });
  const rows = listIn(answer, kind, `${path}/show_many`);
  const { fetchedAt, latest } = answer;
  const asked = new Set(ids);
  return rows.filter((row) => asked.has(String(row?.id))).map((row) => ({ row, fetchedAt, latest }));
}

async function fetchOne(
  client: ZendeskClient,
  kind: FetchedKind,
  id: string,
  fetched: Fetched,
  isForgiven: boolean,
): Promise<void> {
  const { path, one, query } = sources[kind];
  try {
    const { body, fetchedAt, latest } = await client.get(`${path}/${id}`, { query, expect: one });
    const row = body[one] as Wire;
    if (String(row?.id) !== id) throw wrongPage(`${path}/${id}`, `it tells of ${one} ${row?.id}`);
    fetched.found.push({ row, fetchedAt, latest });
  } catch (error) {
    // The account has just answered for all of them together: a page for people is this row's own (row 26).
    if (error instanceof ZendeskError && error.code === "unknown_subdomain") {
      fetched.refused.push({ id, why: wrongPage(`${path}/${id}`, "it is a page for people (404)") });
      return;
    }
    if (!(error instanceof ZendeskError) || error.scope !== "stream" || (error.transient && !isForgiven)) throw error;
    if (isMissing(error)) fetched.missing.push(id);
    else fetched.refused.push({ id, why: error });
  }
}
