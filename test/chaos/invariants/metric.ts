import { isDeepStrictEqual } from "node:util";
import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import { metricColumns } from "#lib/metrics/counts.ts";
import { ensureMetricsDay } from "#lib/metrics/store.ts";
import { Oracle } from "#test/metrics/oracle.ts";
import type { ChaosAccount } from "../accounts.ts";
import { matchKeys } from "../connect.ts";
import type { Violation } from "../violation.ts";
import { snapshot } from "./snapshot.ts";
import { tellStored } from "./tell-stored.ts";
import { tellTruth } from "./tell-truth.ts";

/** INV-METRIC: every number of a workspace equals an independent count over the truth of its accounts at the same instant. */
export function metrics(
  db: Db,
  workspaceId: number,
  accounts: readonly ChaosAccount[],
  now: Date,
): Promise<Violation[]> {
  return inWorkspace(db, workspaceId, async (trx) => {
    const { day } = await ensureMetricsDay(trx, workspaceId, now);
    const oracle = await newOracle(trx, workspaceId);
    for (const account of accounts) {
      oracle.keys.set(account.scope.connectionId, matchKeys);
      tellTruth(oracle, account);
    }
    return differences(trx, workspaceId, oracle, day);
  });
}

/** INV-METRIC, at any moment: the numbers are those of the rows that are stored. */
export function metricsOfStored(db: Db, workspaceId: number, accounts: readonly ChaosAccount[]): Promise<Violation[]> {
  return snapshot(db, workspaceId, async (trx) => {
    const { metrics_day: day } = await trx
      .selectFrom("workspace")
      .select("metrics_day")
      .where("id", "=", workspaceId)
      .executeTakeFirstOrThrow();
    if (day === null) return [];
    const oracle = await newOracle(trx, workspaceId);
    for (const account of accounts) {
      oracle.keys.set(account.scope.connectionId, matchKeys);
      await tellStored(trx, oracle, account);
    }
    return differences(trx, workspaceId, oracle, day);
  });
}

async function differences(trx: Trx, workspaceId: number, oracle: Oracle, day: string): Promise<Violation[]> {
  const organizations = await trx
    .selectFrom("org_metric")
    .select(["connection_id", "organization_id", ...metricColumns])
    .where("workspace_id", "=", workspaceId)
    .execute();
  const sums = await trx
    .selectFrom("account_metric")
    .select(["account_id", ...metricColumns])
    .where("workspace_id", "=", workspaceId)
    .execute();
  const kept = new Map(
    organizations.map(({ connection_id, organization_id, ...numbers }) => [
      `${connection_id}/${organization_id}`,
      numbers,
    ]),
  );
  const named = oracle.namedOrganizations();
  const wrongOrganizations = named.flatMap(({ connectionId, id }) =>
    wrong(
      `organization ${id} of connection ${connectionId}`,
      kept.get(`${connectionId}/${id}`),
      oracle.organizationNumbers(connectionId, id, day),
    ),
  );
  const known = new Set(named.map(({ connectionId, id }) => `${connectionId}/${id}`));
  const strays = [...kept]
    .filter(([key, numbers]) => numbers.total !== 0 && !known.has(key))
    .map(([key]) => `organization ${key} has numbers, though no ticket names it`);
  const wrongAccounts = sums.flatMap(({ account_id, ...numbers }) =>
    wrong(`account ${account_id}`, numbers, oracle.accountNumbers(account_id, day)),
  );
  return [...wrongOrganizations, ...wrongAccounts, ...strays].map((what) => ({
    invariant: "INV-METRIC" as const,
    what: `workspace ${workspaceId}: ${what}`,
  }));
}

function wrong(whose: string, is: Record<string, unknown> | undefined, should: Record<string, number>): string[] {
  if (!is && Object.values(should).every((value) => value === 0)) return [];
  if (isDeepStrictEqual(is, should)) return [];
  const columns = Object.entries(should).filter(([column, value]) => is?.[column] !== value);
  return [
    `${whose}: ${columns.map(([column, value]) => `${column} is ${is?.[column]}, should be ${value}`).join("; ") || "other columns"}`,
  ];
}

async function newOracle(trx: Trx, workspaceId: number): Promise<Oracle> {
  const oracle = new Oracle({
    timeZone: "UTC",
    windows: [7, 14, 30, 90, 180],
    topPriorities: ["high", "urgent"],
    countMerged: true,
  });
  const rows = await trx
    .selectFrom("account")
    .select(["id", "external_id", "name"])
    .where("workspace_id", "=", workspaceId)
    .execute();
  oracle.accounts = rows.map(({ id, external_id, name }) => ({ id, externalId: external_id, name }));
  return oracle;
}
