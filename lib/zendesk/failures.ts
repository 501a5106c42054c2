import { instantWords } from "#lib/time-words.ts";

/** Names of what can go wrong between us and a Zendesk account. */
export type FailureCode =
  | "bad_subdomain"
  | "unknown_subdomain"
  | "not_zendesk"
  | "account_moved"
  | "different_account"
  | "credentials_rejected"
  | "reconnect"
  | "not_administrator"
  | "missing_scope"
  | "forbidden"
  | "not_found"
  | "rejected"
  | "unavailable"
  | "unreachable"
  | "outcome_unknown"
  | "too_large"
  | "protocol"
  | "crowded_second"
  | "many_missing"
  | "role_changed"
  | "empty_listing"
  | "held_rows"
  | "missing_metrics";

export interface FailureWords {
  code: FailureCode;
  /** Names the thing. */
  message: string;
  /** What a person can do about it. */
  action: string;
}

/** What Zendesk says about one field of a write that it refuses; `base` is the object as a whole. `error` is its own code. */
export interface FieldWords {
  field: string;
  description: string;
  error: string;
}

/**
 * An answer, or the lack of one, that ends a stream or the whole connection's reading. `transient`: the next run may simply
 * try again; otherwise a person has to act. `about` tells which entry of a connection form is wrong.
 */
export class ZendeskError extends Error {
  override readonly name = "ZendeskError";
  readonly code: FailureCode;
  readonly action: string;
  readonly scope: "stream" | "connection";
  readonly about: "subdomain" | "auth" | undefined;
  readonly transient: boolean;
  readonly status: number | undefined;
  /** Zendesk's own words. */
  readonly said: string;
  /** Zendesk's own words by field, where it refuses a write (422). */
  readonly details: readonly FieldWords[];
  /** Zendesk's number of the exchange, for its support; the log tells it. */
  readonly zendeskRequestId: string | undefined;

  constructor(
    words: FailureWords & {
      scope: "stream" | "connection";
      about?: "subdomain" | "auth";
      transient?: boolean;
      status?: number;
      said?: string;
      details?: readonly FieldWords[];
      zendeskRequestId?: string | undefined;
      cause?: unknown;
    },
  ) {
    super(words.message, words.cause === undefined ? undefined : { cause: words.cause });
    this.code = words.code;
    this.action = words.action;
    this.scope = words.scope;
    this.about = words.about;
    this.transient = words.transient ?? false;
    this.status = words.status;
    this.said = words.said ?? "";
    this.details = words.details ?? [];
    this.zendeskRequestId = words.zendeskRequestId;
  }

  words(): FailureWords {
    return { code: this.code, message: this.message, action: this.action };
  }
}

/** Zendesk does not take a place in its lists any more, or never has (row 15). */
export function isPlaceRefused(error: unknown): boolean {
  const isOfStream = error instanceof ZendeskError && error.scope === "stream";
  return isOfStream && [400, 404, 410, 422].includes(error.status ?? 0);
}

/** Zendesk says by name that what was asked for is not there; another 404 is about the address (row 30). */
export function isMissing(error: unknown): boolean {
  const isOfStream = error instanceof ZendeskError && error.scope === "stream";
  return isOfStream && error.status === 404 && /RecordNotFound/i.test(error.said);
}

/** Not a failure: Zendesk, or our own pacing, asks to send nothing before `until`, and that is too long to sleep. */
export class WaitNeeded extends Error {
  override readonly name = "WaitNeeded";
  readonly until: Date;

  constructor(until: Date) {
    super(`Waiting until ${instantWords(until)}`);
    this.until = until;
  }
}
