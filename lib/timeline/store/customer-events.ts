import { sql } from "kysely";
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

/** The newest events of customers that are kept here; those of no account are left out. */
export async function listCustomerEvents(
  db: Db,
  workspaceId: number,
  whose: Whose,
  { from, to, after, limit }: EntryFilter,
): Promise<CustomerEventRow[]> {
  const conditions = [
    sql`e.workspace_id = ${workspaceId} and e.connection_id = o.connection_id and e.organization_id = o.id`,
    ...(from === undefined ? [] : [sql`e.occurred_at >= ${from}::timestamptz`]),
    ...(to === undefined ? [] : [sql`e.occurred_at < ${to}::timestamptz`]),
  ];
  if (after) {
    conditions.push(sql`e.occurred_at <= ${after.occurredAt}::timestamptz and (e.occurred_at < ${after.occurredAt}::timestamptz
      or (e.event_id, 'customer_event', e.connection_id) > (${after.ticketId}::bigint, ${after.kind}::text, ${after.connectionId}::int))`);
  }
  const { rows } = await sql<CustomerEventRow>`
    select e.connection_id, e.event_id, 'customer_event' as kind, e.occurred_at, e.name, e.properties, e.zendesk_user_id,
           u.name as user_name, c.subdomain, o.account_id, o.account_name
      from ${organizationsOf(workspaceId, whose)} o
     cross join lateral (
       select e.* from customer_event e
        where ${sql.join(conditions, sql` and `)}
        order by e.occurred_at desc, e.event_id limit ${limit}) e
      join connection c on c.workspace_id = ${workspaceId} and c.id = e.connection_id
      left join zendesk_user u on u.workspace_id = ${workspaceId}
       and u.connection_id = e.connection_id and u.id = e.zendesk_user_id
     order by e.occurred_at desc, e.event_id, e.connection_id
     limit ${limit}`.execute(db);
  return rows;
}
