import { type RawBuilder, sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import { freeMailDomains } from "#lib/matching/free-mail.ts";
import { whitespace } from "#lib/matching/rules.ts";
import type { MatchKey, MatchPreview, MatchState, Normalization } from "#lib/matching/shapes.ts";
import { lockMetrics, resumAccounts } from "#lib/metrics/store.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

type Sql = RawBuilder<unknown>;

/** More dirty accounts than this are summed in one pass over all of them. */
const MANY_ACCOUNTS = 1000;
/** So many candidates of an ambiguous organization are kept. */
const CANDIDATES = 20;

/**
 * Asks every key again for every organization of every connection, and brings account_metric up to the accounts as they
 * are now: after accounts came, changed or went. A table without a change writes nothing.
 */
export async function rematchWorkspace(trx: Trx, workspaceId: number, _now: Date): Promise<void> {
  await lockMetrics(trx, workspaceId);
  const connections = await trx
    .selectFrom("connection")
    .select("id")
    .where("workspace_id", "=", workspaceId)
    .orderBy("id")
    .execute();
  const dirty = new Set<string>();
  for (const { id } of connections) {
    const keys = await readMatchKeys(trx, { workspaceId, connectionId: id });
    const run = await match(trx, { workspaceId, connectionId: id }, keys, { write: true });
    for (const account of run.accounts) dirty.add(account);
  }
  await sumAgain(trx, workspaceId, [...dirty]);
  await withoutNestedLoops(trx, () => resumAccounts(trx, workspaceId, renamedAccounts(workspaceId)));
}

/** Matches organizations of one connection again, all of them or those named, and sums the accounts that it touches. */
export async function rematch(trx: Trx, scope: Scope, organizationIds?: readonly string[]): Promise<MatchPreview> {
  await lockMetrics(trx, scope.workspaceId);
  const keys = await readMatchKeys(trx, scope);
  const run = await match(trx, scope, keys, { write: true, organizationIds });
  await sumAgain(trx, scope.workspaceId, run.accounts);
  return run.preview;
}

/** What `keys` would give and change; changes nothing. */
export async function previewMatch(db: Db, scope: Scope, keys: MatchKey[]): Promise<MatchPreview> {
  return (await match(db, scope, keys, { write: false })).preview;
}

/** The ladder of a connection, in order. */
export async function readMatchKeys(db: Db, scope: Scope): Promise<MatchKey[]> {
  const rows = await db
    .selectFrom("match_key")
    .select(["organization_field", "account_field", "normalize"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .orderBy("position")
    .execute();
  return rows.map((row) => ({
    organizationField: row.organization_field,
    accountField: row.account_field,
    normalize: row.normalize as Normalization,
  }));
}

async function sumAgain(trx: Trx, workspaceId: number, accounts: string[]): Promise<void> {
  if (accounts.length === 0) return;
  const all = accounts.length > MANY_ACCOUNTS;
  const dirty = sql`(select unnest(${accounts}::bigint[]))`;
  await withoutNestedLoops(trx, () => resumAccounts(trx, workspaceId, all ? "all" : dirty));
}

/** Accounts whose name or owner differs from what stands beside their numbers, or that have no numbers yet. */
function renamedAccounts(workspaceId: number): Sql {
  return sql`(select a.id from account a
    left join account_metric m on m.workspace_id = ${workspaceId}::int and m.account_id = a.id
    where a.workspace_id = ${workspaceId}::int
      and (m.account_id is null or (m.name, m.owner_email) is distinct from (a.name, a.owner_email)))`;
}

interface Group {
  state: MatchState;
  key_index: number | null;
  organizations: number;
  gained: number;
  lost: number;
  moved: number;
  accounts: string[] | null;
}

/** One statement for everything: decisions first, then key after key; `write` stores what differs. */
async function match(
  db: Db,
  scope: Scope,
  keys: MatchKey[],
  options: { write: boolean; organizationIds?: readonly string[] | undefined },
): Promise<{ preview: MatchPreview; accounts: string[] }> {
  const collation = await lowerCaseCollation(db);
  const { workspaceId: ws, connectionId } = scope;
  const named = options.organizationIds ? sql` and id = any(${options.organizationIds}::bigint[])` : sql``;
  const keyTables = keys.map(
    (key, index) =>
      sql`, ${sql.raw(`key${index}`)} as materialized (${keyTable(
        scope,
        key,
        collation,
        options.organizationIds !== undefined,
      )})`,
  );
  const groups = sql<Group>`
    with organizations as materialized (
      select id, name, external_id, domain_names, account_id as was_account_id
        from organization
       where workspace_id = ${ws}::int and connection_id = ${connectionId}::int and deleted_at is null${named})
    ${sql.join(keyTables, sql``)},
    verdict as materialized (${verdicts(scope, keys.length)})
    ${options.write ? sql`, ${writeVerdicts(scope)}` : sql``}
    select state, key_index, count(*)::int as organizations,
           (count(*) filter (where was_account_id is null and account_id is not null))::int as gained,
           (count(*) filter (where was_account_id is not null and account_id is null))::int as lost,
           (count(*) filter (where was_account_id <> account_id))::int as moved,
           array_agg(was_account_id) filter (where was_account_id is not null and was_account_id is distinct from account_id)
           || array_agg(account_id) filter (where account_id is not null and was_account_id is distinct from account_id)
             as accounts
      from verdict group by state, key_index`;
  const { rows } = await withoutNestedLoops(db, () => groups.execute(db));
  return { preview: summary(rows, keys.length), accounts: [...new Set(rows.flatMap((row) => row.accounts ?? []))] };
}

/**
 * The planner knows nothing of rows that have only just come, takes them for a handful, and would hold every organization
 * against every account: minutes for a first page, where a hash join takes milliseconds whatever the planner believes.
 */
async function withoutNestedLoops<T>(db: Db, run: () => Promise<T>): Promise<T> {
  const setting = (value: "on" | "off") => sql`select set_config('enable_nestloop', ${value}, true)`.execute(db);
  await setting("off");
  const answer = await run();
  await setting("on");
  return answer;
}

/** The organizations that meet any account under a key: the one account, or several (null) with the first of them. */
function keyTable(scope: Scope, key: MatchKey, collation: string | null, narrow: boolean): Sql {
  const list = key.organizationField === "domain_names";
  // A fence: without it the planner works the value out again for each of its uses.
  const fence = key.normalize === "exact" ? sql`` : sql`offset 0`;
  const normal = (id: string, given: Sql) => sql`
    (select ${sql.ref(id)}, ${normalize(sql`raw`, key.normalize, collation)} as value from (${given}) given ${fence}) normal
      where ${usable(key.normalize)}`;
  const values = sql`(select id, value from ${normal("id", organizationValues(scope, key.organizationField))})`;
  const wanted = narrow ? sql` and value in (select value from ${values} wanted)` : sql``;
  const accounts = sql`(
    select value, count(*) as n, min(account_id) as account_id,
           (array_agg(account_id order by account_id))[1:${sql.lit(CANDIDATES)}] as met
      from ${normal("account_id", accountValues(scope, key.accountField))}${wanted} group by value)`;
  if (!list) {
    return sql`select id, case when n = 1 then account_id end as account_id, case when n > 1 then met end as met
                 from ${values} organization_value join ${accounts} account_value using (value)`;
  }
  return sql`
    select id, case when one then account_id end as account_id,
           case when not one then (
             select (array_agg(distinct account order by account))[1:${sql.lit(CANDIDATES)}]
               from unnest(string_to_array(all_met, ',')::bigint[]) account) end as met
      from (select id, max(n) = 1 and min(account_id) = max(account_id) as one, min(account_id) as account_id,
                   string_agg(array_to_string(met, ','), ',') as all_met
              from ${values} organization_value join ${accounts} account_value using (value) group by id) meeting`;
}

function organizationValues(scope: Scope, field: string): Sql {
  if (field === "id") return sql`select id, id::text as raw from organizations`;
  if (field === "name" || field === "external_id") return sql`select id, ${sql.ref(field)} as raw from organizations`;
  if (field === "domain_names") return sql`select id, unnest(domain_names) as raw from organizations`;
  return sql`
    select organizations.id, v.value as raw from organizations
      join organization_field_value v on v.workspace_id = ${scope.workspaceId}::int
       and v.connection_id = ${scope.connectionId}::int and v.organization_id = organizations.id
       and v.key = ${field.slice("organization_fields.".length)}`;
}

function accountValues({ workspaceId }: Scope, field: string): Sql {
  const columns: Record<string, string> = { id: "id::text", externalId: "external_id", name: "name" };
  const column = columns[field];
  if (column) {
    return sql`select id as account_id, ${sql.raw(column)} as raw from account where workspace_id = ${workspaceId}::int`;
  }
  return sql`select account_id, value as raw from account_attribute
              where workspace_id = ${workspaceId}::int and key = ${field.slice("attributes.".length)}`;
}

/** The SQL twin of `normalized` in rules.ts. */
function normalize(value: Sql, how: Normalization, collation: string | null): Sql {
  if (how === "exact") return value;
  const collate = collation ? sql` collate ${sql.id(collation)}` : sql``;
  const plain = sql`(lower(btrim(${value}, ${whitespace}::text)${collate}) collate "default")`;
  if (how === "case_insensitive") return plain;
  // Most values are bare hosts: only those that hold more go through the patterns, which cost most of a run.
  const address = sql`regexp_replace(${plain}, '^([a-z][a-z0-9+.-]*:)?//', '')`;
  const authority = ["/", "?", "#", "\\"].reduce(
    (text: Sql, end) => sql`split_part(${text}, ${end}::text, 1)`,
    address,
  );
  const host = sql`case when translate(${value}, '/?#\\@:', '') = ${value} then ${plain}
    else regexp_replace(split_part(${authority}, '@', -1), ':[0-9]*$', '') end`;
  return sql`regexp_replace(${host}, '^www\\.|\\.$', '', 'g')`;
}

function usable(how: Normalization): Sql {
  return how === "domain" ? sql`value <> '' and value <> all(${freeMailDomains}::text[])` : sql`value <> ''`;
}

/** A person's decision, else the first key that meets any account, else nothing. */
function verdicts({ workspaceId: ws, connectionId }: Scope, keys: number): Sql {
  const indexes = Array.from({ length: keys }, (_, index) => index);
  const whenKey = (column: string) =>
    sql.raw(indexes.map((i) => `when key${i}.id is not null then key${i}.${column}`).join(" "));
  const firstKey = sql.raw(indexes.map((i) => `when key${i}.id is not null then ${i}`).join(" "));
  const byKey = (column: string) => (keys === 0 ? sql`null` : sql`case ${whenKey(column)} end`);
  const decided = sql`(decision.ignored or chosen.id is not null)`;
  return sql`
    select id, was_account_id, account_id, key_index::smallint, met,
           case when ignored then 'ignored' when account_id is not null then 'matched'
                when key_index is not null then 'ambiguous' else 'unmatched' end as state
      from (select organizations.id, organizations.was_account_id, coalesce(decision.ignored, false) as ignored,
                   case when decision.ignored then null when chosen.id is not null then chosen.id
                        else ${byKey("account_id")}::bigint end as account_id,
                   case when ${decided} then null else ${keys === 0 ? sql`null` : sql`case ${firstKey} end`}::int end as key_index,
                   case when ${decided} then null else ${byKey("met")}::bigint[] end as met
              from organizations
              left join match_decision decision on decision.workspace_id = ${ws}::int
                    and decision.connection_id = ${connectionId}::int and decision.organization_id = organizations.id
              left join account chosen on chosen.workspace_id = ${ws}::int and chosen.id = decision.account_id
              ${sql.raw(indexes.map((i) => `left join key${i} on key${i}.id = organizations.id`).join(" "))}) asked`;
}

function writeVerdicts({ workspaceId: ws, connectionId }: Scope): Sql {
  return sql`
    written as (
      update organization o
         set account_id = verdict.account_id, match_state = verdict.state, match_key_index = verdict.key_index,
             match_candidates = verdict.met
        from verdict
       where o.workspace_id = ${ws}::int and o.connection_id = ${connectionId}::int and o.id = verdict.id
         and (o.account_id, o.match_state, o.match_key_index, o.match_candidates)
             is distinct from (verdict.account_id, verdict.state, verdict.key_index, verdict.met))`;
}

/**
 * A collation under which lower() knows all of Unicode, whatever the database was made with: "Ø" must not depend on the
 * server's locale.
 */
async function lowerCaseCollation(db: Db): Promise<string | null> {
  const { rows } = await sql<{ name: string }>`
    select collname as name from pg_collation where collname in ('und-x-icu', 'pg_unicode_fast', 'pg_c_utf8')
     order by array_position(array['und-x-icu', 'pg_unicode_fast', 'pg_c_utf8'], collname::text) limit 1`.execute(db);
  return rows[0]?.name ?? null;
}

function summary(groups: Group[], keys: number): MatchPreview {
  const total = (count: (group: Group) => number) => groups.reduce((sum, group) => sum + count(group), 0);
  const inState = (state: MatchState, index?: number) =>
    total((g) => (g.state === state && (index === undefined || g.key_index === index) ? g.organizations : 0));
  return {
    organizations: total((group) => group.organizations),
    matched: inState("matched"),
    unmatched: inState("unmatched"),
    ambiguous: inState("ambiguous"),
    ignored: inState("ignored"),
    byKey: Array.from({ length: keys }, (_, index) => ({
      index,
      matched: inState("matched", index),
      ambiguous: inState("ambiguous", index),
    })),
    changes: {
      gained: total((group) => group.gained),
      lost: total((group) => group.lost),
      moved: total((group) => group.moved),
    },
  };
}
