import { inWorkspace } from "#db/client.ts";
import { defaultZendeskUrl } from "#lib/config.ts";
import { readAccount, readAccountTrend } from "#lib/reports/account.ts";
import { listAccountTickets } from "#lib/reports/tickets.ts";
import type { Bench } from "../bench.ts";
import { NOW } from "../generate.ts";
import { firstRound, median, percentile, timed } from "../measure.ts";
import { type Row, row } from "../table.ts";

/** Row 8: numbers, a year of weeks, and the newest 50 tickets of an account. */
export async function accountRows(bench: Bench): Promise<Row[]> {
  const ws = bench.scope.workspaceId;
  const { rows: accounts } = await bench.owner.query<{ account_id: string; total: number }>(
    `select account_id, total from account_metric where workspace_id = ${ws} order by total desc`,
  );
  const largest = accounts[0]?.account_id ?? "";
  const weighted = chooseByWeight(accounts, bench.random);
  const read = (account: string) =>
    timed(async () => {
      await inWorkspace(bench.db, ws, (trx) => readAccount(trx, ws, account, {}, NOW));
      await inWorkspace(bench.db, ws, (trx) => readAccountTrend(trx, ws, account, { weeks: 53 }, NOW));
      await inWorkspace(bench.db, ws, (trx) =>
        listAccountTickets(trx, ws, account, { limit: 50, format: "json" }, NOW, defaultZendeskUrl),
      );
    });
  const times = { largest: [] as number[], other: [] as number[] };
  for (let round = firstRound(bench.rounds); round < bench.rounds; round += 1) {
    globalThis.gc?.();
    const now = { largest: [] as number[], other: [] as number[] };
    for (let call = 0; call < Math.ceil(bench.calls / 5); call += 1) {
      now.largest.push(await read(largest));
      now.other.push(await read(weighted()));
    }
    if (round < 0) continue;
    times.largest.push(percentile(now.largest, 0.95));
    times.other.push(percentile(now.other, 0.95));
  }
  return [
    row({
      number: "8",
      what: "account page p95, largest ÷ weighted random account",
      ours: median(times.largest),
      limit: median(times.other),
      goal: 1.5,
      moonshot: 1,
    }),
  ];
}

/** An account as often as it has tickets. */
function chooseByWeight(
  accounts: readonly { account_id: string; total: number }[],
  random: () => number,
): () => string {
  const tickets = accounts.reduce((sum, account) => sum + account.total, 0);
  return () => {
    let left = random() * tickets;
    for (const { account_id, total } of accounts) {
      left -= total;
      if (left <= 0) return account_id;
    }
    return accounts[0]?.account_id ?? "";
  };
}
