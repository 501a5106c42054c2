import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import { loadConnection, type StoredConnection } from "#lib/connections/load.ts";
import { observeWebhookLag } from "#lib/monitoring/registry.ts";
import type { WebhookContext } from "#lib/webhooks/intake.ts";
import {
  type ClaimedHint,
  claimHints,
  countHints,
  hastenRun,
  livingRows,
  markChanged,
  postponeHints,
  settleHints,
  shareOpenConnection,
} from "#lib/webhooks/store.ts";
import type { Subject } from "#lib/webhooks/subject.ts";
import type { ZendeskClient } from "#lib/zendesk/client.ts";
import type { ClientOptions } from "#lib/zendesk/client-options.ts";
import { openClient } from "#lib/zendesk/credentials.ts";
import { settleDepartures, suspectsAmong } from "#lib/zendesk/departed.ts";
import { judgeDeserted } from "#lib/zendesk/deserted.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { type Fetched, type FetchedKind, fetchByIds, idsAtOnce } from "#lib/zendesk/fetch-by-id.ts";
import { foreignCodes, lostLoginCodes, requireOurAccount, seesEverything } from "#lib/zendesk/identity.ts";
import { isDeadlock } from "#lib/zendesk/reading.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { type Departure, departuresOf, membersOf, storeFetched } from "#lib/zendesk/store-by-id.ts";

export interface DrainOptions {
  clock: () => Date;
  options?: Partial<ClientOptions>;
  signal?: AbortSignal;
}

export interface Drained {
  /** Rows asked for by id. */
  fetched: number;
  /** Of these, rows that were news. */
  changed: number;
  /** Hints that wait still: grown meanwhile, postponed, or in another process's hands. */
  left: number;
}

const kindOf: Record<Subject, FetchedKind> = { ticket: "tickets", user: "users", organization: "organizations" };
/** Organizations come first: what names them counts at once then. */
const order: readonly Subject[] = ["organization", "ticket", "user"];

/** Longer than any fetch: what a process left behind when it died is anybody's then. */
const claimedFor = 5 * 60_000;
/** The exports withhold the newest minute. */
const soon = 2 * 60_000;
/** So many pages of the organizations' export are looked at for what rows have left. */
const mostLooks = 3;
/** A delivery is worth a short wait; what asks for longer is taken up again later. */
const patient: Partial<ClientOptions> = { attempts: 2, longestSleep: 2000, patience: 20_000 };

/**
 * Fetches by id what deliveries named and stores it, beside runs and other processes. What Zendesk does not answer stays
 * noted and is tried again, later each time; nothing is lost by it, since the runs read everything anyway.
 */
export async function drainHints(ctx: WebhookContext, scope: Scope, given: DrainOptions): Promise<Drained> {
  const { db } = ctx;
  const drained: Drained = { fetched: 0, changed: 0, left: 0 };
  const connection = await inWorkspace(db, scope.workspaceId, (trx) => loadConnection(trx, scope));
  const mayRead = connection?.state === "active" || connection?.state === "failing";
  // Where a run found somebody else behind the subdomain, what has its ids may be somebody else's (row 64); a login that is
  // not taken is tried by the runs alone, however many deliveries come (rows 60, 61).
  const failure = connection?.failure_code ?? "";
  if (mayRead && !foreignCodes.includes(failure) && !lostLoginCodes.includes(failure)) {
    const { clock, signal } = given;
    const client = openClient(ctx, connection, { ...patient, clock, ...(signal && { signal }), ...given.options });
    try {
      const drain = { ctx, scope, connection, client, clock, drained };
      for (const subject of order) if (!(await drainSubject(drain, subject, signal))) break;
    } finally {
      await client.close();
    }
  }
  drained.left = await inWorkspace(db, scope.workspaceId, (trx) => countHints(trx, scope));
  return drained;
}

interface Drain {
  ctx: WebhookContext;
  scope: Scope;
  connection: StoredConnection;
  client: ZendeskClient;
  clock: () => Date;
  drained: Drained;
}

