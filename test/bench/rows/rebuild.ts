import { inWorkspace } from "#db/client.ts";
import { putMatchKeys } from "#lib/matching/store.ts";
import { metricColumns } from "#lib/metrics/counts.ts";
import { rebuildMetrics, recountUnderNewSettings } from "#lib/metrics/rebuild.ts";
import type { TicketRow } from "#lib/zendesk/row-types.ts";
import { storeTickets } from "#lib/zendesk/store/tickets.ts";
import type { Bench } from "../bench.ts";
import { matchLadders, NOW } from "../generate.ts";
import { sideBySide } from "../measure.ts";
import { PageMaker, readPage, ticketRows } from "../pages.ts";
import {
  accountCounts,
  dayCounts,
  organizationCounts,
  organizationCountsByBucket,
  type Reference,
} from "../reference.ts";
import { type Row, row } from "../table.ts";

/** Rows 1, 2, 9 and 15: what counting everything again costs, and what is measured against it. */
export async function rebuildRows(bench: Bench, reference: Reference): Promise<Row[]> {
  const { db, scope } = bench;
  const ws = scope.workspaceId;
  await requireSameCounts(bench, reference);
  const maker = new PageMaker(db, scope, bench, bench.random, 1);
  let page: TicketRow[] = [];
  let turn = 0;
  const keep = (table: string, select: string) => reference.run(`create or replace temp table ${table} as ${select}`);
  const cost = await sideBySide(bench.rounds, bench.wal, {
    everything: { run: () => inWorkspace(db, ws, (trx) => rebuildMetrics(trx, ws, NOW)) },
    windows: { run: () => inWorkspace(db, ws, (trx) => recountUnderNewSettings(trx, ws, NOW, { days: false })) },
    duckdbEverything: {
      run: async () => {
        await keep("organization_count", organizationCounts);
        await keep("day_count", dayCounts);
        await keep("account_count", accountCounts);
      },
    },
    duckdbWindows: {
      run: async () => {
        await keep("organization_count", organizationCounts);
        await keep("account_count", accountCounts);
      },
    },
    duckdbBest: {
      run: async () => {
        await keep("organization_count", organizationCountsByBucket);
        await keep("account_count", accountCounts);
      },
    },
    page: {
      prepare: async () => {
        page = ticketRows(readPage(await maker.page(800)));
      },
      run: () => inWorkspace(db, ws, (trx) => storeTickets(trx, scope, page, NOW)),
    },
    rematch: {
      prepare: () => {
        turn = 1 - turn;
      },
      run: () => inWorkspace(db, ws, (trx) => putMatchKeys(trx, scope, [matchLadders[turn as 0 | 1]])),
    },
  });
  bench.footnotes.add(
    "1: “windows” counts organizations and accounts, which is what the lab's rebuild did; “everything” counts the single days too and verifies. 2, 9 and 15 use “windows”, the stricter.",
  );
  return [
    row({
      number: "1",
      what: "rebuild, everything ÷ DuckDB, the same tables",
      ours: cost.everything.wall,
      limit: cost.duckdbEverything.wall,
      goal: 2,
      moonshot: 1,
    }),
    row({
      number: "1",
      what: "rebuild, windows ÷ DuckDB, same SQL",
      ours: cost.windows.wall,
      limit: cost.duckdbWindows.wall,
      goal: 2,
      moonshot: 1,
    }),
    row({
      number: "2",
      what: "rebuild, windows ÷ DuckDB, best SQL",
      ours: cost.windows.wall,
      limit: cost.duckdbBest.wall,
      goal: 4,
      moonshot: 2,
    }),
    row({
      number: "9",
      what: "sync page of 1000 (800 changed) ÷ rebuild, windows",
      ours: cost.page.wall,
      limit: cost.windows.wall,
      goal: 0.05,
      moonshot: 0.02,
    }),
    row({
      number: "15",
      what: "every organization to another account ÷ rebuild, windows",
      ours: cost.rematch.wall,
      limit: cost.windows.wall,
      goal: 0.6,
      moonshot: 0.25,
    }),
  ];
}

/** A reference that counts something else measures nothing. */
async function requireSameCounts(bench: Bench, reference: Reference): Promise<void> {
  const sums = (table: string) =>
    `select ${metricColumns.map((c) => `sum(${c})::bigint as ${c}`).join(", ")} from ${table}`;
  const ours = await bench.owner.query<Record<string, string>>(
    `${sums("org_metric")} where workspace_id = ${bench.scope.workspaceId}`,
  );
  for (const [name, select] of [
    ["same SQL", organizationCounts],
    ["best SQL", organizationCountsByBucket],
  ] as const) {
    const [theirs] = await reference.rows(sums(`(${select})`));
    const differing = metricColumns.filter((column) => String(theirs?.[column]) !== ours.rows[0]?.[column]);
    if (differing.length > 0) throw new Error(`DuckDB's ${name} counts otherwise: ${differing.join(", ")}`);
  }
}
