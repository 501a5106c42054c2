import type pg from "pg";
import { type Db, openDatabase } from "#db/client.ts";
import type { Zendesk } from "#test/support/zendesk/start.ts";
import { HOUR } from "#test/support/zendesk/world/clock.ts";
import type { ChaosAccount } from "./accounts.ts";
import type { Bustle } from "./bustle.ts";
import type { Canary } from "./canary.ts";
import type { Chronicle } from "./chronicle.ts";
import { ahead } from "./invariants/ahead.ts";
import { BoundWatch } from "./invariants/bound.ts";
import { BudgetWatch } from "./invariants/budget.ts";
import { converged } from "./invariants/converged.ts";
import { cursor } from "./invariants/cursor.ts";
import { falseAlarms, honest, oldestFreshness, successes } from "./invariants/honest.ts";
import { fresh, isolated } from "./invariants/isolation.ts";
import { metrics, metricsOfStored } from "./invariants/metric.ts";
import { oneWebhook } from "./invariants/once.ts";
import { phantomRows, rowTurns } from "./invariants/phantom.ts";
import { secret } from "./invariants/secret.ts";
import type { Past } from "./past.ts";
import type { Spells } from "./spells.ts";
import type { SimulatedTime } from "./time.ts";
import { Violations } from "./violation.ts";

interface Inspected {
  url: string;
  owner: pg.Client;
  chronicle: Chronicle;
  accounts: readonly ChaosAccount[];
  bustles: ReadonlyMap<string, Bustle>;
  pasts: ReadonlyMap<ChaosAccount, Past>;
  spells: Spells;
  time: SimulatedTime;
  zendesk: Zendesk;
  canary: Canary;
  lines: readonly string[];
  skew: number;
  /** When a process or the database last failed. */
  disturbedAt: () => number;
  killedAt: ReadonlySet<number>;
  /** Hears of each violation at once. */
  tell: (line: string) => void;
  /** Hears what the product's log is for. */
  hear: (line: string) => void;
}

/** Holds every invariant against what is stored, claimed, logged and sent. */
export class Inspector {
  readonly violations: Violations;
  private readonly db: Db;
  private readonly bounds = new BoundWatch();
  private readonly budget: BudgetWatch;
  private readonly lastRun = new Map<ChaosAccount, string>();
  private readonly signedInAt = new Map<ChaosAccount, number>();
  private readonly loginLostAt = new Map<ChaosAccount, number>();
  private readonly begun: number;

  constructor(private readonly of: Inspected) {
    this.begun = of.time.now();
    this.violations = new Violations(of.time.clock, of.tell);
    this.db = openDatabase(of.url, { poolSize: 1, applicationName: "chaos-inspector" }).db;
    const accountOf = (subdomain: string) => of.accounts.find((account) => account.subdomain === subdomain);
    this.budget = new BudgetWatch(
      of.zendesk,
      of.time,
      (subdomain) => {
        const account = accountOf(subdomain);
        return account !== undefined && of.spells.since(account, of.time.now() - HOUR, ["a hungry neighbour"]);
      },
      of.disturbedAt,
    );
  }

  async install(): Promise<void> {
    await this.of.chronicle.install();
  }

  async close(): Promise<void> {
    await this.db.destroy();
  }

  /** A person has signed in: what the login asks for from now on is news. */
  signedIn(account: ChaosAccount): void {
    this.signedInAt.set(account, this.of.time.now());
  }

  async asksForPerson(account: ChaosAccount): Promise<boolean> {
    const { rows } = await this.of.owner.query<{ code: string | null; state: string }>(
      "select failure_code as code, state from connection where workspace_id = $1 and id = $2",
      [account.scope.workspaceId, account.scope.connectionId],
    );
    return ["credentials_rejected", "reconnect"].includes(rows[0]?.code ?? "");
  }

  /** During the run: nothing that is stored, claimed or sent at this moment violates anything. */
  async inspect(): Promise<void> {
    const { of, violations } = this;
    violations.add(cursor(await of.chronicle.moves(), of.accounts));
    const wasPoisoned = (account: ChaosAccount, table: string, id: string) => {
      const kind = { ticket: "ticket", zendesk_user: "user", organization: "organization" }[table];
      return of.bustles.get(account.subdomain)?.everPoisoned.has(`${kind}:${id}`) ?? false;
    };
    violations.add(rowTurns(await of.chronicle.rowEvents(), of.accounts, of.pasts, wasPoisoned));
    for (const account of of.accounts) {
      const fresh = violations.add(await this.inspectAccount(account));
      if (fresh.some(({ invariant }) => invariant === "INV-HONEST")) await this.tellPast(account);
    }
    for (const workspaceId of new Set(of.accounts.map(({ scope }) => scope.workspaceId))) {
      violations.add(await metricsOfStored(this.db, workspaceId, ofWorkspace(of.accounts, workspaceId)));
    }
    violations.add(this.budget.violations.splice(0));
    violations.add(await this.bounds.check(of.owner, of.accounts.length));
  }

