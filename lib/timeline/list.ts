import type { Db } from "#db/client.ts";
import { requireAccount } from "#lib/accounts/require-account.ts";
import { pageOf, positionFrom } from "#lib/api/cursor.ts";
import type { List } from "#lib/api/shapes.ts";
import { type FeedEntry, type FeedQuery, type TimelineEntry, type TimelineQuery, timelineKinds } from "./shapes.ts";
import { type EntryFilter, type EntryRow, listEntries, readTopPriorities } from "./store/list.ts";

/** The timeline of one account, newest first. Throws `not_found` for an account of another workspace. */
export async function accountTimeline(
  db: Db,
  workspaceId: number,
  accountId: string,
  query: TimelineQuery,
): Promise<List<TimelineEntry>> {
  await requireAccount(db, workspaceId, accountId);
  const rows = await listEntries(db, workspaceId, { accountId }, await filterOf(db, workspaceId, query));
  return pageOf(rows, query.limit, entryOf, positionOf);
}

/** The timelines of all accounts in one, or of the accounts of one owner. */
export async function workspaceFeed(db: Db, workspaceId: number, query: FeedQuery): Promise<List<FeedEntry>> {
  const ownerEmail = query.ownerEmail?.trim().toLowerCase();
  const rows = await listEntries(db, workspaceId, { ownerEmail }, await filterOf(db, workspaceId, query));
  const feedEntryOf = (row: EntryRow) => ({ ...entryOf(row), account: { id: row.account_id, name: row.account_name } });
  return pageOf(rows, query.limit, feedEntryOf, positionOf);
}

async function filterOf(db: Db, workspaceId: number, query: TimelineQuery): Promise<EntryFilter> {
  const position = positionFrom(query.cursor, ["instant", "id", "text", "number"]);
  return {
    kinds: query.kinds ?? timelineKinds,
    topOnly: query.priority === "top",
    topPriorities: await readTopPriorities(db, workspaceId),
    from: query.from,
    to: query.to,
    after: position && {
      occurredAt: position[0],
      ticketId: position[1],
      kind: position[2],
      connectionId: position[3],
    },
    limit: query.limit + 1,
  };
}

function positionOf(row: EntryRow) {
  return [row.occurred_at.toISOString(), row.ticket_id, row.kind, row.connection_id];
}

function entryOf(row: EntryRow): TimelineEntry {
  return {
    id: [row.connection_id, row.ticket_id, row.kind, row.occurred_at.getTime() / 1000].join("."),
    kind: row.kind,
    occurredAt: row.occurred_at.toISOString(),
    derived: row.derived,
    priorityThen: row.priority_then,
    ticket: {
      id: row.ticket_id,
      subject: row.subject,
      priority: row.priority,
      reporter: row.reporter,
      reportedAt: row.reported_at?.toISOString() ?? null,
      group: row.group_name,
      assignee: row.assignee,
      url: `https://${row.subdomain}.zendesk.com/agent/tickets/${row.ticket_id}`,
    },
    ...(row.kind === "rating_bad" && { rating: { score: "bad", comment: row.comment } }),
  };
}
