import type { AffectedTicket, Verdict } from "#lib/destinations/attempt.ts";
import { wordsOfRefusal } from "#lib/destinations/refusal-words.ts";
import { barringFailures, type Settled } from "#lib/destinations/store/claims.ts";
import type { NewExchange } from "#lib/destinations/store/exchanges.ts";
import { instantWords } from "#lib/time-words.ts";
import { type FailureWords, WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";

/*
 * What the end of a try means for its delivery: a verdict of the procedure, or something thrown on the way. Nothing here
 * lets a write be repeated blindly: what may have happened is unknown, and the next try looks first (row 96).
 */

/** The process is stopping: nothing more is asked or sent. */
export class Interrupted extends Error {
  override readonly name = "Interrupted";
}

/** Another process holds the delivery now: nothing is sent, and nothing of this try is kept. */
export class ClaimLost extends Error {
  override readonly name = "ClaimLost";
}

/** Something of ours forbids the write, right before it would have been sent. `isFinal`: it does not pass by itself. */
export class Barred extends Error {
  override readonly name = "Barred";
  readonly code: string;
  readonly fix: string;
  readonly isFinal: boolean;

  constructor(words: { code: string; reason: string; fix: string; isFinal: boolean }) {
    super(words.reason);
    this.code = words.code;
    this.fix = words.fix;
    this.isFinal = words.isFinal;
  }
}

/** Zendesk said yes each time, and shows that it has not done it. */
export class NotTaken extends Error {
  override readonly name = "NotTaken";
  readonly fix: string;

  constructor({ reason, fix }: { reason: string; fix: string }) {
    super(reason);
    this.fix = fix;
  }
}

/** What is known of a try when it ends. */
export interface Tried {
  /** A write of an earlier try may have happened, and nobody has looked yet. */
  isUnknown: boolean;
  /** What broke off was a write, not a look. */
  brokeOffWriting: boolean;
  /** A write was sent of which nothing was heard. */
  isOpen: boolean;
  /** A write was sent, whatever came back: what an earlier one was to do had been looked for and not found. */
  hasWritten: boolean;
  retries: number;
  doubts: Doubts;
  now: Date;
}

/** What the exchanges of earlier tries tell of the writes of which nothing was heard. */
export interface Doubts {
  /** Tries since the last of these, but for those in which Zendesk would not be asked. */
  looks: number;
  /** Those of these that were not just refused for want of time: they may well have happened. */
  losses: number;
}

export interface Ending extends Omit<Settled, "attempts" | "affected"> {
  state: "queued" | "done" | "failed" | "unknown" | "held";
  affected: readonly AffectedTicket[] | null;
  /** Nothing is sent to this account before; null where only this delivery is concerned. */
  standstill: Date | null;
  /** What the connection's own notice shows until a person acts. */
  connectionFailure: FailureWords | null;
}

const seconds = 1000;
const minutes = 60 * seconds;

/** When what is unknown is looked up again, by the number of look-ups before. Then a person has to. */
const lookUps = [5 * seconds, 30 * seconds, 2 * minutes, 10 * minutes, 60 * minutes];
/** When a collision is tried again (zendesk-api 2.5). */
const collisions = [10 * seconds, 10 * seconds, 20 * seconds, 40 * seconds, 60 * seconds];
/** Tries of something that Zendesk keeps failing at: four hours. */
const mostRetries = 20;
const longestPause = 15 * minutes;
const mostFaults = 3;

/** What a person can do about what stays unknown, and nothing else: it is not theirs to approve. */
export const lookYourself =
  "Look in Zendesk whether it has happened. Replay looks again first and writes nothing twice; discard leaves it as it is.";
/** The same while nobody has to. */
export const lookedUpByItself =
  "Nobody has to act: it is looked up in Zendesk by itself. Replay looks now, and sends again only what has not happened; discard ends it as it is.";

export function endingOf(verdict: Verdict, tried: Tried): Ending {
  switch (verdict.state) {
    case "done":
      return ending("done", {
        notes: verdict.notes ?? [],
        result: verdict.result ?? null,
        affected: verdict.affected ?? null,
      });
    case "waits":
      return later(tried, verdict.until, { code: verdict.code, reason: verdict.reason, retries: tried.retries });
    case "unknown":
      return unknown(tried, verdict);
    default: {
      const { state, code, reason, fix, notes = [], result = null, affected = null } = verdict;
      // That it cannot be done now says nothing about the write whose answer was lost, unless what it was to write was found.
      if (state === "failed" && tried.isUnknown && !tried.hasWritten && result === null)
        return { ...givenUp({ code, reason, fix: `${fix} ${lookYourself}` }), notes, result };
      return ending(state, { code, reason, fix, notes, result, affected });
    }
  }
}

/** The same for what a procedure threw. Throws on what says that nothing may be kept (ClaimLost). */
export function endingOfError(error: unknown, tried: Tried): Ending {
  const { now, retries } = tried;
  if (error instanceof ClaimLost) throw error;
  if (error instanceof Interrupted) return later(tried, now, { code: "interrupted", reason: error.message, retries });
  if (error instanceof Barred) return ofBarred(error, tried);
  if (error instanceof WaitNeeded) return ofWait(error, tried);
  if (error instanceof NotTaken) return ending("failed", { code: "not_taken", reason: error.message, fix: error.fix });
  if (error instanceof ZendeskError) return ofZendesk(error, tried);
  return ofFault(tried);
}

function ofBarred({ code, message: reason, fix, isFinal }: Barred, tried: Tried): Ending {
  if (!isFinal) return { ...later(tried, tried.now, { code, reason, retries: tried.retries }), fix };
  return tried.isUnknown ? givenUp({ code, reason, fix }) : ending("failed", { code, reason, fix });
}

function ofWait({ until }: WaitNeeded, tried: Tried): Ending {
  const reason = `Zendesk takes no request of this kind before ${instantWords(until)}. Nothing was sent.`;
  const at = new Date(Math.max(until.getTime(), tried.now.getTime() + seconds));
  return later(tried, at, { code: "rate_limited", reason, retries: tried.retries });
}

function ofZendesk(error: ZendeskError, tried: Tried): Ending {
  const { message: reason, status, cause } = error;
  const told = cause instanceof WaitNeeded ? cause.until : tried.now;
  if (error.code === "outcome_unknown") return unknown(tried, { code: error.code, reason }, { status, told });
  if (error.scope === "connection") return ofConnection(error, tried);
  if (error.status === 409) return retried(tried, collisions, "conflict", error.message, conflictFix);
  if (error.transient || error.status === 408 || error.status === 425) {
    const pauses = Array.from({ length: mostRetries }, (_, index) => pauseAfter(index));
    return retried(tried, pauses, error.code, error.message, "Look at status.zendesk.com, then replay.");
  }
  const words = wordsOfRefusal(error);
  // A look that is refused leaves open what an earlier write has done.
  return tried.isUnknown && !tried.brokeOffWriting ? givenUp(words) : ending("failed", words);
}

const conflictFix =
  "Somebody else keeps changing the same record, or another tool writes it at the same time. Replay when it is quiet.";

const triedAgain =
  "Nobody has to act: nothing is lost, and it is tried again by itself. If it lasts, look at status.zendesk.com and at this server's way to the internet.";

/** The login, or the account as a whole: everything waits. What the connection shows as its failure holds it until that is healed. */
function ofConnection(error: ZendeskError, tried: Tried): Ending {
  const { now, retries } = tried;
  const { transient, code } = error;
  const pause = transient ? pauseAfter(retries) : barringFailures.includes(code) ? 0 : 5 * minutes;
  const at = new Date(now.getTime() + pause);
  const waiting = later(tried, at, { code, reason: error.message, retries: transient ? retries + 1 : retries });
  // The words of an error that passes by itself are those of a reading; what is unknown has words of its own.
  const fix = !transient ? error.action : waiting.state === "unknown" ? null : triedAgain;
  return { ...waiting, fix, standstill: at, connectionFailure: transient ? null : error.words() };
}

/** A fault of this program or of its database. */
function ofFault(tried: Tried): Ending {
  const { retries } = tried;
  const reason = "The try broke off through a fault of this program; the log has the details under the delivery's id.";
  if (tried.isOpen || tried.isUnknown) return unknown(tried, { code: "internal", reason });
  const pauses = Array.from({ length: mostFaults }, (_, index) => pauseAfter(index));
  return retried({ ...tried, retries }, pauses, "internal", reason, "Replay; if it fails again, report it.");
}

/** Tried again after a while, so often; then it has failed, or stays unknown. */
function retried(tried: Tried, pauses: readonly number[], code: string, reason: string, fix: string): Ending {
  const pause = pauses[tried.retries];
  if (pause !== undefined) {
    const at = new Date(tried.now.getTime() + pause);
    return later(tried, at, { code, reason, retries: tried.retries + 1 });
  }
  return tried.isUnknown ? givenUp({ code, reason, fix: lookYourself }) : ending("failed", { code, reason, fix });
}

/** How a server says that it has no time: mostly before it has done anything, though nobody knows. */
const isBusy = (status: number | null | undefined) => status === 503 || status === 408;

/** The doubts that the tries before this one have left. */
export function doubtsOf(earlier: readonly NewExchange[], attempt: number): Doubts {
  const open = earlier.filter(({ isWrite, outcome }) => isWrite && (outcome === "unknown" || outcome === "open"));
  const last = open.at(-1)?.attempt ?? 0;
  const since = earlier.filter((exchange) => exchange.attempt > last && exchange.attempt < attempt);
  const failed = new Set(
    since.filter(({ isWrite, outcome }) => !isWrite && outcome === "refused").map((x) => x.attempt),
  );
  const losses = open.filter(({ status }) => !isBusy(status)).length;
  return { looks: Math.max(0, attempt - 1 - last - failed.size), losses };
}

/**
 * Something may have been written: looked up again by itself, later each time, then a person's. What was looked for, not found
 * and sent again is in doubt anew; where Zendesk is only too busy for it, it is sent again for as long as anything is. Nothing is
 * asked before the instant that Zendesk has `told`.
 */
function unknown(
  { now, retries, isUnknown, isOpen, doubts }: Tried,
  { code, reason, fix, notes = [] }: { code: string; reason: string; fix?: string; notes?: string[] },
  { status, told = now }: { status?: number | undefined; told?: Date } = {},
): Ending {
  // Tries before anything was sent say nothing about how often it was looked up.
  const tries = isUnknown ? retries : 0;
  const isAgain = isUnknown && isOpen;
  const pause =
    isAgain && isBusy(status) ? pauseAfter(tries) : lookUps[Math.min(tries, isAgain ? doubts.losses : doubts.looks)];
  const isOver = pause === undefined || tries >= mostRetries;
  const dueAt = isOver ? null : new Date(Math.max(now.getTime() + pause, told.getTime()));
  return ending("unknown", {
    code,
    reason,
    fix: fix || (dueAt ? null : lookYourself),
    notes,
    dueAt,
    retries: tries + 1,
  });
}

const givenUp = (words: { code: string; reason: string; fix: string }): Ending =>
  ending("unknown", { ...words, reason: `${words.reason} What an earlier try has done could not be looked up.` });

/** What may have happened stays unknown while it waits. */
function later(tried: Tried, at: Date, words: { code: string; reason: string; retries: number }): Ending {
  return ending(tried.isUnknown || tried.isOpen ? "unknown" : "queued", { ...words, dueAt: at });
}

function ending(state: Ending["state"], given: Partial<Ending>): Ending {
  return {
    ...{ retries: 0, code: null, reason: null, fix: null, notes: [], result: null, affected: null },
    ...{ dueAt: null, standstill: null, connectionFailure: null },
    ...given,
    state,
  };
}

/** From ten seconds, doubling, to a quarter of an hour. */
const pauseAfter = (retries: number): number => Math.min(longestPause, 10 * seconds * 2 ** Math.min(retries, 10));
