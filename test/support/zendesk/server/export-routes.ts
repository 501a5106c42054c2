import { groupRow } from "../wire/definitions.ts";
import { organizationRow, userRow } from "../wire/people.ts";
import { eventRow } from "../wire/ticket-events.ts";
import { metricSet, ticketRow } from "../wire/tickets.ts";
import { seconds } from "../world/clock.ts";
import type { Audit, Organization, Ticket, User } from "../world/rows.ts";
import { isVisible } from "./auth.ts";
import { cursorExport, type ExportStream, timeExport } from "./incremental.ts";
import type { Call, Route } from "./routes.ts";

/** The incremental exports. Organizations and ticket events have no cursor form. */
export const exportRoutes: Route[] = [
  {
    method: "GET",
    path: "/incremental/tickets/cursor",
    demands: { scope: "tickets", admin: true },
    answer: (call) => cursorExport(call.request, ticketStream(call)),
  },
  {
    method: "GET",
    path: "/incremental/tickets",
    demands: { scope: "tickets", admin: true },
    answer: (call) => timeExport(call.request, ticketStream(call)),
  },
  {
    method: "GET",
    path: "/incremental/ticket_events",
    demands: { scope: "tickets", admin: true },
    answer: (call) => timeExport(call.request, eventStream(call)),
  },
  {
    method: "GET",
    path: "/incremental/users/cursor",
    demands: { scope: "users", admin: true },
    answer: (call) => cursorExport(call.request, userStream(call)),
  },
  {
    method: "GET",
    path: "/incremental/users",
    demands: { scope: "users", admin: true },
    answer: (call) => timeExport(call.request, userStream(call)),
  },
  {
    method: "GET",
    path: "/incremental/organizations",
    demands: { scope: "organizations", admin: true },
    answer: (call) => timeExport(call.request, organizationStream(call)),
  },
];

function ticketStream({ request, caller }: Call): ExportStream<Ticket> {
  const { world, base, query } = request;
  const includes = includesOf(query);
  const scope = query.get("support_type_scope") ?? "agent";
  const withDeleted = query.get("exclude_deleted") !== "true";
  const now = world.now();
  return {
    key: "tickets",
    index: world.tickets.index,
    stampOf: (ticket) => ticket.generatedTimestamp,
    shows: (ticket) =>
      world.tickets.byId.has(ticket.id) &&
      !ticket.hiddenFromExport &&
      ticket.visibleFrom <= now &&
      (withDeleted || !ticket.deleted) &&
      (scope === "all" || ticket.aiAgent === (scope === "ai_agent")) &&
      isVisible(world, caller, ticket.id),
    write: (ticket) => ({
      ...ticketRow(world, base, ticket, "export"),
      ...(includes.has("metric_sets") && { metric_set: metricSet(base, ticket) }),
      ...(includes.has("comment_count") && {
        comment_count: ticket.audits.filter((audit) => audit.comment !== null).length,
      }),
    }),
    sideload: (tickets) => ticketSideloads(request, includes, tickets),
    withheld: true,
  };
}

function ticketSideloads(request: Call["request"], includes: Set<string>, tickets: readonly Ticket[]) {
  const { world, base } = request;
  const found = <Row>(ids: (string | null)[], rows: ReadonlyMap<string, Row>): Row[] =>
    [...new Set(ids)].flatMap((id) => rows.get(id ?? "") ?? []);
  const people = tickets.flatMap((ticket) => [ticket.requesterId, ticket.assigneeId]);
  const groupIds = tickets.map((ticket) => ticket.groupId);
  const organizationIds = tickets.map((ticket) => ticket.organizationId);
  return {
    ...(includes.has("users") && {
      users: found(people, world.users.byId).map((user) => userRow(world, base, user)),
    }),
    ...(includes.has("groups") && {
      groups: found(groupIds, world.definitions.groups).map((group) => groupRow(world, base, group)),
    }),
    ...(includes.has("organizations") && {
      organizations: found(organizationIds, world.organizations.byId).map((row) => organizationRow(world, base, row)),
    }),
  };
}

function eventStream({ request, caller }: Call): ExportStream<Audit> {
  const { world, query } = request;
  const comments = includesOf(query).has("comment_events");
  const scope = query.get("support_type_scope") ?? "agent";
  const now = world.now();
  return {
    key: "ticket_events",
    index: world.tickets.audits,
    stampOf: (audit) => seconds(audit.at),
    shows: (audit) =>
      audit.visibleFrom <= now &&
      world.tickets.byId.has(audit.ticketId) &&
      (scope === "all" || world.tickets.existing(audit.ticketId).aiAgent === (scope === "ai_agent")) &&
      isVisible(world, caller, audit.ticketId),
    write: (audit) => eventRow(world, audit, { comments }),
    withheld: true,
  };
}

function userStream({ request, caller }: Call): ExportStream<User> {
  const { world, base } = request;
  return {
    key: "users",
    index: world.users.index,
    stampOf: (user) => seconds(user.updatedAt),
    shows: (user) => isVisible(world, caller, user.id),
    write: (user) => userRow(world, base, user),
    withheld: false,
  };
}

function organizationStream({ request, caller }: Call): ExportStream<Organization> {
  const { world, base } = request;
  const withDeleted = world.settings.deletedOrganizationsInExport;
  return {
    key: "organizations",
    index: world.organizations.index,
    stampOf: (organization) => seconds(organization.updatedAt),
    shows: (organization) =>
      (withDeleted || organization.deletedAt === null) && isVisible(world, caller, organization.id),
    write: (organization) => organizationRow(world, base, organization),
    withheld: false,
  };
}

function includesOf(query: URLSearchParams): Set<string> {
  return new Set((query.get("include") ?? "").split(",").map((name) => name.trim()));
}
