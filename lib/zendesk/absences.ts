import type { Trx } from "#db/client.ts";
import { countWords } from "#lib/number-words.ts";
import { refreshTimeline } from "#lib/timeline/refresh.ts";
import { type FailureWords, WaitNeeded } from "#lib/zendesk/failures.ts";
import { fetchTogether, idsAtOnce } from "#lib/zendesk/fetch-by-id.ts";
import { seesEverything, sightLost } from "#lib/zendesk/identity.ts";
import { enter, takeBackAbsences } from "#lib/zendesk/ledger.ts";
import { lookUp } from "#lib/zendesk/look-up.ts";
import { storeFound } from "#lib/zendesk/missing.ts";
import { commit, type Reading, uncountedRequests } from "#lib/zendesk/reading.ts";
import {
  type AbsentStream,
  countAbsences,
  daysOf,
  forgetDeleted,
  holdAbsences,
  lowerApproval,
  markAsked,
  markNotFound,
  nominees,
  nomineesToAsk,
  readApproval,
  spendApproval,
} from "#lib/zendesk/store/absence.ts";
import { countShown } from "#lib/zendesk/store/drift.ts";
import { tombstoneOrganizations } from "#lib/zendesk/store/organizations.ts";
import { addCounts, noCounts } from "#lib/zendesk/store/run-counters.ts";
import { tombstoneTickets } from "#lib/zendesk/store/tickets.ts";
import { tombstoneUsers } from "#lib/zendesk/store/users.ts";

/** A row that cannot be found is gone when it still cannot be found so long after (row 30). Milliseconds. */
const confirmAfter = 24 * 3_600_000;
/** More absent rows than this, and more than one in a hundred, are the listing's fault until a person says otherwise. */
const mostAbsent = 10;
const largestShare = 0.01;
/** So many nominees are asked for together before their share is judged for good. */
const mostShownById = 1000;
/** Those that are gone are asked for one by one: not too many, since a wait in between begins the lot again. */
const askedAtOnce = 25;

/**
 * After nominations: of more than is believable none is asked for, all wait for a person (row 30). So do those of a listing
 * that showed nothing at all. `living` rows could have been absent.
 */
export async function judgeAbsences(
  trx: Trx,
  reading: Reading,
  stream: AbsentStream,
  { shown, living }: { shown: number; living: number },
): Promise<void> {
  await forgetDeleted(trx, reading.scope, stream);
  const { rows } = await countAbsences(trx, reading.scope, stream);
  const isTooMany = shown === 0 || (rows > mostAbsent && rows > living * largestShare);
  await holdAbsences(trx, reading.scope, stream, isTooMany);
}

/** What a stream has to say while a decision is pending. */
export function heldAbsenceWords(stream: AbsentStream, held: number): FailureWords {
  return {
    code: "many_missing",
    message: `Zendesk does not show ${countWords(held)} stored ${stream} any more, more than is believable. All of them are kept.`,
    action:
      "Check that the connected login sees everything. If they really were deleted, approve it on the connection's page: each is asked for by its id first.",
  };
}

/**
 * Acts on a person's word that held rows may be gone: each that was absent when it was given is asked for by its id, and one
 * 404 is enough. More held than the person let go: nothing happens, and the person is asked again. The word is spent either
 * way, unless Zendesk refuses to show some of them: then it waits for a later run. True when it was acted on.
 */
export async function settleApproved(reading: Reading, stream: AbsentStream): Promise<boolean> {
  const { scope } = reading;
  const approval = await commit(reading, async (trx) => {
    const word = await readApproval(trx, scope, stream);
    if (word === null) return null;
    const { held } = await countAbsences(trx, scope, stream);
    if (held > 0 && held <= word.ceiling) return word;
    await spendApproval(trx, scope, stream);
    return null;
  });
  if (approval === null) return false;
  await askForAll(reading, stream, { heldBy: approval.at });
  await commit(reading, (trx) => spendApproval(trx, scope, stream));
  return true;
}

/** Asks for the nominees of a stream by their ids, once a run; those that are missing twice, a day apart, are gone. */
export async function settleNominees(
  reading: Reading,
  stream: AbsentStream,
  between: () => Promise<void>,
): Promise<void> {
  await dismissLiving(reading, stream);
  await askForAll(reading, stream, { heldBy: null }, between);
}

