import { type RawBuilder, sql } from "kysely";
import type { Db } from "#db/client.ts";
import { type EntryFilter, organizationsOf, type Whose } from "./list.ts";

export interface CustomerEventRow {
  connection_id: number;
  event_id: string;
  kind: "customer_event";
  occurred_at: Date;
  name: string;
  /** JSON text. */
  properties: string;
  zendesk_user_id: string;
  user_name: string | null;
  subdomain: string;
  account_id: string;
  account_name: string;
}

const newestFirst = sql`e.occurred_at desc, e.event_id, e.connection_id`;

/**
 * The newest events of customers that are kept here (R-20), with the accounts whose organizations the users are in now: one
 * who joins an account later brings along what was kept before, and one who leaves takes it along. Where an event is of several
 * of the accounts that are asked for, it is given once: with the one of the user's default organization. Those of no account
 * are left out.
 */
export async function listCustomerEvents(
  db: Db,
  workspaceId: number,
  whose: Whose,
  filter: EntryFilter,
): Promise<CustomerEventRow[]> {
  const isOfSome = whose.accountId !== undefined || whose.ownerEmail !== undefined;
  const newest = (isOfSome ? newestOfEach : newestOfAll)(workspaceId, whose, filter);
  const { rows } = await sql<CustomerEventRow>`
    select e.connection_id, e.event_id, 'customer_event' as kind, e.occurred_at, e.name, e.properties, e.zendesk_user_id,
           u.name as user_name, c.subdomain, e.account_id, e.account_name
      from (${newest}) e
      join connection c on c.workspace_id = ${workspaceId} and c.id = e.connection_id
      left join zendesk_user u on u.workspace_id = ${workspaceId}
       and u.connection_id = e.connection_id and u.id = e.zendesk_user_id
     order by ${newestFirst}`.execute(db);
  return rows;
}

/** The users of the organizations that are asked for, each as often as they are in one: `rank` 0 where it is their default. */
function membersOf(workspaceId: number, whose: Whose): RawBuilder<unknown> {
  const organizations = organizationsOf(workspaceId, whose);
  return sql`
    select o.connection_id, u.id as user_id, o.account_id, o.account_name, 0 as rank
      from ${organizations} o
      join zendesk_user u on u.workspace_id = ${workspaceId} and u.connection_id = o.connection_id and u.organization_id = o.id
    union all
    select o.connection_id, m.user_id, o.account_id, o.account_name, 1
      from ${organizations} o
      join organization_membership m on m.workspace_id = ${workspaceId} and m.connection_id = o.connection_id
       and m.organization_id = o.id`;
}

/**
 * One walk of the index for each user of the accounts, then the newest of all: it costs what they have of users, whatever the
 * workspace has of events, and nothing where it has none. Then those whose users our rows know too little of yet.
 */
function newestOfEach(workspaceId: number, whose: Whose, filter: EntryFilter) {
  const events = (condition: RawBuilder<unknown>) => sql`
    select e.* from customer_event e
     where e.workspace_id = ${workspaceId} and ${condition} and ${isWithin(filter)}
     order by ${newestFirst} limit ${filter.limit}`;
  return sql`
    select * from (
      select e.*, m.account_id, m.account_name
        from (select distinct on (connection_id, user_id) * from (${membersOf(workspaceId, whose)}) m
               where (select exists (select from customer_event where workspace_id = ${workspaceId}))
               order by connection_id, user_id, rank, account_id) m
       cross join lateral (${events(sql`e.connection_id = m.connection_id and e.zendesk_user_id = m.user_id`)}) e
      union all
      select e.*, o.account_id, o.account_name
        from ${organizationsOf(workspaceId, whose)} o
       cross join lateral (${events(
         sql`e.connection_id = o.connection_id and e.organization_id = o.id and ${isOfUnknown(workspaceId)}`,
       )}) e) e
     order by ${newestFirst} limit ${filter.limit}`;
}

/** From the newest event on, each with the account of its user, until there are enough. */
function newestOfAll(workspaceId: number, whose: Whose, filter: EntryFilter) {
  return sql`
    select e.*, o.account_id, o.account_name
      from customer_event e
     cross join lateral (
       select o.account_id, o.account_name
         from (
           select u.organization_id as id, 0 as rank from zendesk_user u
            where u.workspace_id = ${workspaceId} and u.connection_id = e.connection_id and u.id = e.zendesk_user_id
           union all
           select m.organization_id, 1 from organization_membership m
            where m.workspace_id = ${workspaceId} and m.connection_id = e.connection_id and m.user_id = e.zendesk_user_id
           union all
           select e.organization_id, 2 where ${isOfUnknown(workspaceId)}) mine
         join ${organizationsOf(workspaceId, whose)} o on o.connection_id = e.connection_id and o.id = mine.id
        order by mine.rank, o.account_id limit 1) o
     where e.workspace_id = ${workspaceId} and ${isWithin(filter)}
     order by ${newestFirst} limit ${filter.limit}`;
}

/** Of whose user our rows know no organization: then the one holds that Zendesk named when the event was kept. */
function isOfUnknown(workspaceId: number): RawBuilder<unknown> {
  return sql`not exists (select from zendesk_user u where u.workspace_id = ${workspaceId}
         and u.connection_id = e.connection_id and u.id = e.zendesk_user_id and u.organization_id is not null)
    and not exists (select from organization_membership m where m.workspace_id = ${workspaceId}
         and m.connection_id = e.connection_id and m.user_id = e.zendesk_user_id)`;
}

function isWithin({ from, to, after }: EntryFilter): RawBuilder<unknown> {
  const conditions = [
    ...(from === undefined ? [] : [sql`e.occurred_at >= ${from}::timestamptz`]),
    ...(to === undefined ? [] : [sql`e.occurred_at < ${to}::timestamptz`]),
  ];
  if (after) {
    conditions.push(sql`e.occurred_at <= ${after.occurredAt}::timestamptz and (e.occurred_at < ${after.occurredAt}::timestamptz
      or (e.event_id, 'customer_event', e.connection_id) > (${after.ticketId}::bigint, ${after.kind}::text, ${after.connectionId}::int))`);
  }
  return conditions.length === 0 ? sql`true` : sql.join(conditions, sql` and `);
}
