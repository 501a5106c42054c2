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
  | "held_rows";

export interface FailureWords {
  code: FailureCode;
  /** Names the thing. */
  message: string;
  /** What a person can do about it. */
  action: string;
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
  /** Zendesk's number of the exchange, for its support; the log tells it. */
  readonly zendeskRequestId: string | undefined;

  constructor(
    words: FailureWords & {
      scope: "stream" | "connection";
      about?: "subdomain" | "auth";
      transient?: boolean;
      status?: number;
      said?: string;
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
    this.zendeskRequestId = words.zendeskRequestId;
  }

  words(): FailureWords {
    return { code: this.code, message: this.message, action: this.action };
  }
}

/** Not a failure: Zendesk, or our own pacing, asks to send nothing before `until`, and that is too long to sleep. */
export class WaitNeeded extends Error {
  override readonly name = "WaitNeeded";
  readonly until: Date;

  constructor(until: Date) {
    super(`Waiting until ${until.toISOString()}`);
    this.until = until;
  }
}
