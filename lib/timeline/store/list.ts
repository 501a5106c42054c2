import { type RawBuilder, sql } from "kysely";
import type { Db } from "#db/client.ts";
import { escalations, kindsJudgedByPriority } from "../kinds.ts";
import type { TimelineKind } from "../shapes.ts";

/** Where the page before ended: entries come newest first, those of one second by ticket and kind. */
export interface EntryPosition {
  occurredAt: string;
  ticketId: string;
  kind: string;
  connectionId: number;
}

/** Entries of one account, of the accounts of one owner, or of all. */
export interface Whose {
  accountId?: string;
  ownerEmail?: string | undefined;
}

export interface EntryFilter {
  kinds: readonly TimelineKind[];
  /** Only what was of top priority at its moment, kind by kind (metrics.md, Timeline). */
  topOnly: boolean;
  topPriorities: readonly string[];
  /** Belongs to the span; `to` does not. */
  from?: string | undefined;
  to?: string | undefined;
  after: EntryPosition | null;
  limit: number;
}

export interface EntryRow {
  connection_id: number;
  ticket_id: string;
  kind: Exclude<TimelineKind, "customer_event">;
  occurred_at: Date;
  derived: boolean;
  priority_then: string | null;
  comment: string | null;
  subject: string | null;
  priority: string | null;
  reported_at: Date | null;
  reporter: string | null;
  group_name: string | null;
  assignee: string | null;
  subdomain: string;
  account_id: string;
  account_name: string;
}

/** Up to so many organizations the newest entries of each are merged; beyond, the workspace's entries are walked in order. */
const MERGED_ORGANIZATIONS = 300;

const newestFirst = sql`e.occurred_at desc, e.ticket_id, e.kind, e.connection_id`;

/** The newest entries with what is known of their tickets. Entries of deleted tickets and of no account are left out. */
export async function listEntries(db: Db, workspaceId: number, whose: Whose, filter: EntryFilter): Promise<EntryRow[]> {
  const organizations = organizationsOf(workspaceId, whose);
  const few = whose.accountId !== undefined || (await isFew(db, organizations));
  const newest = (few ? newestOfEach : newestOfAll)(workspaceId, organizations, filter);
  const { rows } = await sql<EntryRow>`
    select e.connection_id, e.ticket_id, e.kind, e.occurred_at, e.derived, e.priority_then, e.comment,
           e.account_id, e.account_name, t.subject, t.priority, t.created_at as reported_at,
           requester.name as reporter, g.name as group_name, assignee.name as assignee, c.subdomain
      from (${newest}) e
      join connection c on c.workspace_id = ${workspaceId} and c.id = e.connection_id
      join ticket t on t.workspace_id = ${workspaceId} and t.connection_id = e.connection_id and t.id = e.ticket_id
      left join zendesk_user requester on requester.workspace_id = ${workspaceId}
       and requester.connection_id = e.connection_id and requester.id = t.requester_id
      left join zendesk_user assignee on assignee.workspace_id = ${workspaceId}
       and assignee.connection_id = e.connection_id and assignee.id = t.assignee_id
      left join zendesk_group g on g.workspace_id = ${workspaceId}
       and g.connection_id = e.connection_id and g.id = t.group_id
     order by ${newestFirst}`.execute(db);
  return rows;
}

/** Organizations that belong to accounts, with those, as a subquery: connection_id, id, account_id, account_name. */
export function organizationsOf(workspaceId: number, whose: Whose): RawBuilder<unknown> {
  const accounts = sql`account a where a.workspace_id = ${workspaceId}
    ${whose.accountId === undefined ? sql`` : sql`and a.id = ${whose.accountId}`}
    ${whose.ownerEmail === undefined ? sql`` : sql`and a.owner_email = ${whose.ownerEmail}`}`;
  return sql`(
    select o.connection_id, o.id, o.account_id, a.name as account_name
      from organization o join (select a.id, a.name from ${accounts}) a on a.id = o.account_id
     where o.workspace_id = ${workspaceId} and o.account_id is not null)`;
}

async function isFew(db: Db, organizations: RawBuilder<unknown>): Promise<boolean> {
  const { rows } = await sql<{ few: boolean }>`
    select count(*) <= ${MERGED_ORGANIZATIONS} as few
      from (select from ${organizations} o limit ${MERGED_ORGANIZATIONS + 1}) o`.execute(db);
  return rows[0]?.few ?? true;
}

/** One walk of the index for each organization, then the newest of all: the largest account costs what a small one does. */
function newestOfEach(workspaceId: number, organizations: RawBuilder<unknown>, filter: EntryFilter) {
  return sql`
    select e.*, o.account_id, o.account_name
      from ${organizations} o
     cross join lateral (
       select e.* from timeline_entry e
        where e.workspace_id = ${workspaceId} and e.connection_id = o.connection_id and e.organization_id = o.id
          and ${isShown(workspaceId, filter)}
        order by ${newestFirst} limit ${filter.limit}) e
     order by ${newestFirst} limit ${filter.limit}`;
}

function newestOfAll(workspaceId: number, organizations: RawBuilder<unknown>, filter: EntryFilter) {
  return sql`
    select e.*, o.account_id, o.account_name
      from timeline_entry e
      join ${organizations} o on o.connection_id = e.connection_id and o.id = e.organization_id
     where e.workspace_id = ${workspaceId} and ${isShown(workspaceId, filter)}
     order by ${newestFirst} limit ${filter.limit}`;
}

function isShown(workspaceId: number, { kinds, topOnly, topPriorities, from, to, after }: EntryFilter) {
  const conditions = [
    sql`e.kind = any(${kinds}::text[])`,
    sql`(e.kind <> 'ticket_escalated' or string_to_array(e.moves, ' ') && ${escalations(topPriorities)}::text[])`,
    sql`exists (select from ticket t where t.workspace_id = ${workspaceId} and t.connection_id = e.connection_id
                   and t.id = e.ticket_id and t.deleted_at is null)`,
  ];
  if (topOnly) {
    conditions.push(
      sql`(e.kind <> all(${kindsJudgedByPriority}::text[]) or e.priority_then = any(${topPriorities}::text[]))`,
    );
  }
  if (from !== undefined) conditions.push(sql`e.occurred_at >= ${from}::timestamptz`);
  if (to !== undefined) conditions.push(sql`e.occurred_at < ${to}::timestamptz`);
  if (after) {
    conditions.push(sql`e.occurred_at <= ${after.occurredAt}::timestamptz and (e.occurred_at < ${after.occurredAt}::timestamptz
      or (e.ticket_id, e.kind, e.connection_id) > (${after.ticketId}::bigint, ${after.kind}::text, ${after.connectionId}::int))`);
  }
  return sql.join(conditions, sql` and `);
}

/** The priorities that the workspace calls top. */
export async function readTopPriorities(db: Db, workspaceId: number): Promise<string[]> {
  const { top_priorities } = await db
    .selectFrom("workspace")
    .select("top_priorities")
    .where("id", "=", workspaceId)
    .executeTakeFirstOrThrow();
  return top_priorities;
}
