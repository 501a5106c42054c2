import type { Trx } from "#db/client.ts";
import { watchDeliveries } from "#lib/zendesk/announced.ts";
import type { AskedPage } from "#lib/zendesk/ask-page.ts";
import type { MadePage, StoredPage } from "#lib/zendesk/page-rows.ts";
import { commit, type Reading } from "#lib/zendesk/reading.ts";
import { type AbsentStream, forgetAbsences, forgetExtraRows } from "#lib/zendesk/store/absence.ts";
import { type Compared, comparedBy, comparedRows } from "#lib/zendesk/store/compared.ts";
import {
  addDays,
  addRows,
  brokenRows,
  type DayCounts,
  type DriftedRow,
  findDrift,
  type LedgerRow,
  markRepaired,
  noDrift,
  noteSeen,
  resetCompared,
} from "#lib/zendesk/store/drift.ts";
import { readStreamState } from "#lib/zendesk/store/stream-state.ts";
import type { Stream } from "#lib/zendesk/streams.ts";

/** Looks at a page before it is stored, in its transaction; what it gives tells afterwards how many rows were repaired. */
export type Examine = (
  trx: Trx,
  page: AskedPage,
  made: MadePage,
) => Promise<(stored: StoredPage) => number | Promise<number>>;

/**
 * What an incremental run calls repaired: rows that changed here though their version lies before what the stream vouched
 * for. They came late, or were lost (rows 12, 23); what is newer is news, of which a webhook should have told. Cheap, and
 * blind for the lists of fields, which are read as a whole: the night looks at those.
 */
export async function lateRows(reading: Reading, stream: Stream): Promise<Examine> {
  const compared = comparedBy(stream.name);
  if (stream.name === "fields") return async () => () => 0;
  const known = await commit(reading, (trx) => readStreamState(trx, reading.scope, stream.name, "incremental"));
  const fresh = known?.fresh_through?.getTime() ?? Number.NEGATIVE_INFINITY;
  const watch = await watchDeliveries(reading, stream, fresh);
  if (watch === null && known?.fresh_through == null) return async () => () => 0;
  return async (trx, _page, made) => async (stored) => {
    const rows = comparedRows(compared, stream.name, rowsOf(made));
    await watch?.(trx, rows);
    const written = new Set(stored.written);
    const isLate = (row: unknown) => written.has(compared.keyOf(row)) && (compared.versionOf(row) ?? 0) <= fresh;
    return rows.filter(isLate).length;
  };
}

/**
 * What a nightly run finds and repairs, in the ledger of the run. `counts`: the page belongs to what is compared; otherwise
 * it only catches up.
 */
export function intoLedger(reading: Reading, stream: Stream, { counts }: { counts: boolean }): Examine {
  return async (trx, page, made) => {
    const comparison = await comparePage(trx, reading, stream, made);
    const { rows, compared } = comparison;
    if (counts && stream.complete && page.from.at === null)
      await resetCompared(trx, reading.scope, reading.runId, stream.name);
    if (counts) await countCompared(trx, reading, stream, comparison);
    if (!stream.complete) {
      const held = made.held.map((row) => row.key);
      await noteSeen(trx, reading.scope, stream.name, [...rows.map((row) => compared.keyOf(row)), ...held]);
    }
    return () => comparison.write();
  };
}

export interface Comparison {
  compared: Compared;
  rows: unknown[];
  fetchedAt: Date;
  drifted: DriftedRow[];
  /** After the page was stored: writes what differed into the ledger; gives how many rows stand right now. */
  write: () => Promise<number>;
}

/**
 * Compares the rows of a page with those stored, before they are stored. Outside a nightly run nothing is written down.
 * `newerOnly`: the same version in other words is no difference (an answer by id has other words than an export).
 */
