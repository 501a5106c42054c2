import type { Answer } from "./answer.ts";
import { type Draw, drawsOf } from "./limit-draws.ts";
import type { ApiRequest } from "./request.ts";

/** Requests a window. Leave one out for the documented number. */
export interface LimitOptions {
  /** The whole account. Default 700. */
  account?: number;
  /** All incremental exports but the users' cursor export. Default 10. */
  incremental?: number;
  /** The users' cursor export. Default 20. */
  usersCursor?: number;
  /** Updates of tickets, all together. Default 100. */
  ticketUpdates?: number;
  /** Updates of one ticket in ten minutes. Default 30. */
  perTicket?: number;
  /** Updates of one user. Default 5. */
  perUser?: number;
  /** Users created or updated, in a second. Default 1. */
  userUpserts?: number;
  /** Updates of one organization. Default 5. */
  perOrganization?: number;
  /** Customer events and profiles, which the account's budget does not count. Default 500. */
  sunshine?: number;
  /** Default one minute. */
  windowMilliseconds?: number;
  /** Multiplies all of them. */
  multiplier?: number;
  /** Default: time as it passes, because clients wait in it. Milliseconds. */
  now?: () => number;
}

export type BucketName = keyof typeof documented;

const documented = {
  account: 700,
  incremental: 10,
  usersCursor: 20,
  ticketUpdates: 100,
  perTicket: 30,
  perUser: 5,
  userUpserts: 1,
  perOrganization: 5,
  sunshine: 500,
};

interface Window {
  used: number;
  endsAt: number;
}

/** The budgets of all accounts. */
export class RateLimits {
  private readonly windows = new Map<string, Window>();
  private readonly totals: Record<BucketName, number>;
  private readonly length: number;
  private readonly now: () => number;

  constructor(options: LimitOptions) {
    const { multiplier = 1 } = options;
    const names = Object.keys(documented) as BucketName[];
    const totals = names.map((name) => [name, (options[name] ?? documented[name]) * multiplier] as const);
    this.totals = Object.fromEntries(totals) as Record<BucketName, number>;
    this.length = options.windowMilliseconds ?? 60_000;
    this.now = options.now ?? (() => performance.now());
  }

  /** Counts a request: the headers to announce, and the 429 when a budget is used up. */
  take(request: ApiRequest): { headers: Record<string, string>; refused: Answer | null } {
    const headers: Record<string, string> = {};
    for (const draw of drawsOf(request)) {
      const total = this.totals[draw.bucket];
      const window = this.spend(request.subdomain, draw, 1);
      Object.assign(headers, this.announced(draw, window));
      if (window.used <= total) continue;
      const refused = {
        ...draw.refusal(total),
        status: 429,
        headers: { "retry-after": String(this.secondsLeft(window)) },
      };
      return { headers, refused };
    }
    return { headers, refused: null };
  }

  /** Another client of the account uses up `count` requests of the current window. */
  neighbour(subdomain: string, bucket: BucketName, count: number): void {
    this.spend(subdomain, { bucket }, count);
  }

  private spend(subdomain: string, draw: Pick<Draw, "bucket" | "target" | "minutes">, count: number): Window {
    const { bucket, target = "", minutes = 1 } = draw;
    const key = `${subdomain}:${bucket}:${target}`;
    const now = this.now();
    let window = this.windows.get(key);
    if (window === undefined || window.endsAt <= now) {
      window = { used: 0, endsAt: now + this.length * minutes };
      this.windows.set(key, window);
    }
    window.used += count;
    return window;
  }

  private announced({ bucket, header }: Draw, window: Window): Record<string, string> {
    const total = this.totals[bucket];
    const remaining = Math.max(0, total - window.used);
    const resets = this.secondsLeft(window);
    if (header !== undefined) return { [header]: `total=${total}; remaining=${remaining}; resets=${resets}` };
    if (bucket !== "account") return {};
    return {
      "x-rate-limit": String(total),
      "x-rate-limit-remaining": String(remaining),
      "ratelimit-limit": String(total),
      "ratelimit-remaining": String(remaining),
      "ratelimit-reset": String(resets),
    };
  }

  private secondsLeft(window: Window): number {
    return Math.max(1, Math.ceil((window.endsAt - this.now()) / 1000));
  }
}
