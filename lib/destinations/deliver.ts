import { inWorkspace } from "#db/client.ts";
import { recordFailure } from "#lib/connections/outcome.ts";
import type { Attempt, Verdict } from "#lib/destinations/attempt.ts";
import { eventBody } from "#lib/destinations/commands.ts";
import { opened } from "#lib/destinations/exchange-text.ts";
import { TriedZendesk } from "#lib/destinations/noted-zendesk.ts";
import { takeUpAgain } from "#lib/destinations/recover.ts";
import type { Session } from "#lib/destinations/session.ts";
import { type Claimed, settleDelivery } from "#lib/destinations/store/claims.ts";
import {
  closeExchanges,
  forgetAttempt,
  type NewExchange,
  readExchanges,
  saveExchanges,
} from "#lib/destinations/store/exchanges.ts";
import {
  isOvertaken,
  readSettings,
  readStoredEvent,
  type StoredEvent,
  writtenInLane,
} from "#lib/destinations/store/parts.ts";
import {
  Barred,
  doubtsOf,
  type Ending,
  endingOf,
  endingOfError,
  Interrupted,
  NotTaken,
} from "#lib/destinations/verdicts.ts";
import { concealValues } from "#lib/log.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { cleanText } from "#lib/zendesk/text.ts";

/**
 * One try at a claimed delivery, and what became of it. Null where the claim was lost: then nothing of the try is kept. Throws
 * where the database does not take the result; the next holder finds what was sent noted as open, and looks first.
 */
export async function deliver(session: Session, delivery: Claimed): Promise<Ending | null> {
  const parts = await readParts(session, delivery);
  const zendesk = new TriedZendesk(session, delivery, parts.earlier);
  const outcome = await tried(session, delivery, attemptOf(session, delivery, parts, zendesk));
  const { isUnknown, retries } = delivery;
  const { brokeOffWriting, isOpen, hasWritten } = zendesk;
  const doubts = doubtsOf(parts.earlier, delivery.attempts);
  const facts = { isUnknown, retries, doubts, brokeOffWriting, isOpen, hasWritten, now: session.clock() };
  const ending = "verdict" in outcome ? endingOf(outcome.verdict, facts) : endingOfError(outcome.error, facts);
  const wasPutOff = "error" in outcome && isPutOff(outcome.error) && !zendesk.hasWritten;
  return settle(session, delivery, ending, zendesk, wasPutOff);
}

interface Parts {
  settings: Attempt["settings"];
  event: StoredEvent | null;
  earlier: NewExchange[];
  isOvertaken: boolean;
}

function readParts({ ctx, scope: { workspaceId } }: Session, delivery: Claimed): Promise<Parts> {
  return inWorkspace(ctx.db, workspaceId, async (trx) => {
    const settings = await readSettings(trx, workspaceId, delivery.destinationId);
    const { command, isLate } = delivery;
    return {
      settings,
      event: delivery.eventId === null ? null : await readStoredEvent(trx, workspaceId, delivery.eventId),
      earlier: delivery.attempts > 1 || delivery.isUnknown ? await readExchanges(trx, workspaceId, delivery.id) : [],
      isOvertaken: isLate && (await isOvertaken(trx, workspaceId, delivery, command, settings)),
    };
  });
}

function attemptOf(session: Session, delivery: Claimed, parts: Parts, zendesk: TriedZendesk): Attempt {
  const { id, action, messageId, commandKey, createdAt, approvedFor, affected, command } = delivery;
  return {
    delivery: { id, action, messageId, commandKey, createdAt, approvedFor, affected },
    command,
    settings: parts.settings,
    event: parts.event && attemptedEvent(parts.event),
    earlier: parts.earlier.map(({ request, ...exchange }) => ({ ...exchange, request: opened(request) })),
    isOvertaken: parts.isOvertaken,
    zendesk,
    db: session.ctx.db,
    written: writtenBefore(session),
    scope: session.scope,
    clock: session.clock,
    isDryRun: false,
  };
}

