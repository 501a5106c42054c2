import type { Trx } from "#db/client.ts";
import type { ZendeskClient } from "#lib/zendesk/client.ts";
import { toSeconds } from "#lib/zendesk/dates.ts";
import { newPlace } from "#lib/zendesk/place.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { deserted } from "#lib/zendesk/store/facts.ts";
import { readStreamState } from "#lib/zendesk/store/stream-state.ts";
import { streamNamed } from "#lib/zendesk/streams.ts";

/** The export withholds its newest minute: what changed since is not expected in it. Seconds. */
const withheld = 120;

export interface Suspects {
  /** Organizations in which nobody is left, and the version of each that is stored. */
  deserted: { id: string; updatedAt: Date | null }[];
  /** All that was visible before has been read. */
  freshThrough: Date | null;
}

/** Of organizations that are not found by id, those in which nobody is left, with what `unexported` needs to know. */
export async function suspectsAmong(trx: Trx, scope: Scope, missing: readonly string[]): Promise<Suspects> {
  const state = await readStreamState(trx, scope, "organizations", "incremental");
  return { deserted: await deserted(trx, scope, missing), freshThrough: state?.fresh_through ?? null };
}

/**
 * Which of them the export does not show either, neither in the version that is stored nor in one that came since. A 404 by id
 * that lasts, and somebody who leaves meanwhile, befall living organizations too (row 30); where the export cannot tell, none
 * is named. Two requests as a rule.
 */
export async function unexported(client: ZendeskClient, suspects: Suspects): Promise<string[]> {
  const organizations = streamNamed("organizations");
  const shown = new Set<string>();
  /** One page from a second on. Gives the second before which it shows everything; infinity where it is the last. */
  const look = async (second: number): Promise<number> => {
    const ask = { client, size: organizations.largestPage, shrinkable: false };
    const page = await organizations.read(ask, newPlace(second));
    for (const row of page.rows) if (!row?.deleted_at) shown.add(String(row?.id));
    return page.end ? Number.POSITIVE_INFINITY : Number(page.at);
  };
  const newest = toSeconds(client.serverNow()) - withheld;
  const versions = suspects.deserted
    .map(({ id, updatedAt }) => ({ id, second: updatedAt ? toSeconds(updatedAt) : Number.POSITIVE_INFINITY }))
    .filter(({ second }) => second <= newest)
    .sort((a, b) => a.second - b.second);
  if (versions.length === 0 || suspects.freshThrough === null) return [];
  const looked: string[] = [];
  let through = Number.NEGATIVE_INFINITY;
  for (const { id, second } of versions) {
    if (second >= through) through = await look(second);
    if (second < through) looked.push(id);
  }
  if (through < Number.POSITIVE_INFINITY) through = await look(toSeconds(suspects.freshThrough));
  return through === Number.POSITIVE_INFINITY ? looked.filter((id) => !shown.has(id)) : [];
}
