import { describe, expect, test } from "vitest";
import { metricColumns } from "#lib/metrics/counts.ts";
import { rebuildMetrics } from "#lib/metrics/rebuild.ts";
import { ensureMetricsDay } from "#lib/metrics/store.ts";
import { useDatabase } from "#test/support/database.ts";
import { History } from "./history.ts";

const database = useDatabase();
const seeds = Array.from({ length: Number(process.env.METRIC_SEEDS ?? 15) }, (_, index) => index + 1);
const stepsPerSeed = 30;

describe("after any history of pages, stale versions, deletions, restores, re-ratings, rematches, decisions, days and settings", () => {
  test.each(seeds)(
    "kept numbers = the oracle's numbers = rebuilt numbers (seed %i)",
    async (seed) => {
      const history = await History.begin(database, seed);
      if (seed % 2 === 0) await history.populate();
      const steps: string[] = [];
      for (let i = 0; i < stepsPerSeed; i += 1) {
        steps.push(await history.step());
        const { kept, expected } = await numbersOf(history);
        expect(kept, `after ${steps.join(", ")}`).toEqual(expected);
      }
      const { differing } = await database.inWorkspace(history.workspaceId, (trx) =>
        rebuildMetrics(trx, history.workspaceId, history.now),
      );
      expect(differing, `rows that the rebuild found wrong after ${steps.join(", ")}`).toBe(0);
    },
    120_000,
  );
});

/** Organizations with their verdicts and counts, and accounts with theirs: what is stored beside what is right. */
async function numbersOf(history: History) {
  const { workspaceId, oracle } = history;
  return database.inWorkspace(workspaceId, async (trx) => {
    const { day } = await ensureMetricsDay(trx, workspaceId, history.now);
    const organizations = await trx
      .selectFrom("organization")
      .select(["connection_id", "id", "match_state", "account_id", "deleted_at"])
      .where("workspace_id", "=", workspaceId)
      .execute();
    const counted = await trx
      .selectFrom("org_metric")
      .select(["connection_id", "organization_id", ...metricColumns])
      .where("workspace_id", "=", workspaceId)
      .execute();
    const accounts = await trx
      .selectFrom("account_metric")
      .select(["account_id", "name", ...metricColumns])
      .where("workspace_id", "=", workspaceId)
      .execute();

    const kept = {
      verdicts: keyed(
        organizations,
        (o) => `${o.connection_id}/${o.id}`,
        (o) => (o.deleted_at ? null : { state: o.match_state, accountId: o.account_id }),
      ),
      organizations: keyed(
        counted.filter((row) => row.total !== 0),
        (row) => `${row.connection_id}/${row.organization_id}`,
        ({ connection_id: _c, organization_id: _o, ...numbers }) => numbers,
      ),
      strays: counted.filter((row) => row.total === 0 && metricColumns.some((column) => row[column] !== 0)),
      accounts: keyed(
        accounts,
        (row) => row.account_id,
        ({ account_id: _a, ...numbers }) => numbers,
      ),
    };
    const expected = {
      verdicts: keyed(
        oracle.organizationIds(),
        (o) => `${o.connectionId}/${o.id}`,
        (o) => oracle.verdict(o.connectionId, o.id),
      ),
      organizations: keyed(
        oracle.namedOrganizations(),
        (o) => `${o.connectionId}/${o.id}`,
        (o) => oracle.organizationNumbers(o.connectionId, o.id, day),
      ),
      strays: [],
      accounts: keyed(
        oracle.accounts,
        (a) => a.id,
        (a) => ({ name: a.name, ...oracle.accountNumbers(a.id, day) }),
      ),
    };
    return { kept, expected };
  });
}

function keyed<T, V>(items: readonly T[], key: (item: T) => string, value: (item: T) => V): Record<string, V> {
  return Object.fromEntries(items.map((item) => [key(item), value(item)]));
}
