import type { Page } from "@playwright/test";
import { type AccountRow, expect, type Listed } from "#test/e2e/product.ts";
import { type Ground, test } from "#test/e2e/trust-ground.ts";
import { randomFrom } from "#test/metrics/random.ts";
import { percentile } from "./measure.ts";
import { printTable, type Row, row } from "./table.ts";

/** Milliseconds in which a change that is told by webhook shall be on the screen, in 19 of 20 cases (mission.md, O-15). */
const LIMIT = 10_000;
const CHANGES = 60;
/** Longer than the screen's own turn, so that every moment of it is met. */
const REST = 6_000;

test("from a change in Zendesk to the changed number on an open screen", async ({ page, ground }) => {
  const { items } = await ground.api<Listed<AccountRow>>("GET", "/accounts?sort=-ticketsTotal&limit=1");
  const account = items[0];
  if (!account) throw new Error("The account has no accounts.");
  await page.goto(`/?q=${encodeURIComponent(account.name)}`);
  const shown = new Shown(page, account);
  const change = await ticketMaker(ground, account);

  const alone = await measure(shown, change);
  const checking = keepChecking(ground);
  const beside = await measure(shown, change);
  const checks = await checking.end();

  const rows = [...rowsOf("alone", alone), ...rowsOf("while the past year is checked", beside)];
  const note = `${CHANGES} changes each, from the change in Zendesk, which is told within 250 ms; ${checks} checks of the past`;
  process.stdout.write(`\n${printTable(rows, [note])}\n`);
  expect(rows.every(({ ours }) => Number.isFinite(ours))).toBe(true);
});

function rowsOf(when: string, times: readonly number[]): Row[] {
  const line = (what: string, ours: number) =>
    row({ number: "O-15", what: `${what}, ${when}`, ours, limit: LIMIT, goal: 1, moonshot: 0.5 });
  return [
    line("change → screen, p50", percentile(times, 0.5)),
    line("change → screen, p95", percentile(times, 0.95)),
    line("change → screen, slowest", Math.max(...times)),
  ];
}

/** Milliseconds from each change to the frame that shows it. */
async function measure(shown: Shown, change: () => void): Promise<number[]> {
  const random = randomFrom(1);
  const times: number[] = [];
  for (let at = 0; at < CHANGES; at += 1) {
    await new Promise((resolve) => setTimeout(resolve, random() * REST));
    const start = performance.now();
    change();
    await shown.oneMore();
    times.push(performance.now() - start);
  }
  return times;
}

/** The number of unsolved tickets of top priority, as the portfolio shows it. */
class Shown {
  private number: number;

  constructor(
    private readonly page: Page,
    private readonly account: AccountRow,
  ) {
    this.number = account.metrics.topUnsolved;
  }

  async oneMore(): Promise<void> {
    this.number += 1;
    const label = `${this.number} tickets of top priority unsolved now, ${this.account.name}: show them`;
    await this.page.getByRole("button", { name: label, exact: true }).waitFor({ timeout: 120_000 });
  }
}

/** Makes one more unsolved ticket of top priority at the account, each time it is called. */
async function ticketMaker({ api, demo }: Ground, account: AccountRow): Promise<() => void> {
  const { items } = await api<Listed<{ organizationId: string }>>("GET", `/accounts/${account.id}/organizations`);
  const organizationId = items[0]?.organizationId ?? "";
  const requesterId = [...demo.world.users.byId.values()].find((user) => user.organizationId === organizationId)?.id;
  if (!requesterId) throw new Error("The organization has nobody.");
  return () =>
    void demo.world.tickets.create({ subject: "Rosters are gone", priority: "urgent", organizationId, requesterId });
}

/** Checks of the past year, one after the other, until told to end; answers how many came through. */
function keepChecking({ sync }: Ground) {
  const order = { go: true };
  const going = (async () => {
    let checks = 0;
    while (order.go) if ((await sync("reconcile")) === "succeeded") checks += 1;
    return checks;
  })();
  return {
    end: () => {
      order.go = false;
      return going;
    },
  };
}
