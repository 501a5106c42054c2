import { sql } from "kysely";
import type { z } from "zod";
import type { Db } from "#db/client.ts";
import { requireDestination } from "#lib/destinations/destinations.ts";
import type { writeBack } from "#lib/destinations/shapes.ts";
import type { StoredDestination } from "#lib/destinations/store/destinations.ts";
import { type StoredRule, type WriteBackValue, writeBackRules } from "#lib/destinations/store/write-back.ts";
import type { MetricSettings, Sql } from "#lib/metrics/counts.ts";
import { stillStands } from "#lib/metrics/store.ts";
import { slotOf } from "#lib/reports/account-rows.ts";
import { type Standing, whereItStands } from "#lib/reports/freshness.ts";
import { chosenWindow } from "#lib/reports/numbers.ts";

const shownExamples = 20;
const attributePrefix = "attributes.";

type WriteBack = z.input<typeof writeBack>;

export interface FieldDifference extends WriteBackValue {
  name: string;
  from: string | null;
}

/** How an organization's fields differ from what its account's numbers are; how many organizations do in all. */
export interface Differences {
  organizations: number;
  /** Beside them: those that rest. */
  resting: number;
  /** Of the first of them. */
  rows: FieldDifference[];
}

/** The rules of a destination, and what they would change now, those that are off included. */
export async function readWriteBack(db: Db, workspaceId: number, id: string, now: Date): Promise<WriteBack> {
  const destination = await requireDestination(db, workspaceId, id);
  const rules = await writeBackRules(db, workspaceId, destination.id);
  const { organizations, rows } = await fieldDifferences(db, destination, rules, now, { limit: shownExamples });
  const tried = await countTried(db, destination);
  return {
    rules: rules.map((rule) => ({
      organizationField: rule.organization_field,
      measure: rule.measure,
      enabled: rule.enabled,
    })),
    pending: {
      organizations,
      examples: rows
        .slice(0, shownExamples)
        .map(({ organizationId, name, field, from, value }) => ({ organizationId, name, field, from, to: value })),
    },
    tried,
  };
}

/** Organizations whose newest write is not done: what was queued for a field counts as written until a number changes. */
async function countTried(db: Db, { workspace_id: ws, id }: StoredDestination): Promise<WriteBack["tried"]> {
  const { rows } = await sql<WriteBack["tried"]>`
    select (count(distinct kept.organization_id) filter (where d.state <> 'failed'))::int as open,
           (count(distinct kept.organization_id) filter (where d.state = 'failed'))::int as failed
      from write_back_value kept
      join delivery d on d.workspace_id = ${ws} and d.id = kept.delivery_id and d.state <> 'done'
     where kept.workspace_id = ${ws} and kept.destination_id = ${id}`.execute(db);
  return rows[0] ?? { open: 0, failed: 0 };
}

/**
 * Where what should stand in organization fields is not what was written last; of a field that was never written, not what
 * was read from Zendesk. Null empties a field: what is not known is never a zero, and an organization that has lost its
 * account loses the account's numbers. Accounts that are still being read for the first time are left out, and so are
 * organizations any of whose fields was queued after `restSince` and is written: what is not yet may be overtaken.
 */
export async function fieldDifferences(
  db: Db,
  destination: StoredDestination,
  rules: readonly StoredRule[],
  now: Date,
  { limit, restSince = null }: { limit: number; restSince?: Date | null },
): Promise<Differences> {
  if (rules.length === 0) return { organizations: 0, resting: 0, rows: [] };
  return whereItStands(db, destination.workspace_id, now, (standing) =>
    readDifferences(db, destination, rules, standing, { limit, restSince }),
  );
}

interface DifferenceRow {
  stands: boolean;
  organizations: number;
  resting: number;
  organizationId: string | null;
  name: string | null;
  field: string;
  from: string | null;
  value: string | null;
}

