import type { Db, Trx } from "#db/client.ts";
import { announcements } from "#lib/zendesk/announcements.ts";
import {
  announced,
  apiOf,
  type Budget,
  bucketsOf,
  documentedBudget,
  type Endpoint,
  exhausted,
  isPerTarget,
  isReplaced,
  longestSilence,
  taken,
  waitFor,
} from "#lib/zendesk/budgets.ts";
import {
  type AccountState,
  deleteBudgets,
  deleteOldTargets,
  findAccount,
  listBudgets,
  lockAccount,
  readBudgetsFor,
  saveAccount,
  saveBudgets,
} from "#lib/zendesk/store/budgets.ts";

export type { Endpoint } from "#lib/zendesk/budgets.ts";

/** Whether a request may be sent. */
export interface Turn {
  /** Milliseconds; 0 means now, and the request is counted. */
  wait: number;
  /** When it was asked, by the clock that all processes share: the database's. */
  at: Date;
  /** What is waited for: a budget, or the end of the silence that Zendesk asked for. */
  reason?: "budget" | "told";
}

/** Where the budgets of one Zendesk account are counted. `target` is the ticket, organization or user that a request changes. */
export interface Limiter {
  take(endpoint: Endpoint, target?: string): Promise<Turn>;
  /** Reads the budgets that an answer announces: they replace the documented ones from then on. */
  learn(endpoint: Endpoint, headers: Headers, target?: string): Promise<void>;
  /**
   * Nothing may be sent for so long to the API that the endpoint belongs to. `crude`: refused at the edge, without a word about
   * budgets (row 6): then to none of the account.
   */
  block(milliseconds: number, crude: boolean, endpoint: Endpoint): Promise<void>;
}
type Headers = Record<string, string | string[] | undefined>;

const hour = 3_600_000;

/**
 * For a client that asks an account who is signed in: it waits for no turn, but sends nothing while the account asks for
 * silence, and tells the others of it. Nothing is kept of an address at which no account answers. What it sent is counted as
 * ours as soon as an answer tells of a budget.
 */
export function withoutTurns(limiter: DatabaseLimiter): Limiter {
  return {
    take: async () => {
      const turn = await limiter.silence();
      if (turn.wait === 0) limiter.sent();
      return turn;
    },
    learn: (endpoint, headers, target) => limiter.learn(endpoint, headers, target),
    block: (milliseconds, crude, endpoint) => limiter.blockKnown(milliseconds, crude, endpoint),
  };
}

/**
 * The budgets of one Zendesk account in the database: one for every process, connection and workspace that reads it (row 4). Each
 * call is a short transaction under the account's row lock; no isolation beyond read committed is relied on (row 83).
 */
export class DatabaseLimiter implements Limiter {
  private readonly db: Db;
  private readonly account: string;
  private readonly documentedLimits: boolean;
  private readonly clock: (() => Date) | null;
  /** Requests of ours that no budget has counted yet. */
  private uncounted = 0;

  /**
   * `account`: its base address. `documentedLimits` false: obey what is announced, and 429, alone (a stand-in that announces
   * nothing has no limits). `clock` null: the database's, since those of the processes differ (row 47).
   */
  constructor(db: Db, account: string, options: { documentedLimits: boolean; clock: (() => Date) | null }) {
    this.db = db;
    this.account = account;
    this.documentedLimits = options.documentedLimits;
    this.clock = options.clock;
  }

  take(endpoint: Endpoint, target?: string): Promise<Turn> {
    return this.alone(async (trx) => {
      const state = await lockAccount(trx, this.account);
      const names = bucketsOf(endpoint, target);
      const { known, at } = await readBudgetsFor(trx, this.account, names, endpoint);
      const now = this.now(at);
      const budgets = this.drawnOn(names, endpoint, known, now);
      const slow = left(state.slowUntil, now, hour) > 0;
      const isOfAccount = apiOf(endpoint) === "account";
      const silence = isOfAccount || slow ? left(state.blockedUntil, now, longestSilence) : 0;
      const wait = Math.max(silence, ...budgets.map((budget) => waitFor(budget, now, slow)));
      if (wait > 0) return { wait, at, reason: wait === silence ? "told" : "budget" };
      if (budgets.length === 0 && isOfAccount) this.sent();
      const isNewTarget = budgets.some(({ bucket }) => isPerTarget(bucket) && !known.some((b) => b.bucket === bucket));
      if (isNewTarget) await deleteOldTargets(trx, this.account, new Date(now));
      await saveBudgets(
        trx,
        this.account,
        budgets.map((budget) => taken(budget, now)),
      );
      return { wait: 0, at };
    });
  }

