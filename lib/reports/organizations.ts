import { sql } from "kysely";
import type { z } from "zod";
import type { Db } from "#db/client.ts";
import { requireAccount } from "#lib/accounts/require-account.ts";
import type { accountOrganization as accountOrganizationShape } from "#lib/accounts/shapes.ts";
import { type CursorPart, pageOf, positionFrom } from "#lib/api/cursor.ts";
import type { List } from "#lib/api/shapes.ts";
import { invalid, notFound } from "#lib/errors.ts";
import type { MatchState, OrganizationItem, OrganizationsQuery } from "#lib/matching/shapes.ts";
import type { Sql } from "#lib/metrics/counts.ts";
import { type Cell, csvResponse } from "#lib/reports/csv.ts";
import { describeOrganizations, type OrganizationListRow } from "#lib/reports/organization-items.ts";
import { fromOneState } from "#lib/reports/snapshot.ts";
import { agentPage } from "#lib/zendesk/agent-pages.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

const CSV_BATCH = 500;
type AccountOrganization = z.infer<typeof accountOrganizationShape>;

/** Organizations of a connection with their match, its reason, and who else they may be. Deleted and merged ones are left out. */
export async function listOrganizations(
  db: Db,
  scope: Scope,
  query: OrganizationsQuery,
): Promise<List<OrganizationItem>> {
  const after = positionOf(query);
  const rows = await readRows(db, scope, { ...query, after, limit: query.limit + 1 });
  const described = await describeOrganizations(db, scope, rows.slice(0, query.limit));
  const items = new Map(described.map((item) => [item.organizationId, item]));
  return pageOf(
    rows,
    query.limit,
    (row) => items.get(row.id) as OrganizationItem,
    (row): CursorPart[] => [query.sort, row.tickets, row.id],
  );
}

/** One organization; 404 where the connection has none, or has it no more. */
export async function readOrganization(db: Db, scope: Scope, organizationId: string): Promise<OrganizationItem> {
  const [item] = await describeOrganizations(
    db,
    scope,
    await readRows(db, scope, { ids: [organizationId], sort: "id", limit: 1 }),
  );
  if (!item) throw notFound(`Organization ${organizationId}`);
  return item;
}

/** Columns of the list as a file; the last two are empty, for a person to fill in and upload again (T-53). */
export const organizationColumns = [
  ...["organization_id", "name", "external_id", "domain_names", "state", "reason", "matched_account", "candidates"],
  ...["tickets", "account_external_id", "action"],
] as const;

/** The same organizations as a file, all of them. `db` is the pool. */
export function organizationsCsv(db: Db, scope: Scope, query: OrganizationsQuery, now: Date): Promise<Response> {
  const batches = fromOneState(db, scope.workspaceId, now, async function* (trx) {
    let after: Position | null = null;
    do {
      const rows: OrganizationListRow[] = await readRows(trx, scope, { ...query, after, limit: CSV_BATCH });
      yield (await describeOrganizations(trx, scope, rows)).map(csvRow);
      const last = rows.at(-1);
      after = rows.length === CSV_BATCH && last ? { tickets: last.tickets, id: last.id } : null;
    } while (after !== null);
  });
  return csvResponse(`organizations-${query.state ?? "all"}.csv`, organizationColumns, batches);
}

function csvRow(item: OrganizationItem): Cell[] {
  return [
    ...[item.organizationId, item.name, item.externalId, item.domainNames.join(" "), item.state, item.reason],
    ...[item.account?.externalId ?? null, item.candidates.map((candidate) => candidate.externalId).join(" ")],
    ...[item.tickets, null, null],
  ];
}

interface Position {
  tickets: number;
  id: string;
}

interface Choice {
  state?: MatchState | undefined;
  q?: string | undefined;
  ids?: readonly string[];
  accountId?: string;
  sort: OrganizationsQuery["sort"];
  after?: Position | null;
  limit: number;
}

