import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import {
  type AnswerKey,
  claimAnswer,
  forgetAnswer,
  forgetAnswersBefore,
  forgetStale,
  type KeptRow,
  keepAnswer,
  keptAnswer,
} from "#lib/api/store.ts";
import { decrypt, encrypt } from "#lib/auth/encryption.ts";
import { AppError } from "#lib/errors.ts";

/** An answer as it goes out: a status and the JSON text of its body, null for none. */
export interface Answer {
  status: number;
  body: string | null;
}

/** A digest of who asks, what for and with which body, for telling a repeated request from another one. */
export interface Fingerprint {
  /** Of the whole request; reads what is left of its body. */
  whole(): Promise<Buffer>;
  /** Null while the body has not been read to its end. */
  read(): Buffer | null;
}

/** One request that named an Idempotency-Key. */
export interface Once {
  id: AnswerKey;
  fingerprint: Fingerprint;
  /** Answers may hold a new password: they are kept sealed. */
  encryptionKey: string;
  now: Date;
  /** The answer to keep for a failure, or null for one that says nothing of the request (5xx). */
  refusal: (error: unknown) => Answer | null;
}

const keptHours = 24;
/** A pending claim of a request that takes longer, or of a process that died, is free again after this. */
const pendingMinutes = 15;
const waitStepMs = 250;
const waitSteps = 120;

/**
 * Does the work in one transaction with the keeping of its answer: both happened or neither, whatever dies. Requests with the
 * same key wait for each other and get the first one's answer (row 105).
 */
export async function answerOnce(db: Db, once: Once, work: (trx: Trx) => Promise<Answer>): Promise<Answer> {
  const bodyHash = await once.fingerprint.whole();
  const { workspaceId } = once.id;
  try {
    return await inWorkspace(db, workspaceId, async (trx) => {
      if (!(await claim(trx, once, bodyHash))) return firstAnswer(trx, once, bodyHash);
      const answer = await work(trx);
      await keep(trx, once, bodyHash, answer);
      return answer;
    });
  } catch (error) {
    const refused = once.refusal(error);
    if (refused !== null) {
      await inWorkspace(db, workspaceId, async (trx) => {
        if (await claim(trx, once, bodyHash)) await keep(trx, once, bodyHash, refused);
      });
    }
    throw error;
  }
}

/** For work that commits in steps or waits for Zendesk: the key is claimed first, the answer kept when it is there. */
export async function answerOnceInSteps(db: Db, once: Once, work: () => Promise<Answer>): Promise<Answer> {
  const inOwn = <T>(step: (trx: Trx) => Promise<T>) => inWorkspace(db, once.id.workspaceId, step);
  for (let step = 0; !(await inOwn((trx) => claim(trx, once, Buffer.alloc(0)))); step++) {
    const kept = await inOwn((trx) => keptAnswer(trx, once.id));
    if (kept && kept.status !== null) return repeated(kept, once, await once.fingerprint.whole());
    if (step === waitSteps) throw stillAtWork();
    await new Promise((resolve) => setTimeout(resolve, waitStepMs));
  }
  const settle = (answer: Answer | null) => {
    const bodyHash = once.fingerprint.read();
    return inOwn((trx) => (answer && bodyHash ? keep(trx, once, bodyHash, answer) : forgetAnswer(trx, once.id)));
  };
  let answer: Answer;
  try {
    answer = await work();
  } catch (error) {
    await settle(once.refusal(error));
    throw error;
  }
  // Should the answer not be kept, the claim stays: what has been done must not be done again.
  await settle(answer);
  return answer;
}

/** For the maintenance of a workspace: answers are kept for a day. */
export async function forgetOldAnswers(trx: Trx, workspaceId: number, now: Date): Promise<void> {
  await forgetAnswersBefore(trx, workspaceId, before(now, keptHours * 60));
}

async function claim(trx: Trx, once: Once, bodyHash: Buffer): Promise<boolean> {
  const { id, now } = once;
  await forgetStale(trx, id, { before: before(now, keptHours * 60), pendingBefore: before(now, pendingMinutes) });
  return claimAnswer(trx, id, { bodyHash, now });
}

async function firstAnswer(trx: Trx, once: Once, bodyHash: Buffer): Promise<Answer> {
  const kept = await keptAnswer(trx, once.id);
  if (!kept) throw stillAtWork();
  return repeated(kept, once, bodyHash);
}

function repeated(kept: KeptRow, once: Once, bodyHash: Buffer): Answer {
  if (kept.status === null) throw stillAtWork();
  if (!kept.bodyHash.equals(bodyHash)) {
    throw new AppError(
      "conflict",
      "This Idempotency-Key was used for a different request within the last 24 hours. Take a new key for each new request.",
    );
  }
  return { status: kept.status, body: kept.answer === null ? null : decrypt(once.encryptionKey, kept.answer) };
}

function keep(trx: Trx, once: Once, bodyHash: Buffer, { status, body }: Answer): Promise<void> {
  const answer = body === null ? null : encrypt(once.encryptionKey, body);
  return keepAnswer(trx, once.id, { bodyHash, status, answer });
}

function stillAtWork(): AppError {
  return new AppError(
    "conflict",
    "The first request with this Idempotency-Key is still at work, or was cut off. Ask again later with the same key.",
  );
}

function before(now: Date, minutes: number): Date {
  return new Date(now.getTime() - minutes * 60_000);
}