/**
 * What a listing does not show may live all the same: a ticket that changes while the past is compared has left its old
 * place in the export and is withheld at its new one for a minute; others an export never shows. Those that Zendesk shows by
 * id are no nominees and not extra; the share of what remains is judged again.
 */
async function dismissLiving(reading: Reading, stream: AbsentStream): Promise<void> {
  const { scope, runId } = reading;
  const { rows } = await commit(reading, (trx) => countAbsences(trx, scope, stream));
  if (rows === 0 || rows > mostShownById) return;
  const ids = await commit(reading, (trx) => nominees(trx, scope, stream));
  let isAnyFound = false;
  for (let at = 0; at < ids.length; at += idsAtOnce) {
    const found = await fetchTogether(reading.client, stream, ids.slice(at, at + idsAtOnce));
    if (found.length === 0) continue;
    isAnyFound = true;
    await storeFound(reading, stream, found);
  }
  if (!isAnyFound) return;
  await commit(reading, async (trx) => {
    const shown = await countShown(trx, scope, runId, stream);
    const left = await countAbsences(trx, scope, stream);
    await judgeAbsences(trx, reading, stream, { shown, living: shown + left.rows });
  });
}

/**
 * Asks for nominees by their ids. A 404 is believed of a login that sees everything, and of no other (rows 30, 63): throws
 * when the role has fallen meanwhile, and, after all others, for those that Zendesk refuses to show, which stay nominees.
 */
async function askForAll(
  reading: Reading,
  stream: AbsentStream,
  { heldBy }: { heldBy: Date | null },
  between: () => Promise<void> = async () => {},
): Promise<void> {
  const { scope, runId } = reading;
  for (;;) {
    const which = { heldBy, runId, limit: askedAtOnce };
    const ids = await commit(reading, (trx) => nomineesToAsk(trx, scope, stream, which));
    if (ids.length === 0) return;
    const { found, missing, refused } = await lookUp(reading, stream, ids);
    if (found.length > 0) await storeFound(reading, stream, found);
    if (missing.length > 0 && !(await seesEverything(reading.client, reading.connection))) throw sightLost();
    const unanswered = refused.map(({ id }) => id);
    // They are asked for again beside the next ones, until none but they are left.
    if (refused[0] && unanswered.length === ids.length) throw refused[0].why;
    const answered = ids.filter((id) => !unanswered.includes(id));
    const answer = { ids: answered, missing, isApproved: heldBy !== null };
    await commit(reading, (trx) => takeAnswer(trx, reading, stream, answer));
    if (reading.stop()) throw new WaitNeeded(reading.clock());
    await between();
  }
}

async function takeAnswer(
  trx: Trx,
  reading: Reading,
  stream: AbsentStream,
  asked: { ids: string[]; missing: string[]; isApproved: boolean },
): Promise<void> {
  const { scope, runId } = reading;
  const now = reading.clock();
  const dayAgo = new Date(now.getTime() - confirmAfter);
  const confirmed = await markNotFound(trx, scope, stream, asked.missing, now, dayAgo);
  const gone = asked.isApproved ? asked.missing : confirmed;
  await markAsked(trx, scope, stream, asked.ids, runId);
  const deleted = await entomb(trx, reading, stream, gone);
  if (asked.isApproved) await lowerApproval(trx, scope, stream, gone.length);
  const counts = { ...noCounts, requests: uncountedRequests(reading), deleted, repaired: gone.length };
  await addCounts(trx, scope, runId, stream, counts);
}

/** Rows that are gone for certain: tombstones, and repaired in the ledger, where they may have been counted as extra before. */
async function entomb(trx: Trx, reading: Reading, stream: AbsentStream, gone: readonly string[]): Promise<number> {
  if (gone.length === 0) return 0;
  const { scope } = reading;
  const now = reading.clock();
  const days = await daysOf(trx, scope, stream, gone, now);
  await takeBackAbsences(trx, reading, stream, gone);
  if (reading.mode === "reconcile") {
    const rows = [...days].map(([key, day]) => ({
      key,
      day,
      difference: "extra" as const,
      repaired: true,
      columns: [],
    }));
    await enter(trx, reading, stream, rows);
  }
  if (stream === "organizations") return (await tombstoneOrganizations(trx, scope, gone, now)).deleted;
  if (stream === "users") return tombstoneUsers(trx, scope, gone, now);
  const { deleted } = await tombstoneTickets(trx, scope, gone, now);
  await refreshTimeline(trx, scope, [...gone], now);
  return deleted;
}
