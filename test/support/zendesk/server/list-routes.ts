import { customStatusRow, fieldRow, groupRow } from "../wire/definitions.ts";
import { membershipRow, organizationRow, userRow } from "../wire/people.ts";
import { auditRow } from "../wire/ticket-events.ts";
import { metricSet, ticketRow } from "../wire/tickets.ts";
import type { FieldOwner } from "../world/definitions.ts";
import { compareIds, type Id } from "../world/ids.ts";
import type { Membership, Organization, Ticket, User } from "../world/rows.ts";
import { type Answer, ok, recordNotFound, refusal } from "./answer.ts";
import { isVisible } from "./auth.ts";
import { countAnswer, type ListSource, listAnswer } from "./lists.ts";
import type { Call, Route } from "./routes.ts";

const byId = <Row extends { id: Id }>(source: Pick<ListSource<Row>, "key" | "rows" | "write" | "unpaged">) => ({
  ...source,
  positionOf: (row: Row) => row.id,
  compare: compareIds,
});

const get = (path: string, scope: string, answer: Route["answer"]): Route => ({
  method: "GET",
  path,
  demands: { scope },
  answer,
});

/** Lists, counts and single rows. */
export const listRoutes: Route[] = [
  get("/tickets", "tickets", (call) => listAnswer(call.request, byId({ ...ticketsOf(call), key: "tickets" }))),
  get("/tickets/count", "tickets", (call) => countAnswer(call.request, ticketsOf(call).rows.length)),
  get("/tickets/show_many", "tickets", (call) =>
    showMany(call, "tickets", (id) => livingTicket(call, id), writeTicket),
  ),
  get("/tickets/{id}", "tickets", (call) => ok({ ticket: writeTicket(call, ticketOrNotFound(call)) })),
  get("/tickets/{id}/audits", "tickets", (call) => listAudits(call, ticketOrNotFound(call))),
  get("/tickets/{id}/metrics", "tickets", (call) =>
    ok({ ticket_metric: metricSet(call.request.base, ticketOrNotFound(call)) }),
  ),

  get("/organizations", "organizations", (call) => listAnswer(call.request, organizationsOf(call))),
  get("/organizations/count", "organizations", (call) =>
    countAnswer(call.request, call.request.world.organizations.list().length),
  ),
  get("/organizations/show_many", "organizations", (call) => showManyOrganizations(call)),
  get("/organizations/{id}", "organizations", (call) => {
    const organization = livingOrganization(call, call.params.id ?? "");
    if (organization === undefined) throw recordNotFound();
    return ok({ organization: writeOrganization(call, organization) });
  }),
  get("/organizations/{id}/organization_memberships", "organizations", (call) =>
    listMemberships(call, (row) => row.organizationId === call.params.id),
  ),

  get("/users", "users", (call) => {
    const { world, query } = call.request;
    const externalId = query.get("external_id")?.toLowerCase();
    const rows = world.users
      .list((user) => externalId === undefined || user.externalId?.toLowerCase() === externalId)
      .filter((user) => isVisible(world, call.caller, user.id));
    return listAnswer(call.request, byId({ key: "users", rows, write: (user) => writeUser(call, user) }));
  }),
  get("/users/count", "users", (call) => countAnswer(call.request, call.request.world.users.list().length)),
  get("/users/show_many", "users", (call) => {
    const { query, world } = call.request;
    if (!query.has("external_ids")) return showMany(call, "users", (id) => knownUser(call, id), writeUser);
    return showManyByExternalId(call, "users", world.users.list(), writeUser);
  }),
  get("/users/{id}", "users", (call) => {
    const user = knownUser(call, call.params.id ?? "");
    if (user === undefined) throw recordNotFound();
    return ok({ user: writeUser(call, user) });
  }),
  get("/users/{id}/organization_memberships", "users", (call) =>
    listMemberships(call, (row) => row.userId === call.params.id),
  ),
  get("/organization_memberships", "organizations", (call) => listMemberships(call, () => true)),

  get("/groups", "groups", (call) => {
    const { world, base, query } = call.request;
    const withDeleted = query.get("exclude_deleted") === "false";
    const rows = [...world.definitions.groups.values()]
      .filter((group) => withDeleted || !group.deleted)
      .sort((a, b) => compareIds(a.id, b.id));
    return listAnswer(call.request, byId({ key: "groups", rows, write: (group) => groupRow(world, base, group) }));
  }),
  get("/ticket_fields", "account_settings", (call) => listFields(call, "ticket")),
  get("/user_fields", "account_settings", (call) => listFields(call, "user")),
  get("/organization_fields", "account_settings", (call) => listFields(call, "organization")),
  get("/custom_statuses", "account_settings", ({ request }) =>
    ok({
      custom_statuses: Array.from(request.world.definitions.customStatuses.values(), (status) =>
        customStatusRow(request.base, status),
      ),
    }),
  ),
];

