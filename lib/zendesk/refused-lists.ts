import { type FailureCode, ZendeskError } from "#lib/zendesk/failures.ts";

/** What Zendesk said where it would not show one list of a stream that has several. */
export interface Refusal {
  code: FailureCode;
  message: string;
}

/** What a finished reading of several lists may claim, after some of them were refused: nothing, if it is a failure. */
export type Access = "granted" | "not_available" | ZendeskError;

/** Not to be shown at this address: by scope, role or plan (zendesk-api section 1.5). */
export function isRefused(error: unknown): error is ZendeskError {
  return error instanceof ZendeskError && error.scope === "stream" && [403, 404, 410].includes(error.status ?? 0);
}

/** Lists that the credentials may not read fail their stream, whatever the others answer: the plan has nothing to do with it (row 62). */
export function scopeFailure(refused: readonly Refusal[]): ZendeskError | null {
  const missing = refused.filter(({ code }) => code === "missing_scope");
  if (missing.length === 0) return null;
  return failure("missing_scope", missing, 'Give the OAuth client the scope "read", then reconnect.');
}

/** Lists that were read before, or that nothing tells to be missing from the plan. `kept`: what is true of their rows. */
export function accessLost(refused: readonly Refusal[], kept: string): ZendeskError {
  const action =
    "Check in Zendesk that the connected login still is an administrator, and that the plan still includes this data.";
  return failure("forbidden", refused, action, kept);
}

function failure(code: FailureCode, refused: readonly Refusal[], action: string, kept = ""): ZendeskError {
  const message = [...refused.map(({ message }) => message), kept].filter((words) => words !== "").join(" ");
  return new ZendeskError({ code, message, action, scope: "stream", about: "auth", status: 403 });
}
