import { type Db, inWorkspace } from "#db/client.ts";
import { type AccountSort, type AccountsQuery, accountSort } from "#lib/accounts/shapes.ts";
import { listPortfolio } from "#lib/reports/portfolio.ts";
import type { Random } from "#test/metrics/random.ts";
import { startSync } from "../background-sync.ts";
import type { Bench } from "../bench.ts";
import { NOW } from "../generate.ts";
import { firstRound, median, percentile, timed } from "../measure.ts";
import { type Reference, topFromTickets, topOfSnapshot, WINDOWS } from "../reference.ts";
import { type Row, row } from "../table.ts";

const PAGES = 5;

/** Rows 3 to 7: pages of 50 accounts, any sort, any window, the first five pages of each. */
export async function portfolioRows(bench: Bench, reference: Reference): Promise<Row[]> {
  const idle = await idleRounds(bench, reference);
  const { quiet, syncing } = await roundsWithSync(bench);
  const p95 = (rounds: number[][]) => median(rounds.map((times) => percentile(times, 0.95)));
  const p50 = (rounds: number[][]) => median(rounds.map((times) => median(times)));
  bench.footnotes.add("6: the smaller workspace has a fifth of the tickets and of the accounts, in the same database.");
  bench.footnotes.add("7: a second process stores pages without a pause; Zendesk would send at most 30 a minute.");
  const line = { goal: 0.25, moonshot: 0.1 };
  return [
    row({
      number: "3",
      what: "portfolio page p50 ÷ DuckDB top 50 of the snapshot",
      ours: p50(idle.page),
      limit: p50(idle.snapshot),
      ...line,
    }),
    row({
      number: "4",
      what: "portfolio page p50 ÷ DuckDB, from the tickets",
      ours: p50(idle.page),
      limit: p50(idle.tickets),
      goal: 1 / 500,
      moonshot: 1 / 2000,
    }),
    row({
      number: "5",
      what: "portfolio page p95 ÷ select 1 p95",
      ours: p95(idle.page),
      limit: p95(idle.one),
      goal: 8,
      moonshot: 4,
    }),
    row({
      number: "6",
      what: "portfolio page p95 ÷ at a fifth of the size",
      ours: p95(idle.page),
      limit: p95(idle.small),
      goal: 1.3,
      moonshot: 1.1,
    }),
    row({
      number: "7",
      what: "portfolio page p95, during sync ÷ idle",
      ours: p95(syncing),
      limit: p95(quiet),
      goal: 1.5,
      moonshot: 1.1,
    }),
  ];
}

async function idleRounds(bench: Bench, reference: Reference) {
  const { db, random } = bench;
  const pages = new PortfolioReader(db, bench.scope.workspaceId, random);
  const smaller = new PortfolioReader(db, bench.small.workspaceId, random);
  const times = { page: [], small: [], one: [], snapshot: [], tickets: [] } as Record<string, number[][]>;
  for (let round = firstRound(bench.rounds); round < bench.rounds; round += 1) {
    globalThis.gc?.();
    const now: Record<string, number[]> = { page: [], small: [], one: [], snapshot: [], tickets: [] };
    for (let call = 0; call < bench.calls; call += 1) {
      now.page?.push(await pages.next());
      now.small?.push(await smaller.next());
      now.one?.push(await timed(() => bench.owner.query("select 1")));
    }
    for (let call = 0; call < Math.ceil(bench.calls / 10); call += 1) {
      const { column, descending } = pages.anySort();
      const query = topOfSnapshot(column, descending, 50 * random.int(0, PAGES - 1));
      now.snapshot?.push(await timed(() => reference.rows(query)));
    }
    const { column, descending, slot } = pages.anySort();
    now.tickets?.push(
      await timed(() => reference.rows(topFromTickets(column === "name" ? "total" : column, descending, slot))),
    );
    if (round >= 0) for (const [name, all] of Object.entries(times)) all.push(now[name] ?? []);
  }
  return times as Record<"page" | "small" | "one" | "snapshot" | "tickets", number[][]>;
}

async function roundsWithSync(bench: Bench) {
  const sync = await startSync(bench);
  const pages = new PortfolioReader(bench.db, bench.scope.workspaceId, bench.random);
  const times = { quiet: [] as number[][], syncing: [] as number[][] };
  const some = async () => {
    const round: number[] = [];
    globalThis.gc?.();
    for (let call = 0; call < bench.calls; call += 1) round.push(await pages.next());
    return round;
  };
  try {
    await some();
    for (let round = 0; round < bench.rounds; round += 1) {
      times.quiet.push(await some());
      await sync.resume();
      times.syncing.push(await some());
      await sync.pause();
    }
  } finally {
    await sync.end();
  }
  return times;
}

/** Walks through pages as a person would: a sort and a window, five pages, then another. */
export class PortfolioReader {
  private query: AccountsQuery | null = null;
  private page = 0;

  constructor(
    private readonly db: Db,
    private readonly workspaceId: number,
    private readonly random: Random,
  ) {}

  /** Reads the next page; milliseconds from the call to the answer. */
  async next(): Promise<number> {
    const { sort, days } = this.anySort();
    const query: AccountsQuery = this.query ?? { sort, windowDays: days, limit: 50, format: "json" };
    let cursor: string | null = null;
    const time = await timed(async () => {
      const list = await inWorkspace(this.db, this.workspaceId, (trx) =>
        listPortfolio(trx, this.workspaceId, query, NOW),
      );
      cursor = list.nextCursor;
    });
    this.page = cursor === null || this.page === PAGES - 1 ? 0 : this.page + 1;
    this.query = this.page === 0 || cursor === null ? null : { ...query, cursor };
    return time;
  }

  anySort() {
    const sort = this.random.pick(accountSort.options) as AccountSort;
    const slot = this.random.int(1, WINDOWS.length);
    const key = sort.replace("-", "");
    const columns: Record<string, string> = {
      ticketsTotal: "total",
      ticketsUnsolved: "unsolved",
      topUnsolved: "unsolved_top",
      ticketsCreated: `w${slot}_created`,
      topCreated: `w${slot}_created_top`,
      csat: `w${slot}_csat`,
      topCsat: `w${slot}_csat_top`,
    };
    return {
      sort,
      slot,
      days: WINDOWS[slot - 1] ?? 30,
      column: columns[key] ?? "name",
      descending: sort.startsWith("-"),
    };
  }
}
