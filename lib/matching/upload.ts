import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import { readDecisionList, type UploadedRow } from "#lib/matching/decision-list.ts";
import { rematch } from "#lib/matching/run.ts";
import type { DecisionImport } from "#lib/matching/shapes.ts";
import {
  accountIdsByExternalId,
  connectionScope,
  deleteDecisions,
  isBigint,
  knownOrganizations,
  storeDecisions,
  storedDecisions,
} from "#lib/matching/store.ts";
import { lockMetrics } from "#lib/metrics/store.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** `accountId` null: ignored; undefined: a decision taken back. */
interface Wanted {
  organizationId: string;
  accountId: string | null | undefined;
}

/**
 * Applies a corrected list (T-53): each row decides about one organization, or says why it cannot. The good rows hold even
 * where others are rejected; a file that is not such a list changes nothing. `db` is the pool.
 */
export async function uploadDecisions(
  db: Db,
  workspaceId: number,
  connectionId: string,
  bytes: Uint8Array,
  by: string,
  now: Date,
): Promise<DecisionImport> {
  const rows = readDecisionList(bytes);
  return inWorkspace(db, workspaceId, async (trx) => {
    const scope = await connectionScope(trx, workspaceId, connectionId);
    await lockMetrics(trx, workspaceId);
    const { wanted, unchanged, rejected } = await judge(trx, scope, rows);
    const decided = wanted.filter((row) => row.accountId !== undefined) as {
      organizationId: string;
      accountId: string | null;
    }[];
    const withdrawn = wanted.filter((row) => row.accountId === undefined).map((row) => row.organizationId);
    await storeDecisions(trx, scope, decided, by, now);
    await deleteDecisions(trx, scope, withdrawn);
    if (wanted.length > 0)
      await rematch(
        trx,
        scope,
        wanted.map((row) => row.organizationId),
      );
    return { decided: wanted.length, unchanged, rejected };
  });
}

async function judge(trx: Trx, scope: Scope, rows: UploadedRow[]) {
  const ids = rows.map((row) => row.organizationId).filter(isBigint);
  const organizations = await knownOrganizations(trx, scope, ids);
  const accounts = await accountIdsByExternalId(
    trx,
    scope.workspaceId,
    rows.map((row) => row.accountExternalId),
  );
  const decisions = await storedDecisions(trx, scope, ids);
  const seen = new Set<string>();
  const wanted: Wanted[] = [];
  const rejected: DecisionImport["rejected"] = [];
  let unchanged = 0;
  for (const row of rows) {
    const verdict = judgeRow(row, { organizations, accounts, seen });
    if (verdict !== null && "message" in verdict) {
      rejected.push({ line: row.line, organizationId: row.organizationId || null, message: verdict.message });
      continue;
    }
    seen.add(row.organizationId);
    const holds = verdict === null || decisions.get(row.organizationId) === verdict.accountId;
    if (holds) unchanged += 1;
    else wanted.push(verdict);
  }
  return { wanted, unchanged, rejected };
}

/** What the row asks for, null where it was left empty, or the reason why it cannot be. */
function judgeRow(
  { organizationId, accountExternalId, action }: UploadedRow,
  known: { organizations: Set<string>; accounts: Map<string, string>; seen: Set<string> },
): Wanted | { message: string } | null {
  const refused = (message: string) => ({ message });
  if (!isBigint(organizationId)) {
    return refused(
      /^[\d.,]+e\+?\d+$/i.test(organizationId)
        ? `The spreadsheet shortened the organization id to ${organizationId}: format its column as text and fill in the id again.`
        : "organization_id must be a Zendesk id: digits only.",
    );
  }
  if (!known.organizations.has(organizationId))
    return refused(`This connection has no organization ${organizationId}.`);
  if (known.seen.has(organizationId))
    return refused(`Organization ${organizationId} stands in an earlier line already.`);
  if (!["", "ignore", "undo"].includes(action))
    return refused(`action must be ignore, undo or empty, and is “${action}”.`);
  if (action !== "" && accountExternalId !== "")
    return refused(`Give either an account or the action ${action}, not both.`);
  if (action === "ignore") return { organizationId, accountId: null };
  if (action === "undo") return { organizationId, accountId: undefined };
  if (accountExternalId === "") return null;
  const accountId = known.accounts.get(accountExternalId);
  return accountId === undefined
    ? refused(`No account has the external id “${accountExternalId}” (upper and lower case differ).`)
    : { organizationId, accountId };
}
