import type { Db } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** Endpoints that draw from one budget; every one of them also draws from the account's. */
export type Endpoint = "incremental" | "incremental_users" | "list";

/** Where the budgets of one Zendesk account are counted. Asynchronous, so that they may live in a database. */
export interface Limiter {
  /** Milliseconds until a request may be sent; 0 means now, and counts it. */
  take(endpoint: Endpoint): Promise<number>;
  /** Reads the budgets that an answer announces: they replace the documented ones from then on. */
  learn(endpoint: Endpoint, headers: Headers): Promise<void>;
  /** Nothing may be sent for so long. `crude`: refused at the edge, without a word about budgets (row 6). */
  block(milliseconds: number, crude: boolean): Promise<void>;
}
type Headers = Record<string, string | string[] | undefined>;

/** Requests a minute, from Zendesk's documentation, for as long as no answer has announced any. */
const documented: Record<Endpoint | "account", number> = {
  account: 200,
  incremental: 10,
  incremental_users: 20,
  list: Number.POSITIVE_INFINITY,
};

/** The part of every budget that stays with the customer's other tools (row 5). */
const leftToOthers = 0.2;
const windowLength = 60_000;
const hour = 3_600_000;

interface Budget {
  limit: number;
  remaining: number;
  resetAt: number;
  lastTaken: number;
}

export class MemoryLimiter implements Limiter {
  private readonly budgets = new Map<string, Budget>();
  private readonly drawsFrom = new Map<Endpoint, Set<string>>();
  private readonly now: () => number;
  private blockedUntil = 0;
  private slowUntil = 0;

  /** `documentedLimits` false: obey what is announced, and 429, alone (a stand-in that announces nothing has no limits). */
  constructor(options: { documentedLimits: boolean; now?: () => number }) {
    this.now = options.now ?? (() => performance.now());
    if (!options.documentedLimits) return;
    for (const [name, limit] of Object.entries(documented)) {
      if (Number.isFinite(limit)) this.budgets.set(name, { limit, remaining: limit, resetAt: 0, lastTaken: 0 });
    }
    for (const endpoint of ["incremental", "incremental_users"] as const)
      this.drawsFrom.set(endpoint, new Set([endpoint]));
  }

  async take(endpoint: Endpoint): Promise<number> {
    const now = this.now();
    const budgets = this.budgetsOf(endpoint);
    const wait = Math.max(this.blockedUntil - now, 0, ...budgets.map((budget) => this.waitFor(budget, now)));
    if (wait > 0) return wait;
    for (const budget of budgets) {
      budget.remaining--;
      budget.lastTaken = now;
    }
    return 0;
  }

  async learn(endpoint: Endpoint, headers: Headers): Promise<void> {
    const account = announcedForAccount(headers);
    if (account) this.announce("account", account);
    const own = Object.entries(headers).filter(([name]) => name.startsWith("zendesk-ratelimit-"));
    for (const [name, value] of own) {
      const budget = announcedForEndpoint(String(value));
      if (!budget) continue;
      this.announce(name, budget);
      const names = this.drawsFrom.get(endpoint) ?? new Set();
      names.delete(endpoint); // the documented number gives way
      this.drawsFrom.set(endpoint, names.add(name));
    }
  }

  async block(milliseconds: number, crude: boolean): Promise<void> {
    this.blockedUntil = Math.max(this.blockedUntil, this.now() + milliseconds);
    if (crude) this.slowUntil = this.now() + hour;
  }

  private budgetsOf(endpoint: Endpoint): Budget[] {
    const names = ["account", ...(this.drawsFrom.get(endpoint) ?? [])];
    return names.map((name) => this.budgets.get(name)).filter((budget) => budget !== undefined);
  }

  /** The first half of a window goes freely, so that a short run is a quick one; the rest is spread over the time left. */
  private waitFor(budget: Budget, now: number): number {
    if (now >= budget.resetAt) {
      budget.remaining = budget.limit;
      budget.resetAt = now + windowLength;
    }
    const reserved = now < this.slowUntil ? (1 + leftToOthers) / 2 : leftToOthers;
    const spare = budget.remaining - Math.floor(budget.limit * reserved);
    const timeLeft = budget.resetAt - now;
    if (spare <= 0) return timeLeft;
    if (budget.remaining > budget.limit / 2) return 0;
    return Math.max(0, budget.lastTaken + timeLeft / (spare + 1) - now);
  }

  private announce(name: string, told: { limit: number; remaining: number; resets: number | null }): void {
    const now = this.now();
    const known = this.budgets.get(name);
    const kept = known && known.resetAt > now ? known.resetAt : now + windowLength;
    this.budgets.set(name, {
      limit: told.limit,
      remaining: told.remaining,
      resetAt: told.resets === null ? kept : now + told.resets * 1000,
      lastTaken: known?.lastTaken ?? now,
    });
  }
}

/** `ratelimit-*`, its older spelling `rate-limit*`, or the legacy pair `x-rate-limit*`. */
function announcedForAccount(headers: Headers): { limit: number; remaining: number; resets: number | null } | null {
  const read = (...names: string[]) =>
    names.map((name) => natural(headers[name])).find((value) => value !== null) ?? null;
  const limit = read("ratelimit-limit", "rate-limit", "rate-limit-limit", "x-rate-limit");
  const remaining = read("ratelimit-remaining", "rate-limit-remaining", "x-rate-limit-remaining");
  if (limit === null || limit === 0) return null;
  return { limit, remaining: remaining ?? limit, resets: read("ratelimit-reset", "rate-limit-reset") };
}

/** `total=100; remaining=99; resets=49` */
function announcedForEndpoint(value: string): { limit: number; remaining: number; resets: number | null } | null {
  const parts = new Map(value.split(";").map((part) => part.trim().split("=") as [string, string]));
  const limit = natural(parts.get("total"));
  if (limit === null || limit === 0) return null;
  return { limit, remaining: natural(parts.get("remaining")) ?? limit, resets: natural(parts.get("resets")) };
}

function natural(value: string | string[] | undefined): number | null {
  return typeof value === "string" && /^\d{1,9}$/.test(value.trim()) ? Number(value) : null;
}

const limitersOfProcess = new WeakMap<Db, Map<string, Limiter>>();

/**
 * The limiter of a connection: every client of this process counts on the same one. It lives with the context's
 * database handle, holds numbers only, and one process at a time holds a connection's lease.
 */
export function limiterOf(db: Db, scope: Scope, options: { documentedLimits: boolean }): Limiter {
  const limiters = limitersOfProcess.get(db) ?? new Map<string, Limiter>();
  limitersOfProcess.set(db, limiters);
  const key = `${scope.workspaceId}:${scope.connectionId}`;
  const limiter = limiters.get(key) ?? new MemoryLimiter(options);
  limiters.set(key, limiter);
  return limiter;
}
