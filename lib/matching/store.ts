import { sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import { accountExists } from "#lib/accounts/require-account.ts";
import { invalid, notFound } from "#lib/errors.ts";
import { defaultMatchKeys } from "#lib/matching/rules.ts";
import { readMatchKeys, rematch } from "#lib/matching/run.ts";
import type { DecisionBody, MatchCounts, MatchKey, MatchPreview, MatchState } from "#lib/matching/shapes.ts";
import { lockMetrics } from "#lib/metrics/store.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** The scope that an id in a path names; 404 where the workspace has no such connection. */
export async function connectionScope(db: Db, workspaceId: number, id: string): Promise<Scope> {
  const number = /^\d{1,9}$/.test(id) ? Number(id) : null;
  const row =
    number === null
      ? undefined
      : await db
          .selectFrom("connection")
          .select("id")
          .where("workspace_id", "=", workspaceId)
          .where("id", "=", number)
          .executeTakeFirst();
  if (!row) throw notFound(`Connection ${id}`);
  return { workspaceId, connectionId: row.id };
}

/** Gives a new connection the ladder that holds until somebody sets one. Nothing is matched yet: nothing is stored yet. */
export async function setDefaultMatchKeys(trx: Trx, scope: Scope): Promise<void> {
  await replaceMatchKeys(trx, scope, defaultMatchKeys());
}

/** Sets the ladder and asks it for everything stored: every number is right when it returns (T-45). */
export async function putMatchKeys(
  trx: Trx,
  scope: Scope,
  keys: MatchKey[],
): Promise<MatchPreview & { keys: MatchKey[] }> {
  await lockMetrics(trx, scope.workspaceId);
  await replaceMatchKeys(trx, scope, keys);
  const result = await rematch(trx, scope);
  return { ...result, keys: await readMatchKeys(trx, scope) };
}

async function replaceMatchKeys(trx: Trx, scope: Scope, keys: MatchKey[]): Promise<void> {
  await trx
    .deleteFrom("match_key")
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .execute();
  if (keys.length === 0) return;
  await trx
    .insertInto("match_key")
    .values(
      keys.map((key, position) => ({
        workspace_id: scope.workspaceId,
        connection_id: scope.connectionId,
        position,
        organization_field: key.organizationField,
        account_field: key.accountField,
        normalize: key.normalize,
      })),
    )
    .execute();
}

/** How the organizations of a connection stand; deleted and merged ones are not counted. */
export async function matchCounts(db: Db, scope: Scope): Promise<MatchCounts> {
  const rows = await db
    .selectFrom("organization")
    .select(["match_state", (eb) => eb.fn.countAll<string>().as("organizations")])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("deleted_at", "is", null)
    .groupBy("match_state")
    .execute();
  const inState = (state: MatchState) => Number(rows.find((row) => row.match_state === state)?.organizations ?? 0);
  return {
    organizations: rows.reduce((sum, row) => sum + Number(row.organizations), 0),
    matched: inState("matched"),
    unmatched: inState("unmatched"),
    ambiguous: inState("ambiguous"),
    ignored: inState("ignored"),
  };
}

/** A person's word about one organization. It comes before all keys and holds at once. `by` is an e-mail or a key's name. */
export async function decideMatch(
  trx: Trx,
  scope: Scope,
  organizationId: string,
  decision: DecisionBody,
  by: string,
  now: Date,
): Promise<void> {
  await lockMetrics(trx, scope.workspaceId);
  await requireOrganization(trx, scope, organizationId);
  const accountId = "accountId" in decision ? decision.accountId : null;
  if (accountId !== null) await requireNamedAccount(trx, scope.workspaceId, accountId);
  await storeDecisions(trx, scope, [{ organizationId, accountId }], by, now);
  await rematch(trx, scope, [organizationId]);
}

/** Takes a decision back: the keys decide again. */
export async function withdrawDecision(trx: Trx, scope: Scope, organizationId: string): Promise<void> {
  await lockMetrics(trx, scope.workspaceId);
  await requireOrganization(trx, scope, organizationId);
  await deleteDecisions(trx, scope, [organizationId]);
  await rematch(trx, scope, [organizationId]);
}

/** Decisions as rows: `accountId` null means that the organization is ignored. Does not match anything yet. */
export async function storeDecisions(
  trx: Trx,
  scope: Scope,
  decisions: readonly { organizationId: string; accountId: string | null }[],
  by: string,
  now: Date,
): Promise<void> {
  await sql`
    insert into match_decision (workspace_id, connection_id, organization_id, account_id, ignored, decided_by, decided_at)
    select ${scope.workspaceId}::int, ${scope.connectionId}::int, organization_id, account_id, account_id is null,
           ${by}::text, ${now.toISOString()}::timestamptz
      from unnest(${decisions.map((d) => d.organizationId)}::bigint[], ${decisions.map((d) => d.accountId)}::bigint[])
        as decided(organization_id, account_id)
    on conflict (workspace_id, connection_id, organization_id) do update
       set account_id = excluded.account_id, ignored = excluded.ignored, decided_by = excluded.decided_by,
           decided_at = excluded.decided_at`.execute(trx);
}

/** Forgets decisions. Does not match anything yet. */
export async function deleteDecisions(trx: Trx, scope: Scope, organizationIds: readonly string[]): Promise<void> {
  await sql`
    delete from match_decision where workspace_id = ${scope.workspaceId}::int and connection_id = ${scope.connectionId}::int
       and organization_id = any(${organizationIds}::bigint[])`.execute(trx);
}

/** Decisions that stand, by organization: the account, or null for ignored. */
export async function storedDecisions(
  db: Db,
  scope: Scope,
  organizationIds: readonly string[],
): Promise<Map<string, string | null>> {
  const { rows } = await sql<{ organization_id: string; account_id: string | null }>`
    select organization_id, account_id from match_decision
     where workspace_id = ${scope.workspaceId}::int and connection_id = ${scope.connectionId}::int
       and organization_id = any(${organizationIds}::bigint[])`.execute(db);
  return new Map(rows.map((row) => [row.organization_id, row.account_id]));
}

/** Those of some ids that name an organization of the connection which Zendesk still has. */
export async function knownOrganizations(db: Db, scope: Scope, ids: readonly string[]): Promise<Set<string>> {
  const { rows } = await sql<{ id: string }>`
    select id from organization where workspace_id = ${scope.workspaceId}::int
       and connection_id = ${scope.connectionId}::int and id = any(${ids}::bigint[]) and deleted_at is null`.execute(
    db,
  );
  return new Set(rows.map((row) => row.id));
}

export async function accountIdsByExternalId(
  db: Db,
  workspaceId: number,
  externalIds: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; external_id: string }>`
    select id, external_id from account
     where workspace_id = ${workspaceId}::int and external_id = any(${[...new Set(externalIds)]}::text[])`.execute(db);
  return new Map(rows.map((row) => [row.external_id, row.id]));
}

async function requireOrganization(db: Db, scope: Scope, organizationId: string): Promise<void> {
  const known = isBigint(organizationId) ? await knownOrganizations(db, scope, [organizationId]) : new Set();
  if (known.size === 0) throw notFound(`Organization ${organizationId}`);
}

/** The account of a body: one that is none makes the body wrong, not the address. */
async function requireNamedAccount(db: Db, workspaceId: number, accountId: string): Promise<void> {
  if (isBigint(accountId) && (await accountExists(db, workspaceId, accountId))) return;
  const message = `names no account of this workspace: “${accountId}”. Take the id from GET /api/v1/accounts.`;
  throw invalid(`accountId ${message}`, [{ path: "accountId", message }]);
}

/** True for a whole number that a bigint column can hold. */
export function isBigint(text: string): boolean {
  return /^-?\d{1,19}$/.test(text) && BigInt.asIntN(64, BigInt(text)) === BigInt(text);
}