/**
 * One look at each hint: those that grow meanwhile wait for the next drain. False when Zendesk takes no more requests now, or
 * is not to be asked any more.
 */
async function drainSubject(drain: Drain, subject: Subject, signal: AbortSignal | undefined): Promise<boolean> {
  const seen = new Set<string>();
  while (!signal?.aborted) {
    const claimed = await claim(drain, subject);
    const fresh = claimed.filter(({ id }) => !seen.has(id));
    for (const { id } of fresh) seen.add(id);
    if (fresh.length < claimed.length)
      await giveBack(
        drain,
        subject,
        claimed.filter((hint) => !fresh.includes(hint)),
      );
    if (fresh.length > 0 && !(await fetchAndStore(drain, subject, fresh))) return false;
    if (fresh.length < claimed.length || claimed.length < idsAtOnce) return true;
  }
  return false;
}

function claim({ ctx, scope, clock }: Drain, subject: Subject): Promise<ClaimedHint[]> {
  const now = clock();
  const until = new Date(now.getTime() + claimedFor);
  return inWorkspace(ctx.db, scope.workspaceId, async (trx) =>
    // Disconnected or paused meanwhile: nothing more is asked (row 121).
    (await shareOpenConnection(trx, scope)) ? claimHints(trx, scope, subject, { now, until }, idsAtOnce) : [],
  );
}

function giveBack({ ctx, scope, clock }: Drain, subject: Subject, hints: readonly ClaimedHint[]): Promise<void> {
  const back = hints.map((hint) => ({ ...hint, until: clock() }));
  return inWorkspace(ctx.db, scope.workspaceId, (trx) => postponeHints(trx, scope, subject, back));
}

async function fetchAndStore(drain: Drain, subject: Subject, claimed: ClaimedHint[]): Promise<boolean> {
  const ids = claimed.map(({ id }) => id);
  try {
    const fetched = await fetchByIds(drain.client, kindOf[subject], ids);
    // No run may have noticed yet who answers (row 64).
    await requireOurAccount(drain.client, drain.connection);
    const stored = await store(drain, subject, claimed, fetched);
    if (!stored) return false;
    drain.drained.fetched += ids.length;
    drain.drained.changed += stored.changed;
    for (const { firstAt } of claimed) observeWebhookLag(drain.clock().getTime() - firstAt.getTime());
    await lookAfterDeparted(drain, stored.left);
    await noticeMissing(drain, subject, fetched.missing);
    return true;
  } catch (error) {
    if (!(error instanceof WaitNeeded || error instanceof ZendeskError)) throw error;
    await postpone(drain, subject, claimed, error);
    return error instanceof ZendeskError && error.scope === "stream" && !error.transient;
  }
}

/** Null where the connection is not to be read any more. */
function store({ ctx, scope, clock }: Drain, subject: Subject, claimed: ClaimedHint[], { found }: Fetched) {
  return attempted(ctx.db, scope, async (trx) => {
    if (!(await shareOpenConnection(trx, scope))) return null;
    const now = clock();
    const stored = await storeFetched(trx, scope, kindOf[subject], found, now);
    // In the order in which a delivery locks both.
    if (stored.changed > 0) await markChanged(trx, scope, now);
    await settleHints(trx, scope, subject, claimed);
    return stored;
  });
}

/**
 * An organization that rows have left may have been merged or deleted, which no event and no export tells for certain (row 40).
 * What cannot be told now is noted, and a run that comes soon asks again.
 */
async function lookAfterDeparted(drain: Drain, left: readonly Departure[]): Promise<void> {
  const ids = [...new Set(left.map(({ organizationId }) => organizationId))];
  if (ids.length === 0) return;
  const { ctx, scope, clock } = drain;
  let isOpen = ids.length > idsAtOnce;
  try {
    if (await judgeDeparted(drain, ids.slice(0, idsAtOnce))) isOpen = true;
  } catch (error) {
    if (!(error instanceof WaitNeeded || error instanceof ZendeskError)) throw error;
    ctx.log.warn({ ...scope, organizations: ids.length, said: error.message }, "what rows have left waits for a run");
    isOpen = true;
  }
  if (isOpen) await attempted(ctx.db, scope, (trx) => hastenRun(trx, scope, new Date(clock().getTime() + soon)));
}

