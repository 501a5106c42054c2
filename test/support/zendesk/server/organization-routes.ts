import { organizationRow } from "../wire/people.ts";
import type { OrganizationInput } from "../world/organizations.ts";
import type { Organization } from "../world/rows.ts";
import type { World } from "../world/world.ts";
import { type Answer, ok, recordNotFound, refusal } from "./answer.ts";
import { tagsAfter, valuesByKey } from "./custom-values.ts";
import { Complaints, difference, type Given, listIn, objectIn, pick, same, tagsOf, textOf } from "./given.ts";
import { inBulk } from "./job-routes.ts";
import { listAnswer } from "./lists.ts";
import type { Call, Route } from "./routes.ts";

const route = (method: Route["method"], path: string, answer: Route["answer"]): Route => ({
  method,
  path: `/organizations${path}`,
  demands: { scope: "organizations", write: method !== "GET" },
  answer,
});

/** Writing and finding organizations (zendesk-api sections 6.1 and 8.2). */
export const organizationRoutes: Route[] = [
  route("GET", "/search", searchOrganizations),
  route("POST", "", (call) => created(call, createOrganization(call, objectIn(call, "organization")))),
  route("POST", "/create_or_update", (call) => {
    const given = objectIn(call, "organization");
    const known = matchingOrganization(call.request.world, given);
    if (known === undefined) return created(call, createOrganization(call, given));
    return {
      ...ok({ organization: row(call, updateOrganization(call, known, given)) }),
      headers: location(call, known),
    };
  }),
  route("POST", "/create_many", (call) =>
    inBulk(call, "Bulk Create Organization", listIn(call, "organizations"), (given) => ({
      id: Number(createOrganization(call, given).id),
      status: "Created",
    })),
  ),
  route("PUT", "/update_many", (call) =>
    inBulk(call, "Bulk Update Organization", listIn(call, "organizations"), (given) => {
      const organization = updateOrganization(call, living(call.request.world, String(given.id)), given);
      return { id: Number(organization.id), action: "update", status: "Updated", success: true };
    }),
  ),
  route("PUT", "/{id}", (call) => {
    const organization = living(call.request.world, call.params.id ?? "");
    return ok({ organization: row(call, updateOrganization(call, organization, objectIn(call, "organization"))) });
  }),
  route("DELETE", "/{id}", (call) => {
    const { world } = call.request;
    const organization = living(world, call.params.id ?? "");
    world.organizations.delete(organization.id);
    call.note("organization.deleted", organization.id, {});
    return { status: 204 };
  }),
];

function createOrganization(call: Call, given: Given): Organization {
  const { world } = call.request;
  const complaints = new Complaints();
  const { name, ...wanted } = readOrganization(world, given, complaints, null);
  if (!name) complaints.add("name", "Name: cannot be blank", "BlankValue");
  complaints.raise();
  const organization = world.organizations.create({ ...wanted, name: name as string });
  call.note("organization.created", organization.id, pick(row(call, organization), ["name", ...Object.keys(given)]));
  return organization;
}

function updateOrganization(call: Call, organization: Organization, given: Given): Organization {
  const { world } = call.request;
  const complaints = new Complaints();
  const { fields, ...columns } = readOrganization(world, given, complaints, organization);
  if (columns.name === "") complaints.add("name", "Name: cannot be blank", "BlankValue");
  complaints.raise();
  const before = row(call, organization);
  const changed = Object.fromEntries(
    Object.entries(columns).filter(([key, value]) => !same(organization[key as keyof Organization], value)),
  );
  const changedFields = Object.entries(fields ?? {}).filter(
    ([key, value]) => !same(organization.fields.get(key), value),
  );
  if (Object.keys(changed).length + changedFields.length > 0) {
    const withFields = changedFields.length > 0 && { fields: Object.fromEntries(changedFields) };
    world.organizations.update(organization.id, { ...changed, ...withFields });
    call.note("organization.updated", organization.id, difference(before, row(call, organization)));
  }
  return organization;
}

/** By `id`, else by external id; never by name. */
function matchingOrganization(world: World, given: Given): Organization | undefined {
  const id = textOf(given.id);
  if (id != null) return living(world, id);
  const externalId = textOf(given.external_id);
  return externalId == null ? undefined : byExternalId(world, externalId);
}

function readOrganization(
  world: World,
  given: Given,
  complaints: Complaints,
  self: Organization | null,
): Partial<OrganizationInput> {
  const fields = valuesByKey(world, "organization", given.organization_fields, complaints);
  const tags = tagsAfter(tagsOf(given.tags) ?? self?.tags ?? [], fields);
  const read: Partial<OrganizationInput> = { fields: fields.values, ...(!same(tags, self?.tags ?? []) && { tags }) };
  for (const column of ["details", "notes"] as const) {
    const text = textOf(given[column]);
    if (text !== undefined) read[column] = text;
  }
  if (given.domain_names !== undefined) {
    read.domainNames = [given.domain_names ?? []].flat().map((domain) => String(domain).toLowerCase());
  }
  const name = textOf(given.name);
  if (name !== undefined) {
    const owner = byName(world, name ?? "");
    if (owner === undefined || owner === self) read.name = name ?? "";
    else complaints.add("name", `Name: ${name} has already been taken`, "DuplicateValue");
  }
  const externalId = textOf(given.external_id);
  if (externalId !== undefined) {
    const owner = externalId === null ? undefined : byExternalId(world, externalId);
    if (owner === undefined || owner === self) read.externalId = externalId;
    else complaints.add("external_id", `External: ${externalId} has already been taken`, "DuplicateValue");
  }
  const groupId = textOf(given.group_id);
  if (groupId === null || (groupId !== undefined && world.definitions.groups.has(groupId))) read.groupId = groupId;
  else if (groupId !== undefined) complaints.add("group_id", `Group: ${groupId} does not exist`, "InvalidValue");
  return read;
}

/** `?external_id=` or `?name=`, exact but for the case; one of the two. */
function searchOrganizations(call: Call): Answer {
  const { world, query } = call.request;
  const externalId = query.get("external_id");
  const name = query.get("name");
  if ((externalId === null) === (name === null)) {
    throw refusal(400, "InvalidRequest", "Either external_id or name has to be given, not both");
  }
  const found = externalId === null ? byName(world, name ?? "") : byExternalId(world, externalId);
  return listAnswer(call.request, {
    key: "organizations",
    rows: found === undefined || found.createdAt + world.settings.searchLag > world.now() ? [] : [found],
    positionOf: (organization) => organization.id,
    compare: () => 0,
    write: (organization) => row(call, organization),
  });
}

function byName(world: World, name: string): Organization | undefined {
  return world.organizations.list().find((one) => one.name.toLowerCase() === name.toLowerCase());
}

function byExternalId(world: World, externalId: string): Organization | undefined {
  return world.organizations.list().find((one) => one.externalId?.toLowerCase() === externalId.toLowerCase());
}

function living(world: World, id: string): Organization {
  const organization = world.organizations.byId.get(id);
  if (organization === undefined || organization.deletedAt !== null) throw recordNotFound();
  return organization;
}

function created(call: Call, organization: Organization): Answer {
  return { status: 201, json: { organization: row(call, organization) }, headers: location(call, organization) };
}

function location({ request }: Call, organization: Organization): Record<string, string> {
  return { location: `${request.base}/api/v2/organizations/${organization.id}.json` };
}

function row({ request }: Call, organization: Organization): Given {
  return organizationRow(request.world, request.base, organization);
}
