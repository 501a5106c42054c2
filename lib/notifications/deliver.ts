import { inWorkspace } from "#db/client.ts";
import type { Context } from "#lib/context.ts";
import { concealValues } from "#lib/log.ts";
import { readAdministrators } from "#lib/notifications/administrators.ts";
import { letterOf } from "#lib/notifications/letter.ts";
import { sendLetter } from "#lib/notifications/mail.ts";
import { claimLetters, type DueLetter, markSent, markUnsent } from "#lib/notifications/store/letters.ts";

const minute = 60_000;
/** So many letters a turn: the next turn is a minute away. */
const most = 20;
const claimMs = 10 * minute;
const longestPause = 60 * minute;
/** The end of something so long ago is no news. */
const newsMs = 7 * 24 * 60 * minute;

/**
 * Sends the letters of a workspace that are due to its administrators, and keeps what became of each. One that did not go
 * out is tried again, at ever longer intervals up to an hour. Without SMTP_URL nothing is sent, and nothing is given up.
 */
export async function deliverLetters(
  ctx: Pick<Context, "config" | "db" | "log">,
  workspaceId: number,
  now: Date,
): Promise<void> {
  const { mail } = ctx.config;
  if (!mail) return;
  const until = new Date(now.getTime() + claimMs);
  const letters = await inWorkspace(ctx.db, workspaceId, (trx) => claimLetters(trx, workspaceId, now, until, most));
  if (letters.length === 0) return;
  const people = await readAdministrators(ctx.db, workspaceId);
  let reason: unknown = people.length === 0 ? new Error("There is no administrator to write to.") : null;
  for (const letter of letters) {
    // A server that is away is not waited for letter by letter.
    reason ??= await send(ctx, mail, people, letter, now);
    if (reason !== null) await putOff(ctx, letter, reason, now);
    if (!isAway(reason)) reason = null;
  }
}

/** Null, or why the letter did not go out. */
async function send(
  ctx: Pick<Context, "config" | "db" | "log">,
  mail: NonNullable<Context["config"]["mail"]>,
  people: string[],
  letter: DueLetter,
  now: Date,
): Promise<unknown> {
  try {
    const refused = await sendLetter(mail, people, letterOf(letter, ctx.config.server.publicUrl));
    const failure = refused.length > 0 ? `Not taken for ${refused.join(", ")}.` : null;
    await inWorkspace(ctx.db, letter.workspace_id, (trx) => markSent(trx, letter, now, failure));
    return null;
  } catch (error) {
    return error;
  }
}

async function putOff(ctx: Pick<Context, "db" | "log">, letter: DueLetter, reason: unknown, now: Date): Promise<void> {
  ctx.log.warn({ err: reason, noticeId: letter.id }, "a notice could not be sent by e-mail");
  const failure = concealValues(reason instanceof Error ? reason.message : String(reason)).slice(0, 500);
  const next = nextTry(letter, now);
  await inWorkspace(ctx.db, letter.workspace_id, (trx) => markUnsent(trx, letter, { next, failure }));
}

/** Nobody to write to, or a server that cannot be reached or does not let us in: so it is for the next letter too. */
function isAway(reason: unknown): boolean {
  if (!(reason instanceof Error)) return false;
  const { code } = reason as Error & { code?: unknown };
  return (
    code === undefined ||
    ["ECONNECTION", "ETIMEDOUT", "ESOCKET", "EDNS", "EAUTH", "ECONNREFUSED"].includes(String(code))
  );
}

function nextTry({ mail_attempts: attempts, cleared_at: cleared }: DueLetter, now: Date): Date | null {
  if (cleared && now.getTime() - cleared.getTime() > newsMs) return null;
  return new Date(now.getTime() + Math.min(longestPause, 2 ** Math.min(attempts, 10) * minute));
}