/** A decision that names an account that is gone is void and not shown: the keys decided. */
async function readRows(
  db: Db,
  { workspaceId: ws, connectionId }: Scope,
  choice: Choice,
): Promise<OrganizationListRow[]> {
  const order = choice.sort === "id" ? sql`id` : sql`tickets desc, id`;
  const { rows } = await sql<OrganizationListRow>`
    select * from (
      select o.id, o.name, o.external_id, o.domain_names, o.match_state, o.match_key_index, o.match_candidates, o.account_id,
             a.external_id as account_external_id, a.name as account_name, coalesce(m.total, 0) as tickets,
             case when o.match_key_index is null and o.match_state in ('matched', 'ignored') then d.decided_by end as decided_by,
             case when o.match_key_index is null and o.match_state in ('matched', 'ignored') then d.decided_at end as decided_at
        from organization o
        left join account a on a.workspace_id = ${ws}::int and a.id = o.account_id
        left join org_metric m on m.workspace_id = ${ws}::int and m.connection_id = o.connection_id and m.organization_id = o.id
        left join match_decision d on d.workspace_id = ${ws}::int and d.connection_id = o.connection_id
              and d.organization_id = o.id
       where o.workspace_id = ${ws}::int and o.connection_id = ${connectionId}::int and o.deleted_at is null
             ${chosen(choice)}) o
     where true ${beyond(choice)} order by ${order} limit ${choice.limit}`.execute(db);
  return rows;
}

function chosen({ state, q, ids }: Choice): Sql {
  const conditions: Sql[] = [sql``];
  if (state) conditions.push(sql`o.match_state = ${state}::text`);
  if (ids) conditions.push(sql`o.id = any(${ids}::bigint[])`);
  const words = q?.trim();
  if (words) {
    const pattern = `%${words.replaceAll(/[\\%_]/g, "\\$&")}%`;
    conditions.push(sql`(o.name ilike ${pattern}::text or o.external_id ilike ${pattern}::text or o.id::text = ${words}::text
      or array_to_string(o.domain_names, ' ') ilike ${pattern}::text)`);
  }
  return sql.join(conditions, sql` and `);
}

function beyond({ sort, after }: Choice): Sql {
  if (!after) return sql``;
  if (sort === "id") return sql`and id > ${after.id}::bigint`;
  return sql`and (tickets < ${after.tickets}::int or (tickets = ${after.tickets}::int and id > ${after.id}::bigint))`;
}

function positionOf(query: OrganizationsQuery): Position | null {
  const position = positionFrom(query.cursor, ["text", "number", "text"]);
  if (position === null) return null;
  const [sort, tickets, id] = position;
  if (sort === query.sort && /^-?\d{1,19}$/.test(id)) return { tickets, id };
  const message = "belongs to a list in another order: begin again without it";
  throw invalid(`cursor ${message}.`, [{ path: "cursor", message }]);
}

/** Organizations matched to an account, of every connection. */
export async function listAccountOrganizations(
  db: Db,
  workspaceId: number,
  accountId: string,
  query: { limit: number; cursor?: string | undefined },
  zendeskUrl: string,
): Promise<List<AccountOrganization>> {
  await requireAccount(db, workspaceId, accountId);
  const after = positionFrom(query.cursor, ["number", "text"]);
  const { rows } = await sql<{ connection_id: number; id: string; subdomain: string }>`
    select o.connection_id, o.id, c.subdomain
      from organization o
      left join connection c on c.workspace_id = ${workspaceId}::int and c.id = o.connection_id
     where o.workspace_id = ${workspaceId}::int and o.account_id = ${accountId}::bigint
           ${after ? sql`and (o.connection_id, o.id) > (${after[0]}::int, ${after[1]}::bigint)` : sql``}
     order by o.connection_id, o.id limit ${query.limit + 1}`.execute(db);
  const items = new Map<string, OrganizationItem>();
  for (const connectionId of new Set(rows.map((row) => row.connection_id))) {
    const scope = { workspaceId, connectionId };
    const ids = rows.filter((row) => row.connection_id === connectionId).map((row) => row.id);
    const found = await readRows(db, scope, { ids, sort: "id", limit: ids.length });
    for (const item of await describeOrganizations(db, scope, found))
      items.set(`${connectionId} ${item.organizationId}`, item);
  }
  const present = rows.filter((row) => items.has(`${row.connection_id} ${row.id}`));
  return pageOf(
    present,
    query.limit,
    (row) => accountOrganization(row, items.get(`${row.connection_id} ${row.id}`) as OrganizationItem, zendeskUrl),
    (row) => [row.connection_id, row.id],
  );
}

function accountOrganization(
  row: { connection_id: number; subdomain: string },
  item: OrganizationItem,
  zendeskUrl: string,
): AccountOrganization {
  return {
    connectionId: String(row.connection_id),
    organizationId: item.organizationId,
    name: item.name,
    externalId: item.externalId,
    domainNames: item.domainNames,
    tickets: item.tickets,
    reason: item.reason,
    url: agentPage(zendeskUrl, row.subdomain, "organizations", item.organizationId),
  };
}
