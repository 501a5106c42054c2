import type { OrganizationRow, RatingRow, TicketRow } from "#lib/zendesk/row-types.ts";

let hash = 1;
const nextHash = () => String(hash++);
const at = new Date("2026-11-01T09:00:00Z");

/** Rows as `rows.ts` makes them, every one with a content of its own. */
export function ticketRow(row: Partial<TicketRow> & { id: string }): TicketRow {
  return {
    createdAt: at,
    updatedAt: at,
    generatedTimestamp: 1000,
    solvedAt: null,
    deletedAt: null,
    organizationId: "1",
    requesterId: null,
    assigneeId: null,
    groupId: null,
    customStatusId: null,
    reopens: null,
    merged: false,
    priority: "normal",
    status: "open",
    type: null,
    channel: "web",
    externalId: null,
    subject: `Ticket ${row.id}`,
    tags: [],
    contentHash: nextHash(),
    payload: `{"id":${row.id}}`,
    ...row,
  };
}

export function ratingRow(row: Partial<RatingRow> & { id: string; ticketId: string }): RatingRow {
  return {
    system: "legacy",
    score: row.category ?? "good",
    category: "good",
    comment: null,
    ratedAt: at,
    createdAt: at,
    updatedAt: at,
    contentHash: nextHash(),
    ...row,
  };
}

export function organizationRow(row: Partial<OrganizationRow> & { id: string }): OrganizationRow {
  return {
    name: `Organization ${row.id}`,
    externalId: null,
    domainNames: [],
    groupId: null,
    createdAt: at,
    updatedAt: at,
    deletedAt: null,
    fields: [],
    contentHash: nextHash(),
    ...row,
  };
}
