import type { Selectable } from "kysely";
import type { Trx } from "#db/client.ts";
import type {
  CustomStatusTable,
  FieldDefinitionTable,
  OrganizationFieldValueTable,
  OrganizationMembershipTable,
  OrganizationTable,
  SatisfactionRatingTable,
  TicketEventTable,
  TicketTable,
  ZendeskGroupTable,
  ZendeskUserTable,
} from "#db/schema.ts";
import type { Truth } from "#test/support/zendesk/truth.ts";

/** What one connection has stored, each table by id. */
export interface Stored {
  tickets: Selectable<TicketTable>[];
  organizations: Selectable<OrganizationTable>[];
  organizationFieldValues: Selectable<OrganizationFieldValueTable>[];
  users: Selectable<ZendeskUserTable>[];
  memberships: Selectable<OrganizationMembershipTable>[];
  groups: Selectable<ZendeskGroupTable>[];
  fields: Selectable<FieldDefinitionTable>[];
  customStatuses: Selectable<CustomStatusTable>[];
  ticketEvents: Selectable<TicketEventTable>[];
  ratings: Selectable<SatisfactionRatingTable>[];
}

/** Custom values of organizations are compared with their organizations. */
export type ComparedTable = Exclude<keyof Stored, "organizationFieldValues">;

/** What is asked for by id, after deliveries or beside a reading, and what hangs on it. */
export const readById = [
  "tickets",
  "organizations",
  "users",
  "groups",
  "fields",
  "customStatuses",
] as const satisfies readonly ComparedTable[];
/** What every run reads; memberships are read at night. */
export const readByEveryRun = [...readById, "ticketEvents", "ratings"] as const satisfies readonly ComparedTable[];
export const readAtNight = [...readByEveryRun, "memberships"] as const satisfies readonly ComparedTable[];

/** A table in the words of the truth: what is stored beside what should be. */
export interface Compared {
  table: ComparedTable;
  is: { id: string }[];
  should: { id: string }[];
}

export async function readStored(trx: Trx, connectionId: number): Promise<Stored> {
  const rowsOf = async <Row>(table: string, order = "id") =>
    (await trx
      .selectFrom(table as "ticket")
      .selectAll()
      .where("connection_id", "=", connectionId)
      .orderBy(order as "id")
      .execute()) as unknown as Row[];
  return {
    tickets: await rowsOf("ticket"),
    organizations: await rowsOf("organization"),
    organizationFieldValues: await rowsOf("organization_field_value", "key"),
    users: await rowsOf("zendesk_user"),
    memberships: await rowsOf("organization_membership"),
    groups: await rowsOf("zendesk_group"),
    fields: await rowsOf("field_definition"),
    customStatuses: await rowsOf("custom_status"),
    ticketEvents: await rowsOf("ticket_event"),
    ratings: await rowsOf("satisfaction_rating"),
  };
}

/** Row by row and field by field, all that a reader of the account can know (INV-CONV). */
export function compare(is: Stored, should: Truth): Compared[] {
  const valuesOf = new Map<string, Record<string, string>>(is.organizations.map(({ id }) => [id, {}]));
  for (const { organization_id, key, value } of is.organizationFieldValues)
    Object.assign(valuesOf.get(organization_id) ?? {}, { [key]: value });
  return [
    {
      table: "tickets",
      is: is.tickets.map((row) => ({
        id: row.id,
        externalId: row.external_id,
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
          fields: valuesOf.get(row.id),
          updatedAt: iso(row.updated_at),
        })),
      should: should.organizations.map(({ id, name, externalId, domainNames, fields, updatedAt }) => ({
        id,
        name,
        externalId,
        domainNames,
        fields: Object.fromEntries(
          Object.entries(fields).flatMap(([key, value]) => (value == null ? [] : [[key, asText(value)]])),
        ),
        updatedAt,
      })),
    },
    {
      table: "users",
      is: is.users.map((row) => ({
        id: row.id,
        name: row.name,
        email: row.email,
        externalId: row.external_id,
        role: row.role,
        organizationId: row.organization_id,
        active: row.active,
        suspended: row.suspended,
      })),
      should: should.users.map(({ mergedInto, updatedAt, ...user }) => user),
    },
    {
      table: "memberships",
      is: is.memberships.map((row) => ({
        id: row.id,
        userId: row.user_id,
        organizationId: row.organization_id,
        isDefault: row.is_default,
        updatedAt: iso(row.updated_at),
      })),
      should: should.memberships,
    },
    {
      table: "groups",
      is: is.groups.map((row) => ({ id: row.id, name: row.name, deleted: row.deleted_at !== null })),
      should: should.groups,
    },
    {
      table: "fields",
      is: is.fields
        .filter((row) => row.deleted_at === null)
        .map((row) => ({
          id: row.id,
          subject: row.subject,
          key: row.key,
          title: row.title,
          type: row.type,
          active: row.active,
          updatedAt: iso(row.updated_at),
        })),
      should: should.fields,
    },
    {
      table: "customStatuses",
      is: is.customStatuses.map((row) => ({
        id: row.id,
        category: row.category,
        label: row.label,
        active: row.active,
        updatedAt: iso(row.updated_at),
      })),
      should: should.customStatuses,
    },
    {
      table: "ticketEvents",
      is: sorted(
        is.ticketEvents.map((row) => ({
          id: `${row.id}:${row.field}:${row.position}`,
          ticketId: row.ticket_id,
          at: iso(row.occurred_at),
          updaterId: row.updater_id,
          kind: row.kind,
          value: row.value,
          previous: row.previous,
        })),
      ),
      should: should.events,
    },
    {
      table: "ratings",
      is: sorted(
        is.ratings
          .filter((row) => row.deleted_at === null)
          .map((row) => ({
            id: `${row.system}:${row.id}`,
            ticketId: row.ticket_id,
            score: row.score,
            category: row.category,
            comment: row.comment,
            ratedAt: iso(row.rated_at),
            updatedAt: iso(row.updated_at),
          })),
      ),
      should: should.ratings,
    },
  ];
}

const sorted = <Row extends { id: string }>(rows: Row[]) => rows.sort((a, b) => (a.id < b.id ? -1 : 1));
const iso = (at: Date | null) => at?.toISOString().replace(".000Z", "Z") ?? null;
/** Values of any type are stored as text. */
const asText = (value: unknown) => (typeof value === "object" ? JSON.stringify(value) : String(value));
