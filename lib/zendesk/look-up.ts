import type { Trx } from "#db/client.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import { type FailureCode, type FailureWords, ZendeskError } from "#lib/zendesk/failures.ts";
import { type Fetched, fetchByIds } from "#lib/zendesk/fetch-by-id.ts";
import { narrowed } from "#lib/zendesk/identity.ts";
import { newPlace, parsePlace, writePlace } from "#lib/zendesk/place.ts";
import { commit, nowSecond, type Reading } from "#lib/zendesk/reading.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import type { AbsentStream } from "#lib/zendesk/store/absence.ts";
import { type Purpose, readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";

/** What is checked beside the exports, and what is not known where Zendesk refuses that. Memberships belong to the users. */
const unanswered = {
  tickets: "Tickets could not be asked for by their ids",
  organizations: "Organizations could not be asked for by their ids",
  users: "Users could not be asked for by their ids",
  memberships: "Memberships of organizations could not be read",
};
export type BesideCheck = keyof typeof unanswered;

/** Where it is kept that a check was refused. */
const keptAs = (check: BesideCheck): [StreamName, Purpose] =>
  check === "memberships" ? ["users", "membership_list"] : [check, "look_ups"];
const checks = Object.keys(unanswered) as BesideCheck[];

/** Asks for rows by id; at most `idsAtOnce` ids. An address that Zendesk does not know, or refuses, says nothing about a row. */
export async function lookUp(reading: Reading, kind: AbsentStream, ids: readonly string[]): Promise<Fetched> {
  if (ids.length === 0) return { found: [], missing: [], refused: [] };
  return fetchByIds(reading.client, kind, ids, { forgiving: true });
}

/**
 * Does a check beside a stream. Refused, it does not fail the run, but what it was to find out is not known: the stream is in
 * doubt (`refusalDoubt`) until a night's checks go through. Gives what was refused, or null. What stops the
 * connection, or waits, goes on.
 */
export async function unlessRefused(
  reading: Reading,
  check: BesideCheck,
  work: () => Promise<unknown>,
): Promise<ZendeskError | null> {
  try {
    await work();
    return null;
  } catch (thrown) {
    const error = await narrowed(reading, thrown);
    if (!(error instanceof ZendeskError) || error.scope !== "stream") throw error;
    await noteRefusal(reading, check, error);
    return error;
  }
}

/** Keeps, until a later run's checks go through, that something beside a stream was refused. */
export async function noteRefusal(reading: Reading, check: BesideCheck, error: ZendeskError): Promise<void> {
  const { scope, runId } = reading;
  reading.log.warn({ ...scope, runId, check, code: error.code, said: error.message }, "a check was refused");
  const [name, purpose] = keptAs(check);
  const when = { runId, begun: nowSecond(reading) };
  await commit(reading, async (trx) => {
    const known = await readStreamState(trx, scope, name, purpose);
    const now = reading.clock();
    await saveStreamState(
      trx,
      scope,
      name,
      purpose,
      {
        position: writePlace({ ...newPlace(0), check: when }),
        failure_code: error.code,
        failure_message: `${unanswered[check]}: ${error.message}`,
        failure_action: error.action,
        failure_since: known?.failure_code === error.code ? known.failure_since : now,
      },
      now,
    );
  });
}

/** What was refused beside a stream and has not been answered since, or null. */
export async function refusalDoubt(trx: Trx, scope: Scope, name: StreamName): Promise<FailureWords | null> {
  for (const [stream, purpose] of checks.map(keptAs).filter(([stream]) => stream === name)) {
    const state = await readStreamState(trx, scope, stream, purpose);
    const { failure_code: code, failure_message: message, failure_action: action } = state ?? {};
    if (code && message) return { code: code as FailureCode, message, action: action ?? "" };
  }
  return null;
}

/** The checks beside a stream went through. What this very run was refused, in an earlier turn, stays unless all of it was asked `again`. */
export async function forgetRefusal(
  reading: Reading,
  check: BesideCheck,
  { again = false }: { again?: boolean } = {},
): Promise<void> {
  const [name, purpose] = keptAs(check);
  await commit(reading, async (trx) => {
    const state = await readStreamState(trx, reading.scope, name, purpose);
    const isOurs = parsePlace(state?.position ?? null)?.check?.runId === reading.runId;
    if (!state?.failure_code || (isOurs && !again)) return;
    const nothing = { failure_code: null, failure_message: null, failure_action: null, failure_since: null };
    await saveStreamState(trx, reading.scope, name, purpose, nothing, reading.clock());
  });
}
