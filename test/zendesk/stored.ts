import { expect } from "vitest";
import { truth } from "#test/support/zendesk/truth.ts";
import type { Account } from "#test/zendesk/account.ts";

const iso = (at: Date | null) => at?.toISOString().replace(".000Z", "Z") ?? null;

/** The stored rows in the words of the stand-in's truth. */
export async function stored(account: Account) {
  const { connectionId } = account;
  return account.read(async (trx) => ({
    tickets: await trx
      .selectFrom("ticket")
      .selectAll()
      .where("connection_id", "=", connectionId)
      .orderBy("id")
      .execute(),
    organizations: await trx
      .selectFrom("organization")
      .selectAll()
      .where("connection_id", "=", connectionId)
      .orderBy("id")
      .execute(),
    users: await trx
      .selectFrom("zendesk_user")
      .selectAll()
      .where("connection_id", "=", connectionId)
      .orderBy("id")
      .execute(),
    groups: await trx
      .selectFrom("zendesk_group")
      .selectAll()
      .where("connection_id", "=", connectionId)
      .orderBy("id")
      .execute(),
  }));
}

/** INV-CONV: tables equal the truth, row by row and field by field. */
export async function expectConverged(account: Account): Promise<void> {
  const is = await stored(account);
  const should = truth(account.world);
  expect(
    is.tickets.map((row) => ({
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
  ).toEqual(
    should.tickets.map(({ scrubbed, archived, merged, ...ticket }) => ({
      ...ticket,
      merged: merged && ticket.status === "closed",
    })),
  );
  expect(
    is.organizations
      .filter((row) => row.deleted_at === null)
      .map((row) => ({
        id: row.id,
        name: row.name,
        externalId: row.external_id,
        domainNames: row.domain_names,
        updatedAt: iso(row.updated_at),
      })),
  ).toEqual(
    should.organizations.map(({ id, name, externalId, domainNames, updatedAt }) => ({
      id,
      name,
      externalId,
      domainNames,
      updatedAt,
    })),
  );
  expect(
    is.users.map((row) => ({
      id: row.id,
      name: row.name,
      email: row.email,
      role: row.role,
      organizationId: row.organization_id,
      active: row.active,
      suspended: row.suspended,
    })),
  ).toEqual(should.users.map(({ mergedInto, updatedAt, ...user }) => user));
  expect(is.groups.map((row) => ({ id: row.id, name: row.name, deleted: row.deleted_at !== null }))).toEqual(
    should.groups,
  );
}
