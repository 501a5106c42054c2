import type { Zendesk } from "#test/support/zendesk/start.ts";
import { MINUTE, SECOND } from "#test/support/zendesk/world/clock.ts";
import type { SimulatedTime } from "../time.ts";
import type { Violation } from "../violation.ts";

/** Longest wait that the product lets itself be told. */
const longestTold = 15 * MINUTE;

/** INV-BUDGET: never above the limits, and silence until the time that a refusal named. */
export class BudgetWatch {
  readonly violations: Violation[] = [];
  refusals = 0;
  /** Times that the product was told to wait, and requests within such a wait that a disturbance may excuse. */
  silences = 0;
  excused = 0;
  private readonly silentUntil = new Map<string, { since: number; until: number; why: string }>();
  /** Instants of refusals by the budgets themselves, an account's own. */
  private readonly refused = new Map<string, number[]>();

  constructor(
    private readonly zendesk: Zendesk,
    private readonly time: SimulatedTime,
    isNeighbourHungry: (subdomain: string) => boolean,
    private readonly disturbedAt: () => number,
  ) {
    zendesk.faults.before({ path: "/api/v2/" }, ({ subdomain, path }) => this.sent(subdomain, path));
    zendesk.faults.after({ path: "/api/v2/" }, ({ subdomain, path }, { status, headers, json }) => {
      if ((status !== 429 && status !== 503) || !this.arrives(subdomain, path)) return;
      this.told(subdomain, String(headers?.["retry-after"] ?? ""), `${status} for ${path}`);
      const own = /allowed incremental export API requests per minute exceeded \(\d+\)/.test(
        JSON.stringify(json ?? ""),
      );
      if (own && !isNeighbourHungry(subdomain)) this.exceeded(subdomain);
    });
  }

  /** An answer that was lost on its way told nobody anything. */
  private arrives(subdomain: string, path: string): boolean {
    const entry = this.zendesk.journal.entries.findLast((one) => one.subdomain === subdomain && one.path === path);
    return !entry?.faults.some((label) => /^(cut answers|reset|hang)/.test(label));
  }

  private sent(subdomain: string, path: string): void {
    const silence = this.silentUntil.get(subdomain);
    // What goes out at the same instant was under way when the refusal came: webhooks are looked up beside runs.
    if (!silence || this.time.now() >= silence.until || this.time.now() === silence.since) return;
    // A process that dies, or a database that fails, with the refusal in hand cannot tell the others of it.
    if (this.disturbedAt() >= silence.since) {
      this.excused++;
      return;
    }
    const early = Math.round((silence.until - this.time.now()) / SECOND);
    this.violations.push({
      invariant: "INV-BUDGET",
      what: `${subdomain}: ${path} was asked for ${early} s before the wait of ${silence.why} was over`,
    });
  }

  private told(subdomain: string, header: string, why: string): void {
    const now = this.time.now();
    const date = /^[A-Z]/.test(header) ? Date.parse(header) - now : Number.NaN;
    const wait = /^\d+$/.test(header) ? Number(header) * SECOND : date;
    // Dates are whole seconds.
    if (!(wait > SECOND)) return;
    this.silences++;
    this.silentUntil.set(subdomain, {
      since: now,
      until: now + Math.min(wait, longestTold) - SECOND,
      why: `${why} (Retry-After: ${header})`,
    });
  }

  /** More than two refusals by its own doing in an hour are too many (row 5). */
  private exceeded(subdomain: string): void {
    this.refusals++;
    const now = this.time.now();
    const recent = [...(this.refused.get(subdomain) ?? []), now].filter((at) => now - at < 60 * MINUTE);
    this.refused.set(subdomain, recent);
    if (recent.length > 2)
      this.violations.push({
        invariant: "INV-BUDGET",
        what: `${subdomain}: ${recent.length} requests above the account's limits within an hour`,
      });
  }
}
