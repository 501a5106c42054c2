import { sql } from "kysely";
import type { Db } from "#db/client.ts";
import { effectiveOrder, type MetricSettings, ratingCodes, type Sql } from "#lib/metrics/counts.ts";
import type { TicketItem } from "#lib/reports/shapes.ts";
import { agentPage } from "#lib/zendesk/agent-pages.ts";

/** Where the page before ended. */
export interface Position {
  createdAt: string | null;
  id: string;
  connectionId: number;
  total: number;
}

export interface TicketListRow {
  id: string;
  connection_id: number;
  subject: string | null;
  status: string | null;
  priority: string | null;
  created_at: Date | null;
  updated_at: Date | null;
  solved_at: Date | null;
  organization_id: string | null;
  reporter: string | null;
  group_name: string | null;
  assignee: string | null;
  rating: number | null;
  rated_at: Date | null;
  rating_comment: string | null;
  merged: boolean;
  subdomain: string | null;
}

/** Tickets of an account that meet `behind`: the newest of each organization, by its index, then the newest of those. */
export async function readTickets(
  db: Db,
  { workspaceId: ws }: MetricSettings,
  accountId: string,
  behind: Sql,
  after: Position | null,
  limit: number,
): Promise<TicketListRow[]> {
  const newestFirst = (alias: string) =>
    sql.raw(`${alias}.created_at desc, ${alias}.id desc, ${alias}.connection_id desc`);
  const { rows } = await sql<TicketListRow>`
    select t.*, reporter.name as reporter, assignee.name as assignee, g.name as group_name, c.subdomain,
           answer.comment as rating_comment
      from (
        select t.id, t.connection_id, t.subject, t.status, t.priority, t.created_at, t.updated_at, t.solved_at,
               t.organization_id, t.requester_id, t.assignee_id, t.group_id, t.rating, t.rated_at, t.merged
          from organization o
          cross join lateral (
            select * from ticket t
             where t.workspace_id = ${ws}::int and t.connection_id = o.connection_id and t.organization_id = o.id
               and ${behind}${beyond(after)}
             order by ${newestFirst("t")} limit ${limit}) t
         where o.workspace_id = ${ws}::int and o.account_id = ${accountId}::bigint
         order by ${newestFirst("t")} limit ${limit}) t
      left join connection c on c.workspace_id = ${ws}::int and c.id = t.connection_id
      left join zendesk_user reporter on reporter.workspace_id = ${ws}::int and reporter.connection_id = t.connection_id
            and reporter.id = t.requester_id
      left join zendesk_user assignee on assignee.workspace_id = ${ws}::int and assignee.connection_id = t.connection_id
            and assignee.id = t.assignee_id
      left join zendesk_group g on g.workspace_id = ${ws}::int and g.connection_id = t.connection_id and g.id = t.group_id
      left join lateral (
        select comment from satisfaction_rating
         where t.rating is not null and workspace_id = ${ws}::int and connection_id = t.connection_id
           and ticket_id = t.id and category is not null and deleted_at is null
         order by ${effectiveOrder} limit 1) answer on true
     order by ${newestFirst("t")}`.execute(db);
  return rows;
}

function beyond(after: Position | null): Sql {
  if (after === null) return sql``;
  const tie = sql`(t.id, t.connection_id) < (${after.id}::bigint, ${after.connectionId}::int)`;
  if (after.createdAt === null) return sql` and (t.created_at is not null or ${tie})`;
  const at = sql`${after.createdAt}::timestamptz`;
  return sql` and t.created_at <= ${at} and (t.created_at < ${at} or ${tie})`;
}

export function positionAfter(row: TicketListRow): Position {
  return { createdAt: row.created_at?.toISOString() ?? null, id: row.id, connectionId: row.connection_id, total: 0 };
}

/** A ticket as the API shows it; names are null where the person or group is not known. */
export function ticketItem(row: TicketListRow, zendeskUrl: string): TicketItem {
  const words = Object.entries(ratingCodes).find(([, code]) => code === row.rating);
  return {
    id: row.id,
    connectionId: String(row.connection_id),
    subject: row.subject,
    status: row.status,
    priority: row.priority,
    createdAt: row.created_at?.toISOString() ?? null,
    updatedAt: row.updated_at?.toISOString() ?? null,
    solvedAt: row.solved_at?.toISOString() ?? null,
    organizationId: row.organization_id,
    reporter: row.reporter,
    group: row.group_name,
    assignee: row.assignee,
    rating: words ? { score: words[0], comment: row.rating_comment, at: row.rated_at?.toISOString() ?? null } : null,
    merged: row.merged,
    url: agentPage(zendeskUrl, row.subdomain ?? "", "tickets", row.id),
  };
}