/** True when some could not be judged. */
async function judgeDeparted({ ctx, scope, connection, client, clock }: Drain, ids: string[]): Promise<boolean> {
  const noted = await inWorkspace(ctx.db, scope.workspaceId, (trx) => departuresOf(trx, scope, ids));
  const { missing, refused } = await fetchByIds(client, "organizations", ids);
  // Nobody may be left in it; those who left with its tickets may not have been told of yet.
  const members = await inWorkspace(ctx.db, scope.workspaceId, (trx) => membersOf(trx, scope, missing, idsAtOnce));
  const { found } = members.length > 0 ? await fetchByIds(client, "users", members) : { found: [] };
  const suspects = await attempted(ctx.db, scope, async (trx) => {
    if (!(await shareOpenConnection(trx, scope))) return null;
    await storeFetched(trx, scope, "users", found, clock());
    return suspectsAmong(trx, scope, { ids, missing });
  });
  if (!suspects) return false;
  const { gone, open } = await judgeDeserted(client, suspects, mostLooks);
  if (gone.length > 0 && !(await seesEverything(client, connection))) return true;
  const unjudged = [...open, ...refused.map(({ id }) => id)];
  await attempted(ctx.db, scope, async (trx) => {
    if (!(await shareOpenConnection(trx, scope))) return;
    const now = clock();
    // What lives and is empty stays noted as well: a merge that has not come to its end is the hourly run's.
    const waiting = new Set([...unjudged, ...suspects.living, ...suspects.leaving]);
    const judged = noted.filter(({ organizationId }) => !waiting.has(organizationId));
    const { deleted } = await settleDepartures(trx, scope, { gone, judged }, now);
    if (deleted > 0) await markChanged(trx, scope, now);
  });
  return unjudged.length > 0;
}

/** What is stored and not found by id is no deletion yet (row 94): a run that comes soon learns it from the export. */
async function noticeMissing(
  { ctx, scope, clock }: Drain,
  subject: Subject,
  missing: readonly string[],
): Promise<void> {
  if (missing.length === 0) return;
  await inWorkspace(ctx.db, scope.workspaceId, async (trx) => {
    const living = await livingRows(trx, scope, subject, missing);
    if (living.length > 0) await hastenRun(trx, scope, new Date(clock().getTime() + soon));
  });
}

/** A wait is as long as Zendesk says; a failure doubles, from ten seconds to a quarter of an hour. */
async function postpone(drain: Drain, subject: Subject, claimed: readonly ClaimedHint[], error: Error): Promise<void> {
  const { ctx, scope, clock } = drain;
  const now = clock().getTime();
  const postponed = claimed.map(({ id, attempts }) =>
    error instanceof WaitNeeded
      ? { id, attempts, until: new Date(Math.max(error.until.getTime(), now + 1000)) }
      : { id, attempts: attempts + 1, until: new Date(now + Math.min(900_000, 10_000 * 2 ** Math.min(attempts, 10))) },
  );
  ctx.log.warn({ ...scope, subject, hints: claimed.length, said: error.message }, "what deliveries named waits");
  await inWorkspace(ctx.db, scope.workspaceId, (trx) => postponeHints(trx, scope, subject, postponed));
}

const mostAttempts = 6;

/** A transaction of the drain: tried again after a deadlock with a run or another drain (row 80). */
async function attempted<T>(db: Db, scope: Scope, work: (trx: Trx) => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await inWorkspace(db, scope.workspaceId, work);
    } catch (error) {
      if (attempt >= mostAttempts || !isDeadlock(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, 2 ** attempt * 20 * (1 + Math.random())));
    }
  }
}
