import { sql } from "kysely";
import type { Db } from "#db/client.ts";

/** Where the page before ended: people come by name, those without one last. */
export interface PersonPosition {
  sortName: string;
  connectionId: number;
  userId: string;
}

export interface PersonRow {
  connection_id: number;
  id: string;
  name: string | null;
  sort_name: string;
  email: string | null;
  organization_id: string;
  active: boolean;
  tickets: number;
  last_ticket_at: Date | null;
  subdomain: string;
}

/**
 * Users whose organization is matched to the account, with the tickets that they requested in it. Tickets are counted as
 * the account's own are: not deleted, merged ones by the workspace's setting.
 */
export async function listPeopleOfAccount(
  db: Db,
  workspaceId: number,
  accountId: string,
  page: { search: string | null; after: PersonPosition | null; limit: number },
): Promise<PersonRow[]> {
  const pattern = page.search === null ? null : `%${page.search.replace(/[\\%_]/g, "\\$&")}%`;
  const { rows } = await sql<PersonRow>`
    select person.*, c.subdomain, asked.tickets::int as tickets, asked.last_ticket_at
      from (
        select u.*
          from (
            select u.connection_id, u.id, u.name, u.email, u.organization_id, coalesce(u.active, true) as active,
                   coalesce(left(lower(u.name), 200), chr(1114111)) collate "C" as sort_name
              from organization o
              join zendesk_user u on u.workspace_id = ${workspaceId} and u.connection_id = o.connection_id
               and u.organization_id = o.id
             where o.workspace_id = ${workspaceId} and o.account_id = ${accountId} and u.deleted_at is null
               and (${pattern}::text is null or u.name ilike ${pattern} or u.email ilike ${pattern})) u
         where ${isAfter(page.after)}
         order by u.sort_name, u.connection_id, u.id
         limit ${page.limit}) person
      join connection c on c.workspace_id = ${workspaceId} and c.id = person.connection_id
     cross join lateral (
        select count(*) as tickets, max(t.created_at) as last_ticket_at
          from ticket t
          join organization o on o.workspace_id = ${workspaceId} and o.connection_id = t.connection_id
           and o.id = t.organization_id and o.account_id = ${accountId}
          join workspace w on w.id = ${workspaceId}
         where t.workspace_id = ${workspaceId} and t.connection_id = person.connection_id and t.requester_id = person.id
           and t.deleted_at is null and (w.count_merged or not t.merged)) asked
     order by person.sort_name, person.connection_id, person.id`.execute(db);
  return rows;
}

function isAfter(position: PersonPosition | null) {
  if (!position) return sql`true`;
  return sql`(u.sort_name, u.connection_id, u.id)
    > (${position.sortName}::text collate "C", ${position.connectionId}::int, ${position.userId}::bigint)`;
}
