import type { Db } from "#db/client.ts";
import { evidenceOf, type KeyValues, type Outcome, reasonOf } from "#lib/matching/rules.ts";
import { readMatchKeys } from "#lib/matching/run.ts";
import type { MatchKey, MatchState, OrganizationItem } from "#lib/matching/shapes.ts";
import { type Candidate, suggestAccounts } from "#lib/reports/match-suggestions.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

const fieldPrefix = "organization_fields.";

export interface OrganizationListRow {
  id: string;
  name: string | null;
  external_id: string | null;
  domain_names: string[];
  match_state: MatchState;
  match_key_index: number | null;
  match_candidates: string[] | null;
  account_id: string | null;
  account_external_id: string | null;
  account_name: string | null;
  decided_by: string | null;
  decided_at: Date | null;
  tickets: number;
}

/** Organizations as the API shows them: the reason in words, and the accounts that they may be. */
export async function describeOrganizations(
  db: Db,
  scope: Scope,
  rows: OrganizationListRow[],
): Promise<OrganizationItem[]> {
  const keys = await readMatchKeys(db, scope);
  const values = await readKeyValues(db, scope, keys, rows);
  const suggested = await suggestAccounts(
    db,
    scope,
    rows
      .filter((row) => row.match_state === "unmatched")
      .map((row) => ({ id: row.id, name: row.name, externalId: row.external_id, domainNames: row.domain_names })),
  );
  const met = await readAccounts(
    db,
    scope,
    rows.flatMap((row) => row.match_candidates ?? []),
  );
  return rows.map((row) => {
    const asked = values.get(row.id) ?? [];
    const evidence = evidenceOf(asked, row.match_key_index ?? -1);
    const candidates = (row.match_candidates ?? []).flatMap((id) => met.get(id) ?? []);
    return {
      organizationId: row.id,
      name: row.name,
      externalId: row.external_id,
      domainNames: row.domain_names,
      state: row.match_state,
      reason: reasonOf(outcomeOf(row), asked),
      account:
        row.account_id === null
          ? null
          : { id: row.account_id, externalId: row.account_external_id ?? "", name: row.account_name ?? "" },
      decidedBy: decidedBy(row),
      candidates: [...candidates.map((account) => ({ ...account, evidence })), ...(suggested.get(row.id) ?? [])],
      tickets: row.tickets,
    };
  });
}

function outcomeOf(row: OrganizationListRow): Outcome {
  return {
    state: row.match_state,
    keyIndex: row.match_key_index,
    candidates: row.match_candidates?.length ?? 0,
    decidedBy: row.decided_by,
  };
}

function decidedBy(row: OrganizationListRow): OrganizationItem["decidedBy"] {
  if (row.decided_by !== null) {
    return { type: "person", email: row.decided_by, at: row.decided_at?.toISOString() ?? "" };
  }
  if (row.match_state !== "matched" || row.match_key_index === null) return null;
  return { type: "key", index: row.match_key_index };
}

/** What each organization brings to each key of the ladder. */
async function readKeyValues(
  db: Db,
  scope: Scope,
  keys: MatchKey[],
  rows: OrganizationListRow[],
): Promise<Map<string, KeyValues[]>> {
  const customFields = keys.map((key) => key.organizationField).filter((field) => field.startsWith(fieldPrefix));
  const custom =
    customFields.length === 0 || rows.length === 0
      ? []
      : await db
          .selectFrom("organization_field_value")
          .select(["organization_id", "key", "value"])
          .where("workspace_id", "=", scope.workspaceId)
          .where("connection_id", "=", scope.connectionId)
          .where(
            "organization_id",
            "in",
            rows.map((row) => row.id),
          )
          .where(
            "key",
            "in",
            customFields.map((field) => field.slice(fieldPrefix.length)),
          )
          .execute();
  const fieldValue = new Map(
    custom.map((field) => [`${field.organization_id} ${fieldPrefix}${field.key}`, field.value]),
  );
  const valuesOf = (row: OrganizationListRow, field: string): string[] => {
    if (field === "id") return [row.id];
    if (field === "name") return [row.name ?? ""];
    if (field === "external_id") return [row.external_id ?? ""];
    if (field === "domain_names") return row.domain_names;
    return [fieldValue.get(`${row.id} ${field}`) ?? ""];
  };
  return new Map(
    rows.map((row) => [row.id, keys.map((key) => ({ key, values: valuesOf(row, key.organizationField) }))]),
  );
}

async function readAccounts(
  db: Db,
  { workspaceId }: Scope,
  ids: string[],
): Promise<Map<string, Omit<Candidate, "evidence">>> {
  if (ids.length === 0) return new Map();
  const rows = await db
    .selectFrom("account")
    .select(["id", "external_id as externalId", "name"])
    .where("workspace_id", "=", workspaceId)
    .where("id", "in", [...new Set(ids)])
    .execute();
  return new Map(rows.map((row) => [row.id, row]));
}
