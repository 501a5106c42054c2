import type { Answer } from "./answer.ts";

/** Requests a window. Leave one out for the documented number. */
export interface LimitOptions {
  /** The whole account. Default 700. */
  account?: number;
  /** All incremental exports but the users' cursor export. Default 10. */
  incremental?: number;
  /** The users' cursor export. Default 20. */
  usersCursor?: number;
  /** Default one minute. */
  windowMilliseconds?: number;
  /** Multiplies all of them. */
  multiplier?: number;
  /** Default: time as it passes, because clients wait in it. Milliseconds. */
  now?: () => number;
}

export type BucketName = "account" | "incremental" | "usersCursor";

interface Window {
  used: number;
  endsAt: number;
}

const endpointHeaders = {
  incremental: "zendesk-ratelimit-incremental-exports",
  usersCursor: "zendesk-ratelimit-incremental-exports-cursor",
} as const;

/** The budgets of all accounts. */
export class RateLimits {
  private readonly windows = new Map<string, Window>();
  private readonly totals: Record<BucketName, number>;
  private readonly length: number;
  private readonly now: () => number;

  constructor(options: LimitOptions) {
    const { account = 700, incremental = 10, usersCursor = 20, multiplier = 1 } = options;
    this.totals = {
      account: account * multiplier,
      incremental: incremental * multiplier,
      usersCursor: usersCursor * multiplier,
    };
    this.length = options.windowMilliseconds ?? 60_000;
    this.now = options.now ?? (() => performance.now());
  }

  /** Counts a request: the headers to announce, and the 429 when a budget is used up. */
  take(subdomain: string, path: string): { headers: Record<string, string>; refused: Answer | null } {
    const account = this.spend(subdomain, "account", 1);
    const headers = this.accountHeaders(account);
    if (account.used > this.totals.account) return { headers, refused: this.refuseAccount(account) };
    const endpoint = endpointOf(path);
    if (endpoint === null) return { headers, refused: null };
    const window = this.spend(subdomain, endpoint, 1);
    const remaining = Math.max(0, this.totals[endpoint] - window.used);
    headers[endpointHeaders[endpoint]] =
      `total=${this.totals[endpoint]}; remaining=${remaining}; resets=${this.secondsLeft(window)}`;
    const over = window.used > this.totals[endpoint];
    return { headers, refused: over ? this.refuseExport(window, this.totals[endpoint]) : null };
  }

  /** Another client of the account uses up `count` requests of the current window. */
  neighbour(subdomain: string, bucket: BucketName, count: number): void {
    this.spend(subdomain, bucket, count);
  }

  private spend(subdomain: string, bucket: BucketName, count: number): Window {
    const key = `${subdomain}:${bucket}`;
    const now = this.now();
    let window = this.windows.get(key);
    if (window === undefined || window.endsAt <= now) {
      window = { used: 0, endsAt: now + this.length };
      this.windows.set(key, window);
    }
    window.used += count;
    return window;
  }

  private accountHeaders(window: Window): Record<string, string> {
    const total = String(this.totals.account);
    const remaining = String(Math.max(0, this.totals.account - window.used));
    return {
      "x-rate-limit": total,
      "x-rate-limit-remaining": remaining,
      "ratelimit-limit": total,
      "ratelimit-remaining": remaining,
      "ratelimit-reset": String(this.secondsLeft(window)),
    };
  }

  private refuseAccount(window: Window): Answer {
    return {
      status: 429,
      headers: { "retry-after": String(this.secondsLeft(window)) },
      contentType: "text/plain; charset=utf-8",
      text: "Number of allowed API requests per minute exceeded",
    };
  }

  private refuseExport(window: Window, total: number): Answer {
    return {
      status: 429,
      headers: { "retry-after": String(this.secondsLeft(window)) },
      json: {
        error: "APIRateLimitExceeded",
        description: `Number of allowed incremental export API requests per minute exceeded (${total})`,
      },
    };
  }

  private secondsLeft(window: Window): number {
    return Math.max(1, Math.ceil((window.endsAt - this.now()) / 1000));
  }
}

function endpointOf(path: string): keyof typeof endpointHeaders | null {
  if (path === "/api/v2/incremental/users/cursor") return "usersCursor";
  return path.startsWith("/api/v2/incremental/") ? "incremental" : null;
}
