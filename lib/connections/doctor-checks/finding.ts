import type { StoredConnection } from "#lib/connections/load.ts";
import type { DoctorCheck, StreamName } from "#lib/connections/shapes.ts";
import { streamTitles } from "#lib/connections/shapes.ts";
import type { DoctorFacts } from "#lib/connections/store/doctor.ts";
import type { Context } from "#lib/context.ts";
import { instantWords } from "#lib/time-words.ts";
import type { ZendeskClient } from "#lib/zendesk/client.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import type { Identity } from "#lib/zendesk/identity.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

export type StreamCheck = `stream:${StreamName}`;
const streamChecks = Object.fromEntries(
  Object.entries(streamTitles).map(([name, title]) => [`stream:${name}`, title]),
) as Record<StreamCheck, string>;

/** Every check, in the order of the report. */
export const checkTitles = {
  address: "Address",
  login: "Login and role",
  credentials: "Credentials",
  scopes: "Access granted",
  ...streamChecks,
  csat: "Satisfaction system",
  rate_limits: "Rate limits",
  webhook: "Webhook",
  clock: "Clocks",
  schedule: "Schedule",
  database: "Database",
  mail: "Notices by e-mail",
};
export type CheckKey = keyof typeof checkTitles;
export const checkKeys = Object.keys(checkTitles) as CheckKey[];

/** What one check found: in words and numbers, and what to do about it. */
export type Finding = Pick<DoctorCheck, "state" | "found" | "action"> & { key: CheckKey };

/** What the checks of one examination share. */
export interface Visit {
  ctx: Pick<Context, "config" | "db" | "log">;
  scope: Scope;
  connection: StoredConnection;
  facts: DoctorFacts;
  now: Date;
  /** Aborted: what was not answered by then is not known. */
  over: AbortSignal;
  /** After so many milliseconds. */
  patienceMs: number;
}

/** A visit on which Zendesk answers. `identity` null: it does not tell who is signed in. */
export interface LiveVisit extends Visit {
  client: ZendeskClient;
  identity: Identity | null;
}

export const ok = (key: CheckKey, found: string): Finding => ({ key, state: "ok", found, action: null });
export const unknown = (key: CheckKey, found: string): Finding => ({ key, state: "unknown", found, action: null });
export const warning = (key: CheckKey, found: string, action: string): Finding => ({
  key,
  state: "warning",
  found,
  action,
});
export const failure = (key: CheckKey, found: string, action: string): Finding => ({
  key,
  state: "failure",
  found,
  action,
});

/** Why something could not be tried, or null for a failure that says something about what was tried. */
export function untried(error: unknown, { over }: Pick<Visit, "over">): string | null {
  if (over.aborted) return "Not known: no answer came in time.";
  if (error instanceof WaitNeeded) return `Not tried: nothing may be sent before ${instantWords(error.until)}.`;
  if (error instanceof ZendeskError) return error.transient ? `Not known: ${error.message}` : null;
  return "Not known: this check itself failed; the log says more.";
}