export function writtenBefore({ ctx, scope }: Pick<Session, "ctx" | "scope">): Attempt["written"] {
  return (lane, kind) => inWorkspace(ctx.db, scope.workspaceId, (trx) => writtenInLane(trx, scope, lane, kind));
}

export function attemptedEvent(stored: StoredEvent): NonNullable<Attempt["event"]> {
  const { id, type, occurredAt } = stored;
  return { id, type, occurredAt, payload: { ...eventBody(stored) } };
}

async function tried(
  { procedures, ctx }: Session,
  delivery: Claimed,
  attempt: Attempt,
): Promise<{ verdict: Verdict } | { error: unknown }> {
  try {
    return { verdict: await procedures[delivery.action](attempt) };
  } catch (error) {
    if (!isForeseen(error)) ctx.log.error({ err: error, delivery: delivery.id }, "a try at a delivery broke off");
    return { error };
  }
}

const isPutOff = (error: unknown) =>
  error instanceof WaitNeeded || error instanceof Interrupted || (error instanceof Barred && !error.isFinal);
const isForeseen = (error: unknown) =>
  [ZendeskError, Barred, NotTaken].some((kind) => error instanceof kind) || isPutOff(error);

/** Writes the result, what was said to Zendesk, and what follows from it: all or nothing, and only while the claim holds. */
async function settle(
  { ctx, scope, clock }: Session,
  delivery: Claimed,
  ending: Ending,
  zendesk: TriedZendesk,
  wasPutOff: boolean,
): Promise<Ending | null> {
  const now = clock();
  const { code, reason, fix, ...rest } = ending;
  const isOver = ending.state !== "queued" && ending.dueAt === null;
  const settled = {
    ...rest,
    code: clean(code),
    reason: clean(reason),
    fix: clean(fix),
    // What was only put off was no try, and is not told.
    attempts: wasPutOff ? delivery.attempts - 1 : delivery.attempts,
    notes: isOver ? [...new Set([...delivery.notes, ...ending.notes, ...zendesk.notes].map(clean))] : delivery.notes,
    affected: affectedText(affectedBy(ending, zendesk, delivery)),
  };
  const isKept = await inWorkspace(ctx.db, scope.workspaceId, async (trx) => {
    if (!(await settleDelivery(trx, scope, delivery, settled, now))) return false;
    if (wasPutOff) await forgetAttempt(trx, scope.workspaceId, delivery.id, delivery.attempts);
    else await saveExchanges(trx, scope.workspaceId, delivery.id, zendesk.takeUnsaved());
    await closeExchanges(trx, scope.workspaceId, delivery.id, now);
    if (isOver) await takeUpAgain(trx, scope, delivery, ending.state === "done", now);
    if (ending.connectionFailure) await recordFailure(trx, scope, ending.connectionFailure, now);
    return true;
  });
  if (!isKept) return null;
  tell(ctx.log, delivery, ending);
  return ending;
}

/** What was done and what is asked about tell for themselves; else it stays what was sent, or what a person was shown. */
function affectedBy({ state, affected }: Ending, sent: TriedZendesk, shown: Claimed): Ending["affected"] {
  return state === "done" ? affected : (affected ?? sent.affected ?? shown.affected);
}

function affectedText(tickets: Ending["affected"]): string | null {
  if (tickets === null) return null;
  return JSON.stringify(
    tickets.map(({ id, subject, status }) => ({ id, subject: cleanText(concealValues(subject), 500), status })),
  );
}

/** Zendesk's words are in it, and what was sent. */
function clean<Text extends string | null>(text: Text): Text {
  return (text === null ? null : cleanText(concealValues(text), 4000)) as Text;
}

function tell(log: Session["ctx"]["log"], { id, action, destinationId }: Claimed, ending: Ending): void {
  const told = { delivery: id, destinationId, action, state: ending.state, code: ending.code };
  const isTrouble = ending.state === "failed" || ending.state === "unknown" || ending.standstill !== null;
  log[isTrouble ? "warn" : "debug"](told, "a delivery was tried");
}