  async learn(endpoint: Endpoint, headers: Headers, target?: string): Promise<void> {
    const told = announcements(headers, target, apiOf(endpoint));
    if (told.size === 0) return;
    await this.alone(async (trx) => {
      await lockAccount(trx, this.account);
      const names = bucketsOf(endpoint, target);
      const { known, at } = await readBudgetsFor(trx, this.account, [...names, ...told.keys()], endpoint);
      const now = this.now(at);
      const find = (bucket: string) => known.find((budget) => budget.bucket === bucket);
      const documented = known.find(({ bucket }) => isReplaced(bucket, endpoint, [{ drawnBy: [endpoint] }]));
      const learnt = [...told].map(([bucket, said]) =>
        announced(
          find(bucket) ?? (isPerTarget(bucket) ? undefined : documented),
          bucket,
          said,
          endpoint,
          now,
          bucket === "account" ? this.uncounted : 0,
        ),
      );
      if (told.has("account")) this.uncounted = 0;
      await saveBudgets(trx, this.account, learnt);
      const gone = names.filter((name) => find(name) && !told.has(name) && isReplaced(name, endpoint, learnt));
      await deleteBudgets(trx, this.account, gone);
    });
  }

  /** A request that asked for no turn, such as one for a token: whoever holds the connection's row must not wait for others. */
  sent(): void {
    this.uncounted++;
  }

  /** Counts what was `sent` where no answer that tells of the budget is to follow. Keeps nothing of an account not known yet. */
  async countSent(): Promise<void> {
    if (this.uncounted === 0 || !(await findAccount(this.db, this.account))) return;
    await this.alone(async (trx) => {
      await lockAccount(trx, this.account);
      const { known, at } = await readBudgetsFor(trx, this.account, ["account"], "list");
      let budget = known.find(({ bucket }) => bucket === "account");
      for (; budget && this.uncounted > 0; this.uncounted--) budget = taken(budget, this.now(at));
      if (budget) await saveBudgets(trx, this.account, [budget]);
    });
  }

  /** How long the account has asked for silence, whatever its budgets hold. */
  silence(): Promise<Turn> {
    return this.alone(async (trx) => {
      const { at } = await readBudgetsFor(trx, this.account, [], "list");
      const blockedUntil = (await findAccount(trx, this.account))?.blockedUntil ?? null;
      return { wait: left(blockedUntil, this.now(at), longestSilence), at, reason: "told" };
    });
  }

  /** As `block`, unless nobody knows the account yet. */
  async blockKnown(milliseconds: number, crude: boolean, endpoint: Endpoint): Promise<void> {
    if (await findAccount(this.db, this.account)) await this.block(milliseconds, crude, endpoint);
  }

  block(milliseconds: number, crude: boolean, endpoint: Endpoint): Promise<void> {
    return this.alone(async (trx) => {
      const state = await lockAccount(trx, this.account);
      const api = apiOf(endpoint);
      const { known, at } = await readBudgetsFor(trx, this.account, [api], endpoint);
      const now = this.now(at);
      if (api !== "account" && !crude) {
        const budget = known.find(({ bucket }) => bucket === api) ?? documentedBudget(api, now);
        return saveBudgets(trx, this.account, [exhausted(budget, now, milliseconds)]);
      }
      const wait = Math.max(milliseconds, left(state.blockedUntil, now, longestSilence));
      const slow = crude ? hour : left(state.slowUntil, now, hour);
      await saveAccount(trx, this.account, {
        blockedUntil: new Date(now + wait),
        slowUntil: slow > 0 ? new Date(now + slow) : null,
      });
    });
  }

  /** The row lock alone keeps the count. */
  private alone<T>(work: (trx: Trx) => Promise<T>): Promise<T> {
    return this.db.transaction().execute(work);
  }

  private now(at: Date): number {
    return (this.clock ? this.clock() : at).getTime();
  }

  private drawnOn(names: string[], endpoint: Endpoint, known: Budget[], now: number): Budget[] {
    // Of what was not announced there is one only to be silent for a while.
    if (!this.documentedLimits) return known.filter(({ announced, resetAt }) => announced || resetAt > now);
    const missing = names.filter(
      (name) => !known.some(({ bucket }) => bucket === name) && !isReplaced(name, endpoint, known),
    );
    return [...known, ...missing.map((name) => documentedBudget(name, now))];
  }
}

/** A budget as a person is shown it: `limit - remaining - used` is what others took in the window that ends at `resetAt`. */
export interface BudgetShown {
  bucket: string;
  limit: number;
  remaining: number;
  used: number;
  resetAt: Date;
}

/** What is known of an account's budgets. Those whose `resetAt` has passed were of a former window. */
export async function readBudgets(db: Db, account: string): Promise<AccountState & { budgets: BudgetShown[] }> {
  const state = await findAccount(db, account);
  return {
    blockedUntil: state?.blockedUntil ?? null,
    slowUntil: state?.slowUntil ?? null,
    budgets: await listBudgets(db, account),
  };
}

/** What is left of a time, unless it is longer than it can be. */
function left(until: Date | null, now: number, longest: number): number {
  const rest = until ? until.getTime() - now : 0;
  return rest > 0 && rest <= longest + 60_000 ? rest : 0;
}