function ticketsOf(call: Call): Pick<ListSource<Ticket>, "rows" | "write"> {
  const { world, query } = call.request;
  const externalId = query.get("external_id");
  const rows = [...world.tickets.byId.values()]
    .filter((ticket) => !ticket.deleted && !ticket.archived && isVisible(world, call.caller, ticket.id))
    .filter((ticket) => externalId === null || ticket.externalId === externalId)
    .sort((left, right) => compareIds(left.id, right.id));
  return { rows, write: (ticket) => writeTicket(call, ticket) };
}

function livingTicket(call: Call, id: Id): Ticket | undefined {
  const { world } = call.request;
  const ticket = world.tickets.byId.get(id);
  return ticket === undefined || ticket.deleted || !isVisible(world, call.caller, id) ? undefined : ticket;
}

function ticketOrNotFound(call: Call): Ticket {
  const ticket = livingTicket(call, call.params.id ?? "");
  if (ticket === undefined) throw recordNotFound();
  return ticket;
}

function writeTicket({ request }: Call, ticket: Ticket): Record<string, unknown> {
  const row = ticketRow(request.world, request.base, ticket, "plain");
  if (!(request.query.get("include") ?? "").split(",").includes("metric_sets")) return row;
  return { ...row, metric_set: metricSet(request.base, ticket) };
}

function listAudits(call: Call, ticket: Ticket): Answer {
  const rows = ticket.audits.map((audit) => ({ ...audit, id: String(audit.id), number: audit.id }));
  return listAnswer(
    call.request,
    byId({ key: "audits", rows, write: ({ number, ...audit }) => auditRow({ ...audit, id: number }) }),
  );
}

function organizationsOf(call: Call): ListSource<Organization> {
  const { world } = call.request;
  const rows = world.organizations.list().filter((row) => isVisible(world, call.caller, row.id));
  return byId({ key: "organizations", rows, write: (row) => writeOrganization(call, row) });
}

function livingOrganization(call: Call, id: Id): Organization | undefined {
  const organization = call.request.world.organizations.byId.get(id);
  if (organization === undefined || organization.deletedAt !== null) return undefined;
  return isVisible(call.request.world, call.caller, id) ? organization : undefined;
}

function writeOrganization({ request }: Call, organization: Organization): Record<string, unknown> {
  return organizationRow(request.world, request.base, organization);
}

function showManyOrganizations(call: Call): Answer {
  const { query, world } = call.request;
  const externalIds = query.get("external_ids");
  if (externalIds === null) {
    return showMany(call, "organizations", (id) => livingOrganization(call, id), writeOrganization);
  }
  return showManyByExternalId(call, "organizations", world.organizations.list(), writeOrganization);
}

function showManyByExternalId<Row extends { externalId: string | null }>(
  call: Call,
  key: string,
  all: readonly Row[],
  write: (call: Call, row: Row) => unknown,
): Answer {
  const wanted = new Set((call.request.query.get("external_ids") ?? "").toLowerCase().split(","));
  if (wanted.size > 100) throw refusal(400, "TooManyValues", "Maximum 100 values are allowed");
  const rows = all.filter(({ externalId }) => externalId !== null && wanted.has(externalId.toLowerCase()));
  return whole(
    key,
    rows.map((row) => write(call, row)),
  );
}

/** Deleted users still answer, inactive; merged ones are gone. */
function knownUser(call: Call, id: Id): User | undefined {
  const user = call.request.world.users.byId.get(id);
  return user === undefined || user.mergedInto !== null ? undefined : user;
}

function writeUser({ request }: Call, user: User): Record<string, unknown> {
  return userRow(request.world, request.base, user);
}

function listMemberships(call: Call, wanted: (row: Membership) => boolean): Answer {
  const { world, base } = call.request;
  const rows = [...world.users.memberships.values()].filter(wanted).sort((a, b) => compareIds(a.id, b.id));
  const write = (row: Membership): unknown => membershipRow(world, base, row);
  return listAnswer(call.request, byId({ key: "organization_memberships", rows, write }));
}

function listFields(call: Call, owner: FieldOwner): Answer {
  const { world, base } = call.request;
  const rows = [...world.definitions.fields[owner].values()].sort((a, b) => compareIds(a.id, b.id));
  const write = (field: (typeof rows)[number]): unknown => fieldRow(world, base, owner, field, rows.indexOf(field));
  return listAnswer(call.request, byId({ key: `${owner}_fields`, rows, write, unpaged: "whole" }));
}

/** Up to 100 rows by id; those that do not exist are left out without a word. */
function showMany<Row>(
  call: Call,
  key: string,
  find: (id: Id) => Row | undefined,
  write: (call: Call, row: Row) => unknown,
): Answer {
  const ids = (call.request.query.get("ids") ?? "").split(",").filter((id) => id !== "");
  if (ids.length > 100) throw refusal(400, "TooManyValues", "Maximum 100 values are allowed");
  const rows = [...new Set(ids)].flatMap((id) => find(id.trim()) ?? []);
  return whole(
    key,
    rows.map((row) => write(call, row)),
  );
}

function whole(key: string, rows: unknown[]): Answer {
  return ok({ [key]: rows, next_page: null, previous_page: null, count: rows.length });
}
