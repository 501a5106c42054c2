import type { Trx } from "#db/client.ts";
import { judgeDeserted, type Suspects } from "#lib/zendesk/deserted.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { seesEverything } from "#lib/zendesk/identity.ts";
import { takeBackAbsences } from "#lib/zendesk/ledger.ts";
import { lookUp, noteRefusal } from "#lib/zendesk/look-up.ts";
import { commit, type Reading, uncountedRequests } from "#lib/zendesk/reading.ts";
import type { PageResult, Scope } from "#lib/zendesk/scope.ts";
import {
  anyDepartureAsked,
  departuresToAsk,
  forgetDepartures,
  forgetOldDepartures,
  markDeparturesAsked,
  type NotedDeparture,
  whereMostWent,
} from "#lib/zendesk/store/departures.ts";
import { deserted, standingOrganizations } from "#lib/zendesk/store/facts.ts";
import { tombstoneOrganizations } from "#lib/zendesk/store/organizations.ts";
import { addCounts, noCounts } from "#lib/zendesk/store/run-counters.ts";
import { readStreamState } from "#lib/zendesk/store/stream-state.ts";

/** What nobody could judge for so long is left to the nights. Milliseconds. */
const departuresKept = 2 * 24 * 3_600_000;
/** Those that do not come together are asked for one by one: not too many, since a wait in between begins the lot again. */
const departedAtOnce = 25;
/** So many pages of the organizations' export are looked at in one check, and for one verdict: exports are dear. */
const mostLooks = 12;
const looksAtOnce = 3;

/**
 * Organizations that users or tickets left since they were last asked about: asked for by id, and gone if Zendesk answers 404.
 * Three signals that point the same way, a 404, that nobody is left in it and that the export has it no more, need no second
 * day: a merge, or a deletion that let its people go (rows 40, 41). What cannot be told yet waits for the next run, and so does
 * the rest once a wait or the number of looks ends it: a run has streams to read, and tries nothing here twice. True when this run
 * has asked about any. Throws WaitNeeded where it is told to stop.
 */
export async function checkDeparted(reading: Reading): Promise<boolean> {
  const { scope, runId } = reading;
  const before = new Date(reading.clock().getTime() - departuresKept);
  const progress = await commit(reading, async (trx) => {
    await forgetOldDepartures(trx, scope, before);
    return { isAsked: await anyDepartureAsked(trx, scope, runId), looks: 0 };
  });
  while (progress.looks < mostLooks) {
    const noted = await commit(reading, (trx) => departuresToAsk(trx, scope, { runId, limit: departedAtOnce }));
    if (noted.length === 0) break;
    if (reading.stop()) throw new WaitNeeded(reading.clock());
    try {
      await askAboutDeparted(reading, noted, progress);
    } catch (error) {
      const isWait = error instanceof WaitNeeded;
      // What is never answered for, or never in time, must not keep the others from their turn.
      if (isWait || (error instanceof ZendeskError && error.scope === "stream"))
        await commit(reading, (trx) => markDeparturesAsked(trx, scope, idsOf(noted), runId));
      if (isWait && !reading.stop()) break;
      throw error;
    }
  }
  return progress.isAsked;
}

interface Progress {
  isAsked: boolean;
  /** Pages of the organizations' export that were looked at. */
  looks: number;
}

async function askAboutDeparted(reading: Reading, noted: readonly NotedDeparture[], progress: Progress): Promise<void> {
  const { scope, client, runId } = reading;
  const ids = idsOf(noted);
  const { missing, refused } = await lookUp(reading, "organizations", ids);
  progress.isAsked = true;
  if (refused[0]) await noteRefusal(reading, "organizations", refused[0].why);
  const suspects = await commit(reading, (trx) => suspectsAmong(trx, scope, { ids, missing }));
  const settle = async (judged: readonly string[], gone: readonly string[]) => {
    if (judged.length === 0) return;
    await commit(reading, async (trx) => {
      const which = { gone, judged: noted.filter(({ organizationId }) => judged.includes(organizationId)) };
      const buried = await settleDepartures(trx, scope, which, reading.clock());
      await takeBackAbsences(trx, reading, "organizations", buried.ids);
      await addCounts(trx, scope, runId, "organizations", {
        ...noCounts,
        deleted: buried.deleted,
        requests: uncountedRequests(reading),
      });
    });
  };
  let { deserted: open } = suspects;
  const waiting = [...suspects.living, ...suspects.leaving, ...refused.map(({ id }) => id)];
  const undecided = new Set([...waiting, ...open.map(({ id }) => id)]);
  await settle(
    ids.filter((id) => !undecided.has(id)),
    [],
  );
  while (open.length > 0 && progress.looks < mostLooks) {
    const verdict = await judgeDeserted(client, { ...suspects, deserted: open }, looksAtOnce);
    progress.looks += verdict.looks;
    if (verdict.gone.length > 0 && !(await seesEverything(client, reading.connection))) break;
    const rest = open.filter(({ id }) => verdict.open.includes(id));
    if (rest.length === open.length) break;
    await settle(
      open.filter((one) => !rest.includes(one)).map(({ id }) => id),
      verdict.gone,
    );
    open = rest;
    if (open.length > 0 && reading.stop()) throw new WaitNeeded(reading.clock());
  }
  await commit(reading, (trx) => markDeparturesAsked(trx, scope, [...waiting, ...open.map(({ id }) => id)], runId));
}

const idsOf = (noted: readonly NotedDeparture[]) => [...new Set(noted.map(({ organizationId }) => organizationId))];

/** `missing`: of the organizations asked for by id those that Zendesk does not find. */
export async function suspectsAmong(
  trx: Trx,
  scope: Scope,
  asked: { ids: readonly string[]; missing: readonly string[] },
): Promise<Suspects> {
  const state = await readStreamState(trx, scope, "organizations", "incremental");
  const { fresh_through: freshThrough = null, page_size: pageSize = null } = state ?? {};
  const empty = await deserted(trx, scope, asked.ids);
  const isMissing = ({ id }: { id: string }) => asked.missing.includes(id);
  const living = empty.filter((one) => !isMissing(one)).map(({ id }) => id);
  const standing = await standingOrganizations(trx, scope, asked.missing);
  const leaving = standing.filter((id) => !empty.some((one) => one.id === id));
  return { deserted: empty.filter(isMissing), living, leaving, freshThrough, pageSize };
}

/**
 * Organizations that Zendesk shows neither by id nor in its export: where nobody is left in them even now, a merge or a deletion
 * (rows 40, 41). The pointer goes to where most of their rows went. What is `judged` waits no more.
 */
export async function settleDepartures(
  trx: Trx,
  scope: Scope,
  { gone, judged }: { gone: readonly string[]; judged: readonly NotedDeparture[] },
  now: Date,
): Promise<PageResult> {
  const buried = (await deserted(trx, scope, gone)).map(({ id }) => id);
  const result = await tombstoneOrganizations(trx, scope, buried, now, await whereMostWent(trx, scope, buried));
  await forgetDepartures(trx, scope, judged);
  return result;
}
