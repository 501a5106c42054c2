import type { Selectable } from "kysely";
import type { Trx } from "#db/client.ts";
import type { OrganizationTable, TicketTable, ZendeskGroupTable, ZendeskUserTable } from "#db/schema.ts";
import type { Truth } from "#test/support/zendesk/truth.ts";

/** What one connection has stored, each table by id. */
export interface Stored {
  tickets: Selectable<TicketTable>[];
  organizations: Selectable<OrganizationTable>[];
  users: Selectable<ZendeskUserTable>[];
  groups: Selectable<ZendeskGroupTable>[];
}

/** A table in the words of the truth: what is stored beside what should be. */
export interface Compared {
  table: keyof Stored;
  is: { id: string }[];
  should: { id: string }[];
}

export async function readStored(trx: Trx, connectionId: number): Promise<Stored> {
  const rowsOf = <Table extends "ticket" | "organization" | "zendesk_user" | "zendesk_group">(table: Table) =>
    trx
      .selectFrom(table as "ticket")
      .selectAll()
      .where("connection_id", "=", connectionId)
      .orderBy("id")
      .execute();
  return {
    tickets: await rowsOf("ticket"),
    organizations: (await rowsOf("organization")) as unknown as Stored["organizations"],
    users: (await rowsOf("zendesk_user")) as unknown as Stored["users"],
    groups: (await rowsOf("zendesk_group")) as unknown as Stored["groups"],
  };
}

/** Row by row and field by field, all that a reader of the account can know (INV-CONV). */
export function compare(is: Stored, should: Truth): Compared[] {
  return [
    {
      table: "tickets",
      is: is.tickets.map((row) => ({
        id: row.id,
        status: row.status,
        priority: row.priority,
        type: row.type,
        createdAt: iso(row.created_at),
        updatedAt: iso(row.updated_at),
        generatedTimestamp: Number(row.generated_timestamp),
        organizationId: row.organization_id,
        requesterId: row.requester_id,
        assigneeId: row.assignee_id,
        groupId: row.group_id,
        customStatusId: row.custom_status_id,
        subject: row.subject,
        tags: row.tags,
        solvedAt: iso(row.solved_at),
        reopens: row.reopens,
        deleted: row.deleted_at !== null,
        merged: row.merged,
      })),
      should: should.tickets.map(({ scrubbed, archived, merged, ...ticket }) => ({
        ...ticket,
        merged: merged && ticket.status === "closed",
      })),
    },
    {
      table: "organizations",
      is: is.organizations
        .filter((row) => row.deleted_at === null)
        .map((row) => ({
          id: row.id,
          name: row.name,
          externalId: row.external_id,
          domainNames: row.domain_names,
          updatedAt: iso(row.updated_at),
        })),
      should: should.organizations.map(({ id, name, externalId, domainNames, updatedAt }) => ({
        id,
        name,
        externalId,
        domainNames,
        updatedAt,
      })),
    },
    {
      table: "users",
      is: is.users.map((row) => ({
        id: row.id,
        name: row.name,
        email: row.email,
        role: row.role,
        organizationId: row.organization_id,
        active: row.active,
        suspended: row.suspended,
      })),
      should: should.users.map(({ mergedInto, updatedAt, ...user }) => user),
    },
    {
      table: "groups",
      is: is.groups.map((row) => ({ id: row.id, name: row.name, deleted: row.deleted_at !== null })),
      should: should.groups,
    },
  ];
}

const iso = (at: Date | null) => at?.toISOString().replace(".000Z", "Z") ?? null;
