import { sql } from "kysely";
import { inWorkspace, openDatabase } from "#db/client.ts";
import type { TicketRow } from "#lib/zendesk/row-types.ts";
import { storeTickets } from "#lib/zendesk/store/tickets.ts";
import type { Bench } from "../bench.ts";
import { NOW } from "../generate.ts";
import { sideBySide } from "../measure.ts";
import { PageMaker, readPage, ticketRows } from "../pages.ts";
import { type Row, row } from "../table.ts";
import { PortfolioReader } from "./portfolio.ts";

/** Row 17: the same functions for a login that the policies bind and for one that they do not. */
export async function securityRows(bench: Bench): Promise<Row[]> {
  const { db: free } = openDatabase(bench.ownerUrl, { poolSize: 1 });
  try {
    // Every connection steps down when it opens; this pool has one, and it steps up again.
    await sql`reset role`.execute(free);
    const { rows } = await sql<{ free: boolean }>`
      select rolsuper or rolbypassrls as free from pg_roles where rolname = current_user`.execute(free);
    if (!rows[0]?.free) {
      bench.footnotes.add("17: left out: the login is bound by the policies whatever its role, so there is no “off”.");
      return [];
    }
    return await compare(bench, free);
  } finally {
    await free.destroy();
  }
}

async function compare(bench: Bench, free: Bench["db"]): Promise<Row[]> {
  const { db, scope } = bench;
  const ws = scope.workspaceId;
  const maker = new PageMaker(db, scope, bench, bench.random, 4);
  const readers = [db, free].map((pool) => new PortfolioReader(pool, ws, bench.random));
  let page: TicketRow[] = [];
  const prepare = async () => {
    page = ticketRows(readPage(await maker.page(800)));
  };
  const readMany = (reader: PortfolioReader | undefined) => async () => {
    for (let call = 0; call < bench.calls; call += 1) await reader?.next();
  };
  const store = (pool: Bench["db"]) => () => inWorkspace(pool, ws, (trx) => storeTickets(trx, scope, page, NOW));
  const cost = await sideBySide(bench.rounds, bench.wal, {
    pagesBound: { run: readMany(readers[0]) },
    pagesFree: { run: readMany(readers[1]) },
    storedBound: { prepare, run: store(db) },
    storedFree: { prepare, run: store(free) },
  });
  bench.footnotes.add("17: without search, which the product does not have yet.");
  const marks = { goal: 1.1, moonshot: 1.03 };
  return [
    row({
      number: "17",
      what: "portfolio page, row-level security on ÷ off",
      ours: cost.pagesBound.wall / bench.calls,
      limit: cost.pagesFree.wall / bench.calls,
      ...marks,
    }),
    row({
      number: "17",
      what: "sync page, row-level security on ÷ off",
      ours: cost.storedBound.wall,
      limit: cost.storedFree.wall,
      ...marks,
    }),
  ];
}