async function readDifferences(
  db: Db,
  destination: StoredDestination,
  rules: readonly StoredRule[],
  { settings, streams }: Standing,
  { limit, restSince }: { limit: number; restSince: Date | null },
): Promise<Differences | null> {
  const { workspace_id: ws, id, connection_id: connectionId } = destination;
  const connections = await connectionIds(db, ws);
  const unread = connections.filter((each) => streams.freshness([each]).freshThrough === null);
  const unrated = connections.filter((each) => streams.ratingsReason([each]) !== undefined);
  const values = rules.map((rule) => sql`(${rule.organization_field}::text, ${measured(rule.measure, settings)})`);
  const { rows } = await sql<DifferenceRow>`
    with wanted as (
      select o.id, o.name, o.account_id is not null as is_matched, rule.field, rule.value
        from organization o
        left join account a on a.workspace_id = ${ws} and a.id = o.account_id
        left join account_metric m on m.workspace_id = ${ws} and m.account_id = o.account_id
        left join lateral (
          select bool_or(other.connection_id = any(${unread}::int[])) as is_unread,
                 bool_and(other.connection_id = any(${unrated}::int[])) as is_unrated
            from organization other where other.workspace_id = ${ws} and other.account_id = o.account_id) read on true
       cross join lateral (values ${sql.join(values)}) rule(field, value)
       where o.workspace_id = ${ws} and o.connection_id = ${connectionId} and o.deleted_at is null
         and not coalesce(read.is_unread, ${unread.includes(connectionId)}::boolean)
    ), differing as (
      select wanted.*, case when kept.organization_id is null then nullif(present.value, '') else kept.value end as former
        from wanted
        left join write_back_value kept on kept.workspace_id = ${ws} and kept.destination_id = ${id}
          and kept.organization_id = wanted.id and kept.organization_field = wanted.field
        left join organization_field_value present on present.workspace_id = ${ws}
          and present.connection_id = ${connectionId} and present.organization_id = wanted.id
          and present.key = wanted.field
       where case when kept.organization_id is null
               then is_matched and nullif(present.value, '') is distinct from wanted.value
               else kept.value is distinct from wanted.value end
    ), rested as (
      select *, exists (select from write_back_value kept
                         join delivery d on d.workspace_id = ${ws} and d.id = kept.delivery_id and d.state = 'done'
                        where kept.workspace_id = ${ws} and kept.destination_id = ${id}
                          and kept.organization_id = differing.id
                          and kept.set_at > ${restSince?.toISOString() ?? null}::timestamptz) as rests
        from differing
    )
    select ${stillStands(settings)} as stands, (select count(distinct id) from rested where not rests)::int as organizations,
           (select count(distinct id) from rested where rests)::int as resting,
           d.id as "organizationId", d.name, d.field, d.former as "from", d.value
      from workspace w
      left join (select * from rested
                  where id in (select distinct id from rested where not rests order by id limit ${limit})) d on true
     where w.id = ${ws}
     order by d.id, d.field`.execute(db);
  const first = rows[0];
  if (!first?.stands) return null;
  return {
    organizations: first.organizations,
    resting: first.resting,
    rows: rows.flatMap(({ organizationId, name, field, from, value }) =>
      organizationId === null ? [] : [{ organizationId, name: name ?? organizationId, field, from, value }],
    ),
  };
}

async function connectionIds(db: Db, workspaceId: number): Promise<number[]> {
  const rows = await db.selectFrom("connection").select("id").where("workspace_id", "=", workspaceId).execute();
  return rows.map(({ id }) => id);
}

/** A measure as text, null where it is not known; of `o`, its account `a` and the account's counts `m`. */
function measured(measure: string, settings: MetricSettings): Sql {
  if (measure.startsWith(attributePrefix)) {
    return sql`(select nullif(value, '') from account_attribute where workspace_id = ${settings.workspaceId}
      and account_id = o.account_id and key = ${measure.slice(attributePrefix.length)})`;
  }
  const slot = slotOf(settings, chosenWindow(settings, undefined));
  const count = (name: string) => sql.raw(`m.w${slot}_${name}::bigint`);
  const rated = sql`(${count("good")} + ${count("neutral")} + ${count("bad")})`;
  switch (measure) {
    case "ticketsTotal":
      return sql`m.total::text`;
    case "ticketsUnsolved":
      return sql`m.unsolved::text`;
    case "topUnsolved":
      return sql`m.unsolved_top::text`;
    case "ratings":
      return sql`case when not read.is_unrated then ${rated}::text end`;
    case "csat":
      // As csatScore: rounded half up to one decimal, in integers.
      return sql`case when not read.is_unrated and ${rated} > 0
        then trim_scale(((2000 * ${count("good")} + ${rated}) / (2 * ${rated}))::numeric / 10)::text end`;
    case "owner":
      return sql`nullif(a.owner_email, '')`;
    case "accountName":
      return sql`nullif(a.name, '')`;
    default:
      return sql`a.external_id`;
  }
}