export async function comparePage(
  trx: Trx,
  reading: Reading,
  stream: Stream,
  made: MadePage,
  { newerOnly = false } = {},
): Promise<Comparison> {
  const { fetchedAt } = made;
  const compared = comparedBy(stream.name, made.part);
  const rows = comparedRows(compared, stream.name, rowsOf(made));
  const which = { stream: stream.name, compared, fetchedAt, newerOnly };
  const find = (of: readonly unknown[]) => findDrift(trx, reading.scope, which, of);
  const drifted = rows.length === 0 ? [] : await find(rows);
  const losses = new Map(drifted.filter((row) => row.vouched).map((row) => [row.key, row]));
  const write = async () => {
    if (losses.size === 0) return 0;
    const lost = rows.filter((row) => losses.has(compared.keyOf(row)));
    const still = new Set((await find(lost)).map((row) => row.key));
    const found = lost.map((row): LedgerRow => {
      const key = compared.keyOf(row);
      const { difference, columns } = losses.get(key) as DriftedRow;
      return { key, day: dayOf(compared, row, fetchedAt), difference, columns, repaired: !still.has(key) };
    });
    if (reading.mode === "reconcile") await enter(trx, reading, stream.name, found);
    return found.filter((row) => row.repaired).length;
  };
  return { compared, rows, fetchedAt, drifted, write };
}

/**
 * Counts rows that differed, and names them as far as there is room. One that could not be repaired, and is shown again, is
 * counted once.
 */
export async function enter(
  trx: Trx,
  { scope, runId, clock }: Pick<Reading, "scope" | "runId" | "clock">,
  stream: Stream["name"],
  found: readonly LedgerRow[],
): Promise<void> {
  if (found.length === 0) return;
  const broken = await brokenRows(trx, scope, runId, stream, found);
  const fresh = found.filter(({ key, difference }) => broken.get(key)?.difference !== difference);
  const mended = found.flatMap((row) => (row.repaired && !fresh.includes(row) ? (broken.get(row.key) ?? []) : []));
  const days = new Map<string, DayCounts>();
  const countsOf = (day: string) => {
    const counts = days.get(day) ?? { ...noDrift };
    days.set(day, counts);
    return counts;
  };
  for (const { day, difference, repaired } of fresh) {
    countsOf(day)[difference]++;
    if (repaired) countsOf(day).repaired++;
  }
  for (const { day } of mended) countsOf(day).repaired++;
  await addDays(trx, scope, runId, stream, days);
  await addRows(trx, scope, runId, stream, fresh, clock());
  await markRepaired(trx, scope, runId, stream, mended);
}

/** Rows that are not absent, or no more a question: no nominees, and not extra in this run's ledger. */
export async function takeBackAbsences(
  trx: Trx,
  reading: Reading,
  stream: AbsentStream,
  ids: readonly string[],
): Promise<void> {
  const { scope, runId } = reading;
  const counted = await forgetAbsences(trx, scope, stream, ids, runId);
  if (counted.length === 0) return;
  const days = new Map<string, DayCounts>();
  for (const { day } of counted) days.set(day, { ...noDrift, extra: (days.get(day)?.extra ?? 0) - 1 });
  await addDays(trx, scope, runId, stream, days);
  await forgetExtraRows(
    trx,
    scope,
    runId,
    stream,
    counted.map(({ id }) => id),
  );
}

async function countCompared(
  trx: Trx,
  { scope, runId }: Reading,
  stream: Stream,
  { compared, rows, fetchedAt }: Comparison,
): Promise<void> {
  const days = new Map<string, DayCounts>();
  for (const row of rows) {
    const day = dayOf(compared, row, fetchedAt);
    const counts = days.get(day) ?? { ...noDrift };
    counts.compared++;
    days.set(day, counts);
  }
  await addDays(trx, scope, runId, stream.name, days);
}

function rowsOf(made: MadePage): unknown[] {
  return made.items.flatMap((item) => item.rows);
}

/** A row that has no version is what it is today. */
function dayOf(compared: Compared, row: unknown, fetchedAt: Date): string {
  return new Date(compared.versionOf(row) ?? fetchedAt.getTime()).toISOString().slice(0, 10);
}
