import { inWorkspace, type Trx } from "#db/client.ts";
import { putMatchKeys } from "#lib/matching/store.ts";
import { rebuildMetrics } from "#lib/metrics/rebuild.ts";
import { ensureMetricsDay } from "#lib/metrics/store.ts";
import type { RatingRow } from "#lib/zendesk/row-types.ts";
import { tombstoneOrganizations } from "#lib/zendesk/store/organizations.ts";
import { storeRatings } from "#lib/zendesk/store/ratings.ts";
import { storeTickets, tombstoneTickets } from "#lib/zendesk/store/tickets.ts";
import type { Bench } from "../bench.ts";
import { matchLadders, NOW } from "../generate.ts";
import { PageMaker, readPage, ticketRows } from "../pages.ts";
import type { Row } from "../table.ts";

const STEPS = 60;
const DAY = 86_400_000;

/** Row 21: whatever happened, counting everything again must find nothing to repair. */
export async function historyRows(bench: Bench): Promise<Row[]> {
  const { db, scope, small } = bench;
  const ws = small.workspaceId;
  const history = new RandomHistory(bench);
  for (let step = 0; step < STEPS; step += 1) await inWorkspace(db, ws, (trx) => history.step(trx));
  const afterHistory = await inWorkspace(db, ws, (trx) => rebuildMetrics(trx, ws, history.now));
  const afterBench = await inWorkspace(db, scope.workspaceId, (trx) => rebuildMetrics(trx, scope.workspaceId, NOW));
  bench.footnotes.add(
    `21: ${STEPS} random steps in the smaller workspace, and everything the rows above did to the larger one; the limit is the number of steps.`,
  );
  return [
    {
      number: "21",
      what: "rows that a rebuild finds different after a random history",
      ours: afterHistory.differing + afterBench.differing,
      limit: STEPS,
      unit: "",
      ratio: afterHistory.differing + afterBench.differing,
      goal: 0,
      moonshot: 0,
    },
  ];
}

class RandomHistory {
  now = NOW;
  private readonly maker: PageMaker;
  private ladder = 0;
  private serial = 0;

  constructor(private readonly bench: Bench) {
    this.maker = new PageMaker(bench.db, bench.small, bench.smallSize, bench.random, 5);
  }

  async step(trx: Trx): Promise<void> {
    const { random, small } = this.bench;
    const happenings = [
      () => this.tickets(trx),
      () => this.tickets(trx),
      () => this.ratings(trx),
      () => tombstoneTickets(trx, small, this.someTickets(20), this.now),
      () => tombstoneOrganizations(trx, small, [String(this.someOrganization())], this.now),
      () => this.rematch(trx),
      () => this.pass(trx),
    ];
    await random.pick(happenings)();
  }

  /** Changed and new ones; some are deleted, some go to another organization, some to none. */
  private async tickets(trx: Trx): Promise<void> {
    const { random, small } = this.bench;
    const rows = ticketRows(readPage(await this.maker.page(150, 200))).map((ticket) => ({
      ...ticket,
      ...(random.chance(0.1) && { organizationId: String(this.someOrganization()) }),
      ...(random.chance(0.05) && { organizationId: null }),
      ...(random.chance(0.1) && { deletedAt: this.now, status: "deleted" }),
    }));
    await storeTickets(trx, small, rows, this.now);
  }

  private async ratings(trx: Trx): Promise<void> {
    const { random, small } = this.bench;
    const rows = this.someTickets(100).map((ticketId): RatingRow => {
      const category = random.pick(["good", "neutral", "bad", null] as const);
      const at = new Date(this.now.getTime() - random.int(0, 200 * DAY));
      const id = random.chance(0.5) ? ticketId : `new-${++this.serial}`;
      return {
        system: random.chance(0.5) ? "legacy" : "survey",
        id,
        ticketId,
        score: category ?? "offered",
        category,
        comment: null,
        ratedAt: category && at,
        createdAt: at,
        updatedAt: new Date(this.now.getTime() + ++this.serial),
        contentHash: String(this.serial),
      };
    });
    await storeRatings(trx, small, rows, this.now);
  }

  private async rematch(trx: Trx): Promise<void> {
    this.ladder = 1 - this.ladder;
    await putMatchKeys(trx, this.bench.small, [matchLadders[this.ladder as 0 | 1]]);
  }

  private async pass(trx: Trx): Promise<void> {
    this.now = new Date(this.now.getTime() + this.bench.random.int(1, 20) * DAY);
    await ensureMetricsDay(trx, this.bench.small.workspaceId, this.now);
  }

  private someTickets(count: number): string[] {
    const { random, smallSize } = this.bench;
    const oldest = Math.floor(smallSize.tickets * 0.8);
    return [...new Set(Array.from({ length: count }, () => String(random.int(oldest, smallSize.tickets))))];
  }

  private someOrganization(): number {
    const { random, smallSize } = this.bench;
    return random.int(1, Math.floor(smallSize.accounts * 1.2));
  }
}
