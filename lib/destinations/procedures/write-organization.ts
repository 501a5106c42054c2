import { bodyOf, changesOf, intentOf, leavingNewer, type Wanted } from "#lib/destinations/procedures/changes.ts";
import type { FieldValue } from "#lib/destinations/procedures/custom-fields.ts";
import {
  describeOrganization,
  organizationByExternalId,
  organizationByName,
} from "#lib/destinations/procedures/find-organization.ts";
import { idIn, isTaken } from "#lib/destinations/procedures/rows.ts";
import { addTags } from "#lib/destinations/procedures/tags.ts";
import { fail, hold, isApproved, type Task, waitForSearch } from "#lib/destinations/procedures/task.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

const creation = "create organization";

/** What there is to write of an organization beside its external id. */
export interface OrganizationValues {
  name: string | null;
  details: string | null;
  notes: string | null;
  /** Added to those there are, as tags are. */
  domains: string[];
  tags: string[];
  fields: ReadonlyMap<string, FieldValue>;
}

export interface WrittenOrganization {
  id: string;
  name: string;
  isNew: boolean;
}

/** Writes what differs to the organization with the external id, or creates it (C-34, R-21). */
export async function writeOrganization(
  task: Task,
  externalId: string,
  organization: Wire | null,
  values: OrganizationValues,
): Promise<WrittenOrganization> {
  return organization
    ? updateOrganization(task, organization, externalId, values)
    : createOrganization(task, externalId, values);
}

/** Throws where an organization would have to be created without a name. */
export function requireName(externalId: string, name: string | null): string {
  return (
    name ??
    fail(
      "missing_name",
      `Zendesk has no organization with the external id ${externalId}, and without a name none can be created.`,
      "Send traits.name with the group call, then replay this.",
    )
  );
}

async function createOrganization(
  task: Task,
  externalId: string,
  values: OrganizationValues,
): Promise<WrittenOrganization> {
  const { domains, tags } = values;
  const name = requireName(externalId, values.name);
  const wanted = [{ field: "external_id", value: externalId }, ...wantedOf(values)];
  const lists = { ...(domains.length > 0 && { domain_names: domains }), ...(tags.length > 0 && { tags }) };
  const given = { ...bodyOf(wanted), ...lists };
  try {
    const answer = await task.zendesk.write(
      creation,
      "POST",
      "/api/v2/organizations",
      { organization: given },
      {
        expect: "organization",
        intent: intentOf("create", `organization ${name}`, null, [...wanted, ...listed(lists)]),
        supposed: { organization: { id: 0, ...given } },
      },
    );
    const id = String(idIn((answer?.body.organization ?? {}) as Wire));
    task.result = { kind: "organization", id };
    return { id, name, isNew: true };
  } catch (error) {
    if (!isTaken(error)) throw error;
    return takenOrganization(task, externalId, values, name, error.message);
  }
}

/** Another delivery, or an earlier try, may have made it; or there is one of that name, which is not taken for this one (X-3). */
async function takenOrganization(
  task: Task,
  externalId: string,
  values: OrganizationValues,
  name: string,
  why: string,
): Promise<WrittenOrganization> {
  const same = await organizationByExternalId(task, externalId);
  if (same) return updateOrganization(task, same, externalId, values);
  const other = await organizationByName(task, name);
  if (!other) {
    const late = "Zendesk has this organization, but its search does not find it yet.";
    waitForSearch(task, creation, "organization_not_searchable", late);
    return hold(
      "organization_taken",
      `Zendesk says that the organization ${name} (external id ${externalId}) is taken, and shows none: ${why}`,
      "Look in Zendesk for an organization with this name or external id that was deleted just now; then approve to try again.",
    );
  }
  const hasOwn = typeof other.external_id === "string" && other.external_id !== "";
  if (!hasOwn && isApproved(task, "name_taken")) return updateOrganization(task, other, externalId, values);
  return hold(
    "name_taken",
    `An organization named ${name} exists already: ${describeOrganization(other)}. Zendesk has each name once, so none was created for the external id ${externalId}.`,
    hasOwn
      ? "If they are one company, change the external id of that organization in Zendesk, then approve this. If not, send another name."
      : `If they are one company, approve: the organization ${idIn(other)} gets the external id ${externalId}. If not, send another name, and discard this.`,
  );
}

async function updateOrganization(
  task: Task,
  organization: Wire,
  externalId: string,
  values: OrganizationValues,
): Promise<WrittenOrganization> {
  const id = String(idIn(organization));
  task.result = { kind: "organization", id };
  const wanted = [{ field: "external_id", value: externalId }, ...wantedOf(values)];
  const differing = leavingNewer(task, changesOf(organization, wanted));
  const changes: Wanted[] = [...differing, ...newDomains(organization, values.domains)];
  if (changes.length > 0) {
    const path = `/api/v2/organizations/${id}`;
    try {
      await task.zendesk.write(
        "update organization",
        "PUT",
        path,
        { organization: bodyOf(changes) },
        {
          endpoint: "organization_update",
          target: id,
          expect: "organization",
          intent: intentOf("change", `organization ${describeOrganization(organization)}`, id, changes),
          supposed: { organization: { ...organization, ...bodyOf(changes) } },
        },
      );
    } catch (error) {
      if (isTaken(error, "name")) await nameTaken(task, organization, String(values.name));
      throw error;
    }
  }
  await addTags(task, "organization", id, organization, values.tags);
  return { id, name: describeOrganization(organization), isNew: false };
}

async function nameTaken(task: Task, organization: Wire, name: string): Promise<never> {
  const other = await organizationByName(task, name);
  return fail(
    "name_taken",
    `${describeOrganization(organization)} cannot be named ${name}: ${other ? `${describeOrganization(other)} has that name` : "another organization has that name"}.`,
    "Merge the two in Zendesk if they are one company, or send another name; then replay this.",
  );
}

function wantedOf({ name, details, notes, fields }: OrganizationValues): Wanted[] {
  return [
    ...Object.entries({ name, details, notes }).flatMap(([field, value]) => (value === null ? [] : [{ field, value }])),
    ...[...fields].map(([key, { type, value }]) => ({ field: `organization_fields.${key}`, type, value })),
  ];
}

/** Zendesk replaces the domains by those it gets: the ones that are there go along. */
function newDomains(organization: Wire, domains: readonly string[]): Wanted[] {
  const had = Array.isArray(organization.domain_names) ? organization.domain_names.map(String) : [];
  const missing = domains.filter((domain) => !had.some((one) => one.toLowerCase() === domain));
  if (missing.length === 0) return [];
  const change = { field: "domain_names", value: [...had, ...missing], from: had };
  return [change];
}

function listed(lists: Record<string, string[]>): Wanted[] {
  return Object.entries(lists).map(([field, value]) => ({ field, value }));
}
