import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import type { StatusCategories, TicketChange } from "../audits.ts";
import type { BadRating, TicketHistory } from "../build.ts";
import { type StatusCategory, statusCategories } from "../kinds.ts";

/** Event fields that `build` reads; a row of kind create marks the creation, whatever its field. */
const fieldsRead = ["created", "status", "custom_status_id", "priority"];

export type StoredHistory = TicketHistory & { ticketId: string; organizationId: string | null };

/** The histories of those of the tickets that are stored. */
export async function readHistories(trx: Trx, scope: Scope, ticketIds: string[]): Promise<StoredHistory[]> {
  const histories = new Map<string, StoredHistory & { changes: TicketChange[]; badRatings: BadRating[] }>();
  for (const ticket of await readTickets(trx, scope, ticketIds)) {
    histories.set(ticket.id, {
      ticketId: ticket.id,
      organizationId: ticket.organization_id,
      createdAt: ticket.created_at,
      solvedAt: ticket.solved_at,
      priority: ticket.priority,
      deleted: ticket.deleted_at !== null,
      changes: [],
      badRatings: [],
    });
  }
  for (const event of await readEvents(trx, scope, ticketIds)) {
    histories.get(event.ticket_id)?.changes.push({
      auditId: event.id,
      field: event.field as TicketChange["field"],
      position: event.position,
      occurredAt: event.occurred_at,
      kind: event.kind as TicketChange["kind"],
      value: event.value,
      previous: event.previous,
    });
  }
  for (const { ticket_id, system, rated_at, comment } of await readBadRatings(trx, scope, ticketIds)) {
    if (rated_at) histories.get(ticket_id)?.badRatings.push({ system, ratedAt: rated_at, comment });
  }
  return [...histories.values()];
}

function readTickets(trx: Trx, scope: Scope, ticketIds: string[]) {
  return trx
    .selectFrom("ticket")
    .select(["id", "organization_id", "created_at", "solved_at", "priority", "deleted_at"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("id", "=", anyOf(ticketIds))
    .execute();
}

function readEvents(trx: Trx, scope: Scope, ticketIds: string[]) {
  return trx
    .selectFrom("ticket_event")
    .select(["id", "field", "position", "ticket_id", "occurred_at", "kind", "value", "previous"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("ticket_id", "=", anyOf(ticketIds))
    .where(sql<boolean>`(kind = 'create' or field = any(${fieldsRead}::text[]))`)
    .execute();
}

/** Bad answers, those that were changed later too. */
async function readBadRatings(trx: Trx, scope: Scope, ticketIds: string[]) {
  const bad = sql`workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId}
    and ticket_id = ${anyOf(ticketIds)} and category = 'bad'`;
  const { rows } = await sql<{ ticket_id: string; system: string; rated_at: Date | null; comment: string | null }>`
    select ticket_id, system, rated_at, comment from satisfaction_rating where ${bad} and deleted_at is null
    union all
    select ticket_id, system, rated_at, comment from former_rating where ${bad}
    order by rated_at`.execute(trx);
  return rows;
}

function anyOf(ids: string[]) {
  return sql<string>`any(${ids}::bigint[])`;
}

/** Categories of the connection's custom statuses, by id and by label in lower case. */
export async function readStatusCategories(trx: Trx, scope: Scope): Promise<StatusCategories> {
  const statuses = await trx
    .selectFrom("custom_status")
    .select(["id", "label", "category"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("category", "is not", null)
    .execute();
  const known = statuses.map(({ category, ...rest }) => ({ ...rest, category: category as StatusCategory }));
  return new Map([
    ...known.flatMap(({ label, category }) => (label ? [[label.toLowerCase(), category] as const] : [])),
    ...known.map(({ id, category }) => [id, category] as const),
  ]);
}

/** Tickets with a change of status that Zendesk's own words do not explain: what it was depends on the custom statuses. */
export async function ticketsOfCustomStatuses(trx: Trx, scope: Scope): Promise<string[]> {
  const { rows } = await sql<{ ticket_id: string }>`
    select distinct e.ticket_id
      from ticket_event e
     where e.workspace_id = ${scope.workspaceId} and e.connection_id = ${scope.connectionId}
       and (e.field = 'status' and lower(e.value) <> all(${[...statusCategories, "deleted"]}::text[])
         or e.field = 'custom_status_id' and not exists (
              select from ticket_event status
               where status.workspace_id = e.workspace_id and status.connection_id = e.connection_id
                 and status.id = e.id and status.field = 'status'))`.execute(trx);
  return rows.map((row) => row.ticket_id);
}
