import { sql } from "kysely";
import type { Db } from "#db/client.ts";
import { normalized } from "#lib/matching/rules.ts";
import type { OrganizationItem } from "#lib/matching/shapes.ts";
import type { Sql } from "#lib/metrics/counts.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

export type Candidate = OrganizationItem["candidates"][number];

/** So many suggestions an organization. */
const MOST = 5;

export interface Unmatched {
  id: string;
  name: string | null;
  externalId: string | null;
  domainNames: string[];
}

/**
 * Accounts that unmatched organizations may be, each with what speaks for it: a like name, a domain kept in an attribute or
 * resembling the name, an id kept in an attribute. Suggestions are for a person to judge; nothing is decided by them.
 */
export async function suggestAccounts(
  db: Db,
  scope: Scope,
  organizations: readonly Unmatched[],
): Promise<Map<string, Candidate[]>> {
  const suggestions = new Map<string, Candidate[]>();
  if (organizations.length === 0) return suggestions;
  const domains = organizations.flatMap(({ id, domainNames }) =>
    domainNames.map((domain) => ({ id, domain: normalized(domain, "domain") })).filter(({ domain }) => domain !== ""),
  );
  const forms = domains.flatMap(({ id, domain }) => writtenForms(domain).map((form) => ({ id, domain, form })));
  const { rows } = await sql<Candidate & { organization_id: string }>`
    with named as materialized (
      select id, name, ${slug(sql`name`)} as slug
        from unnest(${organizations.map((o) => o.id)}::bigint[], ${organizations.map((o) => o.name)}::text[]) as n(id, name)),
    account_name as materialized (
      select id, name, ${slug(sql`name`)} as slug from account where workspace_id = ${scope.workspaceId}::int),
    found as (
      select named.id as organization_id, account_name.id as account_id, 1 as strength,
             'The names are alike: “' || named.name || '” and “' || account_name.name || '”.' as evidence
        from named join account_name using (slug) where slug <> ''
      union all
      select form.id, a.account_id, 2, 'The domain ' || form.domain || ' stands in the attribute ' || a.key || '.'
        from unnest(${forms.map((f) => f.id)}::bigint[], ${forms.map((f) => f.domain)}::text[], ${forms.map((f) => f.form)}::text[])
             as form(id, domain, form)
        join account_attribute a on a.workspace_id = ${scope.workspaceId}::int and lower(a.value) = form.form
      union all
      select wanted.id, a.account_id, 3, 'The attribute ' || a.key || ' holds its ' || wanted.what || ' “' || wanted.value || '”.'
        from ${identifiers(organizations)} as wanted(id, what, value)
        join account_attribute a on a.workspace_id = ${scope.workspaceId}::int and a.value = wanted.value
      union all
      select label.id, account_name.id, 4, 'The domain ' || label.domain || ' resembles the name “' || account_name.name || '”.'
        from (select id, domain, ${slug(sql`split_part(domain, '.', 1)`)} as slug
                from unnest(${domains.map((d) => d.id)}::bigint[], ${domains.map((d) => d.domain)}::text[]) as d(id, domain)) label
        join account_name using (slug) where length(slug) >= 3),
    best as (
      select distinct on (organization_id, account_id) * from found order by organization_id, account_id, strength),
    ranked as (
      select *, row_number() over (partition by organization_id order by strength, account_id) as place from best)
    select ranked.organization_id, a.id, a.external_id as "externalId", a.name, ranked.evidence
      from ranked join account a on a.workspace_id = ${scope.workspaceId}::int and a.id = ranked.account_id
     where place <= ${MOST} order by ranked.organization_id, place`.execute(db);
  for (const { organization_id, ...candidate } of rows) {
    suggestions.set(organization_id, [...(suggestions.get(organization_id) ?? []), candidate]);
  }
  return suggestions;
}

/** Letters and digits alone, without the legal form: “Acme, Inc.” and “ACME” are alike. */
function slug(text: Sql): Sql {
  const legal =
    "[ ,.]+(inc|llc|llp|ltd|limited|corp|corporation|co|company|gmbh|ag|se|kg|sa|sas|srl|spa|bv|nv|ab|as|oy|plc|pty)[. ]*$";
  return sql`regexp_replace(regexp_replace(lower(${text}), ${legal}::text, ''), '[^[:alnum:]]+', '', 'g')`;
}

function writtenForms(domain: string): string[] {
  const hosts = [domain, `www.${domain}`];
  return hosts.flatMap((host) => [host, `https://${host}`, `https://${host}/`, `http://${host}`, `http://${host}/`]);
}

function identifiers(organizations: readonly Unmatched[]): Sql {
  const wanted = organizations.flatMap(({ id, externalId }) => [
    { id, what: "Zendesk id", value: id },
    ...(externalId ? [{ id, what: "external id", value: externalId }] : []),
  ]);
  return sql`unnest(${wanted.map((w) => w.id)}::bigint[], ${wanted.map((w) => w.what)}::text[], ${wanted.map((w) => w.value)}::text[])`;
}
