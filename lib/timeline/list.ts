import type { Db } from "#db/client.ts";
import { requireAccount } from "#lib/accounts/require-account.ts";
import { pageOf, positionFrom } from "#lib/api/cursor.ts";
import type { List } from "#lib/api/shapes.ts";
import { agentPage } from "#lib/zendesk/agent-pages.ts";
import { type FeedEntry, type FeedQuery, type TimelineEntry, type TimelineQuery, timelineKinds } from "./shapes.ts";
import { type CustomerEventRow, listCustomerEvents } from "./store/customer-events.ts";
import { type EntryFilter, type EntryRow, listEntries, readTopPriorities, type Whose } from "./store/list.ts";

/** A moment of a ticket, or something that a customer did. */
type Row = EntryRow | CustomerEventRow;

/** Every entry of these has its ticket: what a reader who names no kinds can rely on. */
const ofTickets = timelineKinds.filter((kind) => kind !== "customer_event");

/** The timeline of one account, newest first. Throws `not_found` for an account of another workspace. */
export async function accountTimeline(
  db: Db,
  workspaceId: number,
  accountId: string,
  query: TimelineQuery,
  zendeskUrl: string,
): Promise<List<TimelineEntry>> {
  await requireAccount(db, workspaceId, accountId);
  const rows = await listRows(db, workspaceId, { accountId }, await filterOf(db, workspaceId, query));
  return pageOf(rows, query.limit, (row) => entryOf(row, zendeskUrl), positionOf);
}

/** The timelines of all accounts in one, or of the accounts of one owner. */
export async function workspaceFeed(
  db: Db,
  workspaceId: number,
  query: FeedQuery,
  zendeskUrl: string,
): Promise<List<FeedEntry>> {
  const ownerEmail = query.ownerEmail?.trim().toLowerCase();
  const rows = await listRows(db, workspaceId, { ownerEmail }, await filterOf(db, workspaceId, query));
  const feedEntryOf = (row: Row) => ({
    ...entryOf(row, zendeskUrl),
    account: { id: row.account_id, name: row.account_name },
  });
  return pageOf(rows, query.limit, feedEntryOf, positionOf);
}

/** Both lists are in one order, newest first, and so is what is merged of them. */
async function listRows(db: Db, workspaceId: number, whose: Whose, filter: EntryFilter): Promise<Row[]> {
  const kinds = filter.kinds.filter((kind) => kind !== "customer_event");
  const entries = kinds.length === 0 ? [] : await listEntries(db, workspaceId, whose, { ...filter, kinds });
  if (kinds.length === filter.kinds.length) return entries;
  const events = await listCustomerEvents(db, workspaceId, whose, filter);
  return [...entries, ...events].sort(inOrder).slice(0, filter.limit);
}

function inOrder(left: Row, right: Row): number {
  const [a, b] = [BigInt(subjectOf(left)), BigInt(subjectOf(right))];
  return (
    right.occurred_at.getTime() - left.occurred_at.getTime() ||
    (a < b ? -1 : a > b ? 1 : 0) ||
    (left.kind < right.kind ? -1 : left.kind > right.kind ? 1 : 0) ||
    left.connection_id - right.connection_id
  );
}

/** The ticket, or the event, that the row is about. */
function subjectOf(row: Row): string {
  return row.kind === "customer_event" ? row.event_id : row.ticket_id;
}

async function filterOf(db: Db, workspaceId: number, query: TimelineQuery): Promise<EntryFilter> {
  const position = positionFrom(query.cursor, ["instant", "id", "text", "number"]);
  return {
    kinds: query.kinds ?? ofTickets,
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

function positionOf(row: Row) {
  return [row.occurred_at.toISOString(), subjectOf(row), row.kind, row.connection_id];
}

function entryOf(row: Row, zendeskUrl: string): TimelineEntry {
  const common = {
    id: [row.connection_id, subjectOf(row), row.kind, row.occurred_at.getTime() / 1000].join("."),
    occurredAt: row.occurred_at.toISOString(),
  };
  if (row.kind === "customer_event") return { ...common, ...eventEntry(row, zendeskUrl) };
  return {
    ...common,
    kind: row.kind,
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
      url: agentPage(zendeskUrl, row.subdomain, "tickets", row.ticket_id),
    },
    ...(row.kind === "rating_bad" && { rating: { score: "bad", comment: row.comment } }),
  };
}

function eventEntry(row: CustomerEventRow, zendeskUrl: string): Omit<TimelineEntry, "id" | "occurredAt"> {
  const { name, zendesk_user_id: userId, user_name: userName } = row;
  const properties = JSON.parse(row.properties) as Record<string, unknown>;
  const user = { id: userId, name: userName, url: agentPage(zendeskUrl, row.subdomain, "users", userId) };
  return { kind: row.kind, derived: false, priorityThen: null, ticket: null, event: { name, properties, user } };
}