  /** After the calm. */
  async conclude(now: Date): Promise<void> {
    const { of, violations } = this;
    for (const account of of.accounts) violations.add(await converged(this.db, account));
    for (const workspaceId of new Set(of.accounts.map(({ scope }) => scope.workspaceId))) {
      violations.add(await metrics(this.db, workspaceId, ofWorkspace(of.accounts, workspaceId), now));
    }
    for (const account of of.accounts) violations.add(oneWebhook(account));
    await this.inspectSecrets();
  }

  async anyRunLives(): Promise<boolean> {
    const { rows } = await this.of.owner.query(
      "select from sync_run where state in ('queued', 'running', 'waiting') limit 1",
    );
    return rows.length > 0;
  }

  async inspectSecrets(): Promise<void> {
    const { owner, accounts, lines, canary } = this.of;
    this.violations.add(await secret(owner, accounts, lines, canary));
  }

  progress(faults: number): string {
    return `${this.of.zendesk.journal.entries.length} requests, ${faults} faults, ${this.violations.found.length} violations`;
  }

  async counts() {
    const { rows: runs } = await this.of.owner.query<{ state: string; count: number }>(
      "select state, count(*)::int as count from sync_run group by state order by state",
    );
    const { rows: sums } = await this.of.owner.query<{ pages: number; repaired: number }>(
      "select coalesce(sum(pages), 0)::int as pages, coalesce(sum(repaired), 0)::int as repaired from sync_run_stream",
    );
    const spells: Record<string, number> = {};
    for (const { kind } of this.of.spells.past) spells[kind] = (spells[kind] ?? 0) + 1;
    return {
      runs: Object.fromEntries(runs.map(({ state, count }) => [state, count])),
      pages: sums[0]?.pages ?? 0,
      repaired: sums[0]?.repaired ?? 0,
      refusals: this.budget.refusals,
      silences: this.budget.silences,
      excused: this.budget.excused,
      spells,
      peakMiB: Math.round(this.bounds.peak / 2 ** 20),
    };
  }

  /** What led to a claim, for the product's log: every move of a place, and every exchange, of the last two hours. */
  private async tellPast({ subdomain, scope, world }: ChaosAccount): Promise<void> {
    const { rows } = await this.of.owner.query<{ stream: string; purpose: string; is_now: object; writer: string }>(
      `select stream, purpose, is_now, writer from chaos.move where connection_id = $1 order by n desc limit 80`,
      [scope.connectionId],
    );
    for (const move of rows.reverse()) this.of.hear(`${JSON.stringify({ subdomain, move })}\n`);
    const since = world.now() - 2 * HOUR;
    const exchanges = this.of.zendesk.journal.entries.filter(
      (entry) => entry.subdomain === subdomain && (entry.worldAt ?? 0) >= since,
    );
    for (const { worldAt, path, query, status, faults } of exchanges) {
      const at = new Date(worldAt ?? 0).toISOString();
      this.of.hear(`${JSON.stringify({ subdomain, at, path, query, status, faults })}\n`);
    }
  }

  private async inspectAccount(account: ChaosAccount) {
    const { of, db } = this;
    const now = of.time.now();
    const { last, violations } = await successes(db, account, this.lastRun.get(account) ?? "0", of.skew);
    this.lastRun.set(account, last);
    const hidden = of.pasts.get(account)?.hiddenTickets ?? new Set();
    const poisoned = of.bustles.get(account.subdomain)?.poisoned ?? new Map();
    const unfindable = (since: number) => of.spells.since(account, since, ["rows not found by id"]);
    const found = [
      ...violations,
      ...(await honest(db, account, { poisoned, hidden, unfindable })),
      ...(await phantomRows(db, account)),
      ...(await isolated(db, account)),
    ];
    if (!of.spells.since(account, now - 3 * HOUR, ["role downgraded", "another account answers"])) {
      found.push(...(await ahead(db, account, of.skew, hidden)));
    }
    found.push(...(await falseAlarms(db, account, this.isLoginGood(account))));
    const isQuiet = now - this.begun > 2 * oldestFreshness && !of.spells.since(account, now - oldestFreshness);
    if (isQuiet) found.push(...(await fresh(db, account, now, oldestFreshness)));
    return found;
  }

  /** No refresh was lost, on its way or with the process that had asked for it, and nobody else stood behind the address since the last signing in. */
  private isLoginGood(account: ChaosAccount): boolean {
    const { of } = this;
    const lost = of.zendesk.journal.entries.findLast(
      ({ subdomain, faults, path, worldAt }) =>
        subdomain === account.subdomain &&
        (faults.some((label) => label.startsWith("lost refreshes")) ||
          (path === "/oauth/tokens" && worldAt !== null && of.killedAt.has(worldAt))),
    );
    if (lost?.worldAt != null) this.loginLostAt.set(account, lost.worldAt);
    const since = this.signedInAt.get(account) ?? 0;
    if ((this.loginLostAt.get(account) ?? -1) >= since) return false;
    return !of.spells.since(account, Math.max(since, of.time.now() - 6 * HOUR), [
      "another account answers",
      "not reachable",
    ]);
  }
}

function ofWorkspace(accounts: readonly ChaosAccount[], workspaceId: number): ChaosAccount[] {
  return accounts.filter(({ scope }) => scope.workspaceId === workspaceId);
}
