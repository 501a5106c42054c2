import type { Trx } from "#db/client.ts";
import type { AskedPage } from "#lib/zendesk/ask-page.ts";
import { parseInstant } from "#lib/zendesk/dates.ts";
import { idsAtOnce } from "#lib/zendesk/fetch-by-id.ts";
import { lookUp, noteRefusal } from "#lib/zendesk/look-up.ts";
import { storeFound } from "#lib/zendesk/missing.ts";
import type { MadePage } from "#lib/zendesk/page-rows.ts";
import { newPlace, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { commit, type Reading } from "#lib/zendesk/reading.ts";
import type { AbsentStream } from "#lib/zendesk/store/absence.ts";
import { comparedBy, comparedRows } from "#lib/zendesk/store/compared.ts";
import { storedAhead } from "#lib/zendesk/store/drift.ts";
import { readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";

/*
 * Rows that are stored in a later version than Zendesk has: it has put its past back, somebody has changed them by hand, or
 * another account answered for a while (rows 64, 124). No page puts them right, since no older version is ever written over a
 * newer one (row 19). So the night asks for them by id. They wait as the stream state `ahead`.
 */

/** A row, and when it was last changed by the page that shows it: ISO 8601. */
type Shown = readonly [id: string, updatedAt: string];

/** So many of a stream are kept in one night. */
const mostAhead = 5000;
/** An older version may be shown for so long after a change (row 12). Milliseconds. */
const lateness = 30 * 60_000;

/** In the transaction of a page that a night compares: keeps which of its rows are stored in a later version. */
export async function noteAhead(
  trx: Trx,
  reading: Reading,
  name: AbsentStream,
  { requestedAt }: Pick<AskedPage, "requestedAt">,
  { items, fetchedAt }: MadePage,
): Promise<void> {
  const compared = comparedBy(name);
  const rows = comparedRows(
    compared,
    name,
    items.flatMap((item) => item.rows),
  );
  const before = new Date(requestedAt.getTime() - lateness);
  const ahead = await storedAhead(trx, reading.scope, compared, { fetchedAt, before }, rows);
  if (ahead.length === 0) return;
  const known = await readAhead(trx, reading, name);
  await saveAhead(trx, reading, name, [...new Map([...known, ...ahead])].slice(0, mostAhead));
}

/** A comparison that begins anew finds them anew. */
export function forgetAhead(trx: Trx, reading: Reading, name: AbsentStream): Promise<void> {
  return saveAhead(trx, reading, name, []);
}

/**
 * Asks by id for those that the comparison has found, and stores what Zendesk says twice; `between` before each of
 * the requests. Throws WaitNeeded.
 */
export async function settleAhead(reading: Reading, name: AbsentStream, between: () => Promise<void>): Promise<void> {
  const shown = await commit(reading, (trx) => readAhead(trx, reading, name));
  for (let at = 0; at < shown.length; at += idsAtOnce) {
    await between();
    const asked = new Map(shown.slice(at, at + idsAtOnce));
    const { found, refused } = await lookUp(reading, name, [...asked.keys()]);
    const agreed = found.filter(
      ({ row }) => parseInstant(row?.updated_at)?.toISOString() === asked.get(String(row?.id)),
    );
    if (agreed.length > 0) await storeFound(reading, name, agreed, { evenOlder: true });
    const unanswered = refused.find(({ why }) => why.transient);
    if (unanswered) await noteRefusal(reading, name, unanswered.why);
    await commit(reading, (trx) => saveAhead(trx, reading, name, shown.slice(at + idsAtOnce)));
  }
}

async function readAhead(trx: Trx, { scope }: Reading, name: AbsentStream): Promise<Shown[]> {
  const state = await readStreamState(trx, scope, name, "ahead");
  return JSON.parse(parsePlace(state?.position ?? null)?.at ?? "[]");
}

async function saveAhead(trx: Trx, { scope, clock }: Reading, name: AbsentStream, ahead: readonly Shown[]) {
  const position = writePlace({ ...newPlace(0), at: JSON.stringify(ahead) });
  await saveStreamState(trx, scope, name, "ahead", { position }, clock());
}
