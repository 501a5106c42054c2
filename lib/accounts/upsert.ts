import type { Trx } from "#db/client.ts";
import { rematchWorkspace } from "#lib/matching/run.ts";
import { lockMetrics } from "#lib/metrics/store.ts";
import { type Judged, judgeAccount, type NewAccount } from "./account-row.ts";
import type { BulkAnswer } from "./shapes.ts";
import {
  insertAccounts,
  readAccounts,
  readAttributes,
  type StoredAccount,
  type StoredAttribute,
  updateAccounts,
  writeAttributes,
} from "./store.ts";

/** Where a row stands: `index` counts from 0, `line` (files only) from 1. */
interface Place {
  index: number;
  line?: number;
}

export interface Candidate extends Place {
  judged: Judged;
}

/** So many refusals are spelled out; beyond, only their number is told. */
const LISTED_REFUSALS = 10_000;
/** A refused external id may be of any length. */
const SHOWN_ID = 500;

/** Creates and updates accounts by external id. A row that is wrong is refused with its reason; the others go in. */
export function upsertAccounts(trx: Trx, workspaceId: number, rows: unknown[], now: Date): Promise<BulkAnswer> {
  const candidates = rows.map((row, index) => ({ index, judged: judgeAccount(row) }));
  return upsertBatches(trx, workspaceId, [candidates], now);
}

/**
 * The same for any number of rows, batch by batch in one transaction. Every organization is matched again at the end,
 * unless nothing changed.
 */
export async function upsertBatches(
  trx: Trx,
  workspaceId: number,
  batches: Iterable<Candidate[]> | AsyncIterable<Candidate[]>,
  now: Date,
): Promise<BulkAnswer> {
  await lockMetrics(trx, workspaceId);
  const answer: BulkAnswer = { created: 0, updated: 0, unchanged: 0, rejected: [] };
  const seen = new Map<string, Place>();
  let refused = 0;
  for await (const batch of batches) {
    const accounts: NewAccount[] = [];
    for (const candidate of batch) {
      const verdict = withoutRepeats(candidate, seen);
      if ("account" in verdict) accounts.push(verdict.account);
      else if (++refused <= LISTED_REFUSALS) answer.rejected.push(refusalOf(candidate, verdict));
    }
    const counts = await writeAccounts(trx, workspaceId, accounts, now);
    answer.created += counts.created;
    answer.updated += counts.updated;
    answer.unchanged += accounts.length - counts.created - counts.updated;
  }
  if (answer.created + answer.updated > 0) await rematchWorkspace(trx, workspaceId, now);
  return refused > LISTED_REFUSALS ? { ...answer, rejectedRows: refused } : answer;
}

/** Of several rows with one external id the first that is right goes in. */
function withoutRepeats({ judged, ...place }: Candidate, seen: Map<string, Place>): Judged {
  if (!("account" in judged)) return judged;
  const { externalId } = judged.account;
  const first = seen.get(externalId);
  if (!first) {
    seen.set(externalId, place);
    return judged;
  }
  const where = first.line === undefined ? `index ${first.index}` : `line ${first.line}`;
  return { externalId, problem: `The same external id stands at ${where} already; one row of each is taken.` };
}

function refusalOf(
  { index, line }: Candidate,
  { externalId, problem }: { externalId: string | null; problem: string },
) {
  return {
    index,
    ...(line !== undefined && { line }),
    externalId: externalId?.slice(0, SHOWN_ID) ?? null,
    message: problem,
  };
}

async function writeAccounts(trx: Trx, workspaceId: number, accounts: NewAccount[], now: Date) {
  const stored = await readAccounts(
    trx,
    workspaceId,
    accounts.map((account) => account.externalId),
  );
  const known = new Map(stored.map((account) => [account.externalId, account]));
  const fresh = accounts.filter((account) => !known.has(account.externalId));
  const attributes = await changedAttributes(trx, workspaceId, accounts, known);
  const touched = new Set(attributes.map((attribute) => attribute.accountId));
  const changed = accounts.flatMap((account) => {
    const before = known.get(account.externalId);
    if (!before) return [];
    const after: StoredAccount = {
      ...before,
      name: account.name,
      ownerEmail: account.ownerEmail === undefined ? before.ownerEmail : account.ownerEmail,
    };
    const differs = after.name !== before.name || after.ownerEmail !== before.ownerEmail || touched.has(before.id);
    return differs ? [after] : [];
  });
  const ids = await insertAccounts(trx, workspaceId, fresh, now);
  await updateAccounts(trx, workspaceId, changed, now);
  const first = fresh.flatMap((account) => attributesOf(account, ids.get(account.externalId)));
  await writeAttributes(trx, workspaceId, [...first, ...attributes]);
  return { created: fresh.length, updated: changed.length };
}

/** Attributes of accounts that exist, where they differ from what is stored. */
async function changedAttributes(
  trx: Trx,
  workspaceId: number,
  accounts: NewAccount[],
  known: Map<string, StoredAccount>,
): Promise<StoredAttribute[]> {
  const came = accounts.flatMap((account) => attributesOf(account, known.get(account.externalId)?.id));
  if (came.length === 0) return [];
  const ids = [...new Set(came.map((attribute) => attribute.accountId))];
  const stored = await readAttributes(trx, workspaceId, ids);
  const values = new Map(stored.map((attribute) => [keyOf(attribute), attribute.value]));
  return came.filter((attribute) => values.get(keyOf(attribute)) !== attribute.value);
}

function attributesOf(account: NewAccount, accountId: string | undefined): StoredAttribute[] {
  return accountId === undefined ? [] : account.attributes.map(([key, value]) => ({ accountId, key, value }));
}

function keyOf({ accountId, key }: StoredAttribute): string {
  return `${accountId} ${key}`;
}
