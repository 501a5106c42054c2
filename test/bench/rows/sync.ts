import { inWorkspace } from "#db/client.ts";
import { refreshTimeline } from "#lib/timeline/refresh.ts";
import { storeRows } from "#lib/zendesk/page-rows.ts";
import type { TicketRow } from "#lib/zendesk/row-types.ts";
import { storeTickets } from "#lib/zendesk/store/tickets.ts";
import { streamNamed } from "#lib/zendesk/streams.ts";
import type { Bench } from "../bench.ts";
import { NOW } from "../generate.ts";
import { type CopyBytes, copyBytes, copyPage, emptyCopies, makeLimitTables, plainUpsert } from "../limits.ts";
import { sideBySide } from "../measure.ts";
import { PAGE, PageMaker, readPage, ticketRows, type WirePage } from "../pages.ts";
import { type Row, row } from "../table.ts";

/** More rounds than elsewhere: one page is small. */
const MORE = 3;

/** Rows 10 to 14 and 20: pages of 1000 new tickets, from the bytes of the wire to the sums of accounts. */
export async function syncRows(bench: Bench): Promise<Row[]> {
  const { db, scope, owner } = bench;
  await makeLimitTables(owner, scope);
  const tickets = streamNamed("tickets");
  const maker = new PageMaker(db, scope, bench, bench.random, 3);
  const inside = <T>(work: Parameters<typeof inWorkspace<T>>[2]) => inWorkspace(db, scope.workspaceId, work);
  let bytes: WirePage = Buffer.alloc(0);
  let rows: TicketRow[] = [];
  let bare: TicketRow[] = [];
  let prepared: CopyBytes = { tickets: Buffer.alloc(0), payloads: Buffer.alloc(0) };
  const nextPage = async () => {
    bytes = await maker.page(0);
  };
  const nextRows = async () => {
    await nextPage();
    rows = ticketRows(readPage(bytes));
    bare = rows.map((ticket) => ({ ...ticket, payload: "" }));
  };
  const ingest = (timeline: boolean) =>
    inside(async (trx) => {
      const stored = await storeRows(trx, tickets, scope, readPage(bytes), NOW);
      if (timeline) await refreshTimeline(trx, scope, stored.ids, NOW);
    });
  const prepareCopy = async () => {
    await emptyCopies(owner);
    prepared = copyBytes(scope, rows);
  };
  const prepareBareCopy = async () => {
    await emptyCopies(owner);
    prepared = copyBytes(scope, bare);
  };
  const cost = await sideBySide(bench.rounds > 1 ? MORE * bench.rounds : 1, bench.wal, {
    ingest: { prepare: nextPage, run: () => ingest(false) },
    ingestWithTimeline: { prepare: nextPage, run: () => ingest(true) },
    parse: { prepare: nextRows, run: () => JSON.parse(bytes.toString("utf8")) },
    stored: { prepare: nextRows, run: () => inside((trx) => storeTickets(trx, scope, rows, NOW)) },
    again: { run: () => inside((trx) => storeTickets(trx, scope, rows, NOW)) },
    plain: { run: () => plainUpsert(owner, "plain", scope, rows) },
    primaryKey: { run: () => plainUpsert(owner, "bare", scope, rows) },
    copy: { prepare: prepareCopy, run: () => copyPage(owner, prepared) },
    storedBare: {
      prepare: nextRows,
      run: () => inside((trx) => storeTickets(trx, scope, bare, NOW)),
    },
    plainBare: { run: () => plainUpsert(owner, "plain", scope, bare) },
    primaryKeyBare: { run: () => plainUpsert(owner, "bare", scope, bare) },
    copyBare: { prepare: prepareBareCopy, run: () => copyPage(owner, prepared) },
  });
  const perTicket = (wal: number) => wal / PAGE;
  bench.footnotes.add(
    "10–14: limits write the same bytes as the product, payload included; lines “without payload” leave it empty on both sides, as the lab did.",
  );
  bench.footnotes.add(
    "11: backfill goes the same way as everything else, so there is one line; the lab's goal of a backfill mode is 8.",
  );
  bench.footnotes.add(
    "20: “with the timeline” also builds the timeline entries, as the sync does in the same transaction.",
  );
  return [
    ...writing("with payload", cost.stored.database, cost.plain.database),
    ...writing("without payload", cost.storedBare.database, cost.plainBare.database),
    row({
      number: "11",
      what: "ingest of a page, everything live ÷ COPY of prepared bytes",
      ours: cost.ingest.wall,
      limit: cost.copy.wall,
      goal: 20,
      moonshot: 10,
    }),
    row({
      number: "11",
      what: "the same ÷ COPY without payload",
      ours: cost.ingest.wall,
      limit: cost.copyBare.wall,
      goal: 20,
      moonshot: 10,
    }),
    row({
      number: "12",
      what: "ingest, client CPU ÷ JSON.parse CPU",
      ours: cost.ingest.cpu,
      limit: cost.parse.cpu,
      goal: 1.4,
      moonshot: 1.15,
    }),
    row({
      number: "13",
      what: "log written for an unchanged ticket",
      ours: perTicket(cost.again.wal),
      limit: 0,
      unit: "B",
      goal: 0,
      moonshot: 0,
    }),
    row({
      number: "13",
      what: "unchanged page ÷ first insert of it (DB time)",
      ours: cost.again.database,
      limit: cost.stored.database,
      goal: 0.35,
      moonshot: 0.2,
    }),
    ...logged("with payload", perTicket(cost.stored.wal), perTicket(cost.primaryKey.wal)),
    ...logged("without payload", perTicket(cost.storedBare.wal), perTicket(cost.primaryKeyBare.wal)),
    ...speed("", cost.ingest.wall),
    ...speed(", with the timeline", cost.ingestWithTimeline.wall),
  ];
}

function writing(variant: string, ours: number, limit: number): Row[] {
  const what = `page stored ÷ plain upsert with read indexes (DB time), ${variant}`;
  return [row({ number: "10", what, ours, limit, goal: 5, moonshot: 2.5 })];
}

function logged(variant: string, ours: number, limit: number): Row[] {
  const what = `log of a new ticket ÷ upsert with primary key only, ${variant}`;
  return [row({ number: "14", what, ours, limit, unit: "B", goal: 6, moonshot: 3 })];
}

function speed(variant: string, milliseconds: number): Row[] {
  const what = `tickets a second${variant} ÷ Zendesk's 500`;
  const ours = (PAGE / milliseconds) * 1000;
  return [row({ number: "20", what, ours, limit: 500, unit: "/s", goal: 20, moonshot: 50, moreIsBetter: true })];
}
