import type { AffectedTicket, Attempt, Procedure, Verdict } from "#lib/destinations/attempt.ts";
import { refusalOf } from "#lib/destinations/refusals.ts";
import type { allowedByWord } from "#lib/destinations/shapes.ts";

/** An attempt under way, with what there is to tell of it so far. */
export interface Task extends Attempt {
  notes: string[];
  /** What was written, as far as it is known. */
  result: { kind: string; id: string } | undefined;
  /** Of a removal that is done: the tickets that it has unassigned. */
  affected: readonly AffectedTicket[] | undefined;
}

/** Ends an attempt from wherever it is. */
class Ended extends Error {
  override readonly name = "Ended";
  readonly verdict: Verdict;

  constructor(verdict: Verdict) {
    super(verdict.state);
    this.verdict = verdict;
  }
}

/**
 * Makes a procedure of a story that is done when it comes to its end, or ends before by one of the verdicts below. What its
 * command lacks is told before Zendesk is asked.
 */
export function procedure(run: (task: Task) => Promise<void>): Procedure {
  return async (attempt) => {
    const task: Task = { ...attempt, notes: [], result: undefined, affected: undefined };
    try {
      requireComplete(task);
      await run(task);
      return { state: "done", ...soFar(task), ...(task.affected && { affected: task.affected }) };
    } catch (error) {
      if (!(error instanceof Ended)) throw error;
      return error.verdict.state === "waits" ? error.verdict : { ...soFar(task), ...error.verdict };
    }
  };
}

/** The door takes no longer id of a user's or a group's, and no row of Zendesk's has one. */
const longestId = 512;

function requireComplete({ delivery: { action }, command, settings }: Task): void {
  const [tooLong] = Object.entries(command.fields).find(([name, value]) => isId(name) && isTooLong(value)) ?? [];
  if (tooLong !== undefined) {
    const reason = `${tooLong} has more than ${longestId} characters: no id is as long.`;
    fail(
      "id_too_long",
      reason,
      "Correct it where your program takes it from, or in the action's mapping; then replay.",
    );
  }
  const refusal = action === "write_back" ? null : refusalOf(action, command.fields, settings);
  if (refusal) fail(refusal.code, refusal.reason, refusal.fix);
}

const isId = (name: string) => /^(user\.|requester\.)?(external_|organization_)?id$/.test(name);
const isTooLong = (value: unknown) => typeof value === "string" && value.length > longestId;

function soFar({ notes, result }: Task): { notes?: string[]; result?: { kind: string; id: string } } {
  return { ...(notes.length > 0 && { notes: [...new Set(notes)] }), ...(result && { result }) };
}

/** Final until somebody replays it. */
export function fail(code: string, reason: string, fix: string): never {
  throw new Ended({ state: "failed", code, reason, fix });
}

/** Whether a person has read that it was held for this, and allowed it. */
export function isApproved(task: Task, code: (typeof allowedByWord)[number]): boolean {
  return task.delivery.approvedFor.includes(code);
}

/** A person must approve or discard it. */
export function hold(code: string, reason: string, fix: string, affected?: readonly AffectedTicket[]): never {
  throw new Ended({ state: "held", code, reason, fix, ...(affected && { affected }) });
}

/** A write may have happened, and nothing tells yet. Without a `fix` of its own it is looked up again by itself. */
export function leaveOpen(code: string, reason: string, fix = ""): never {
  throw new Ended({ state: "unknown", code, reason, fix });
}

/** Nothing is in doubt; it is too early to go on. */
export function wait(task: Task, milliseconds: number, code: string, reason: string): never {
  throw new Ended({ state: "waits", until: new Date(task.clock().getTime() + milliseconds), code, reason });
}

/** A search may be late with what Zendesk says that it knows already. Milliseconds. */
const lookAgainIn = 30_000;
const mostLooks = 20;

/** Looks again in a while, unless that creation has been refused too often for the search to be merely late. */
export function waitForSearch(task: Task, creation: string, code: string, reason: string): void {
  const looks = task.earlier.filter(({ step, outcome }) => step === creation && outcome === "refused").length;
  if (looks < mostLooks) wait(task, lookAgainIn, code, reason);
}

/** The earlier exchanges of a step that may have had an effect. */
export function sentBefore(task: Task, step: string) {
  return task.earlier.filter(
    (exchange) => exchange.isWrite && exchange.step === step && ["done", "unknown", "open"].includes(exchange.outcome),
  );
}
