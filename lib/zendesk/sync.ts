import type { Selectable } from "kysely";
import type { Trx } from "#db/client.ts";
import type { ConnectionTable } from "#db/schema.ts";
import type { StreamName, SyncMode } from "#lib/connections/shapes.ts";
import type { Context } from "#lib/context.ts";
import { settleApproved } from "#lib/zendesk/absences.ts";
import type { ZendeskClient } from "#lib/zendesk/client.ts";
import { type ClientOptions, defaultClientOptions } from "#lib/zendesk/client-options.ts";
import type { Verified } from "#lib/zendesk/comparison.ts";
import { openClient } from "#lib/zendesk/credentials.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { checkSameAccount, type Identity, isDowngraded, whoAmI } from "#lib/zendesk/identity.ts";
import { forgetRefusal, unlessRefused } from "#lib/zendesk/look-up.ts";
import { commit, type Reading, type StreamEnd } from "#lib/zendesk/reading.ts";
import { reconcile } from "#lib/zendesk/reconcile.ts";
import { readRound, restate } from "#lib/zendesk/round.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { absentStreams } from "#lib/zendesk/store/absence.ts";
import { readRunStreams } from "#lib/zendesk/store/run-counters.ts";
import { type Stream, streams } from "#lib/zendesk/streams.ts";

/** One turn of a run of a connection. */
export interface SyncJob {
  scope: Scope;
  connection: Selectable<ConnectionTable>;
  mode: SyncMode;
  runId: string;
  /** Throws when the connection's lease has been taken over; called first in every transaction. */
  fence: (trx: Trx) => Promise<void>;
  /** True: stop at the next page boundary. */
  deadline: () => boolean;
  clock: () => Date;
  /** Aborted: stop at once, in the middle of a request or a sleep. */
  signal?: AbortSignal;
  /** True while others wait for this run's place (row 8). */
  crowded?: () => boolean;
  streams?: readonly StreamName[];
  options?: Partial<ClientOptions>;
}

export interface RunOutcome {
  /** The streams that were read, in this turn or an earlier one of the run. */
  streams: StreamEnd[];
  /** The run is not done: call again then, with the same run id. */
  waitingUntil?: Date;
  /** Everything stopped. `transient`: the next run simply tries again; else a person has to act. */
  connectionFailure?: { code: string; message: string; action: string; transient: boolean };
  identity?: Identity;
  /** Seconds that this machine's clock is behind Zendesk's, where it matters (row 47). */
  clockSkewSeconds?: number;
  verified?: Verified;
}

/**
 * Reads the streams of one Zendesk account, one after the other, as far as the mode asks for. A stream that fails does not
 * stop the others; a failure of the account, or a wait, does. Failures of the database and of the lease are thrown: nothing
 * of the page they hit is stored.
 */
export async function runStreams(ctx: Pick<Context, "config" | "db" | "log">, job: SyncJob): Promise<RunOutcome> {
  const outcome: RunOutcome = { streams: [] };
  let client: ZendeskClient | null = null;
  try {
    client = openClient(ctx, job.connection, clientOptions(job));
    const identity = await whoAmI(client);
    checkSameAccount(identity, job.connection);
    outcome.identity = identity;
    Object.assign(outcome, noticeableSkew(client));
    await readAll(startReading(ctx, job, client, identity), job, outcome);
  } catch (error) {
    if (error instanceof WaitNeeded) outcome.waitingUntil = error.until;
    else if (error instanceof ZendeskError) {
      ctx.log.warn({ ...job.scope, runId: job.runId, err: error }, "an account could not be read");
      outcome.connectionFailure = { ...error.words(), transient: error.transient };
    } else throw error;
  } finally {
    await client?.close();
  }
  return outcome;
}

async function readAll(reading: Reading, job: SyncJob, outcome: RunOutcome): Promise<void> {
  const done = await commit(reading, (trx) => readRunStreams(trx, reading.scope, reading.runId));
  await readRound(reading, chosen(job), outcome.streams, done);
  if (reading.downgraded) return;
  await actOnApprovals(reading, outcome);
  if (job.mode !== "reconcile") return;
  const { ends, verified } = await reconcile(reading, chosen(job), outcome.streams);
  outcome.streams = ends;
  if (verified) outcome.verified = verified;
}

/** A person's word about absent rows does not wait for the night. */
async function actOnApprovals(reading: Reading, outcome: RunOutcome): Promise<void> {
  for (const name of absentStreams) {
    let isActedOn = false;
    const refused = await unlessRefused(reading, name, async () => {
      isActedOn = await settleApproved(reading, name);
    });
    if (isActedOn) await forgetRefusal(reading, name);
    if (isActedOn || refused) await restate(reading, outcome.streams, name);
  }
}

function noticeableSkew(client: ZendeskClient): Pick<RunOutcome, "clockSkewSeconds"> {
  const seconds = Math.round(client.skew / 1000);
  return Math.abs(seconds) > 60 ? { clockSkewSeconds: seconds } : {};
}

function chosen(job: SyncJob): readonly Stream[] {
  return job.streams ? streams.filter(({ name }) => job.streams?.includes(name)) : streams;
}

function clientOptions(job: SyncJob): Partial<ClientOptions> {
  const { clock, deadline, signal, crowded } = job;
  return { clock, deadline, ...(signal ? { signal } : {}), ...(crowded ? { crowded } : {}), ...job.options };
}

function startReading(
  ctx: Pick<Context, "config" | "db" | "log">,
  job: SyncJob,
  client: ZendeskClient,
  identity: Identity,
): Reading {
  const { sleep, random } = { ...defaultClientOptions, ...job.options };
  return {
    db: ctx.db,
    log: ctx.log,
    scope: job.scope,
    connection: job.connection,
    mode: job.mode,
    runId: job.runId,
    client,
    identity,
    downgraded: isDowngraded(identity, job.connection),
    fence: job.fence,
    stop: () => job.deadline() || job.signal?.aborted === true,
    clock: job.clock,
    sleep: (milliseconds) => sleep(milliseconds),
    random,
    countedRequests: 0,
  };
}
