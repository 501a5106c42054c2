import { bodyOf, changesOf, intentOf, leavingNewer, type Wanted } from "#lib/destinations/procedures/changes.ts";
import type { FieldValue } from "#lib/destinations/procedures/custom-fields.ts";
import { asDomain } from "#lib/destinations/procedures/domain-names.ts";
import {
  describeOrganization,
  organizationByExternalId,
  organizationById,
  organizationByName,
} from "#lib/destinations/procedures/find-organization.ts";
import { idIn, isTaken } from "#lib/destinations/procedures/rows.ts";
import { addTags } from "#lib/destinations/procedures/tags.ts";
import { fail, hold, isApproved, type Task, waitForSearch } from "#lib/destinations/procedures/task.ts";
import { isObject } from "#lib/zendesk/answers.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

const creation = "create organization";
const update = "update organization";

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
  // What Zendesk would refuse is asked for where nothing is sent.
  const other = task.isDryRun ? await organizationByName(task, name) : null;
  if (other) return namesakeOf(task, externalId, values, name, other);
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
  return namesakeOf(task, externalId, values, name, other);
}

/** Zendesk has each name once: the organization that has it is taken only on a person's word. */
function namesakeOf(
  task: Task,
  externalId: string,
  values: OrganizationValues,
  name: string,
  other: Wire,
): Promise<WrittenOrganization> {
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
  known: Wire,
  externalId: string,
  values: OrganizationValues,
): Promise<WrittenOrganization> {
  const id = String(idIn(known));
  task.result = { kind: "organization", id };
  const lost = lostBefore(task, id);
  const domains = [...values.domains, ...lost];
  const organization = await asOfNow(task, known, domains);
  const wanted = [{ field: "external_id", value: externalId }, ...wantedOf(values)];
  const differing = leavingNewer(task, changesOf(organization, wanted));
  const changes: Wanted[] = [...differing, ...newDomains(organization, domains)];
  if (changes.length > 0) {
    if (task.isDryRun) await requireOwnName(task, organization, changes);
    const path = `/api/v2/organizations/${id}`;
    try {
      await task.zendesk.write(
        update,
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
      if (!isTaken(error, "name")) throw error;
      const name = String(values.name);
      nameTaken(organization, name, await organizationByName(task, name));
    }
    const back = missingIn(organization, lost);
    if (back.length > 0)
      task.notes.push(`Zendesk had dropped ${back.join(", ")} when other domains were added: they were put back.`);
  }
  await addTags(task, "organization", id, organization, values.tags);
  return { id, name: describeOrganization(organization), isNew: false };
}

/** Throws where Zendesk would refuse the new name. */
async function requireOwnName(task: Task, organization: Wire, changes: readonly Wanted[]): Promise<void> {
  const name = changes.find(({ field }) => field === "name")?.value;
  const other = typeof name === "string" ? await organizationByName(task, name) : null;
  if (other && idIn(other) !== idIn(organization)) nameTaken(organization, String(name), other);
}

function nameTaken(organization: Wire, name: string, other: Wire | null): never {
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

/**
 * Zendesk replaces the domains by those it gets, and has no guard for it: so that none is lost that somebody has added since the
 * first look, the organization is read anew right before it is written (row 98).
 */
async function asOfNow(task: Task, organization: Wire, domains: readonly string[]): Promise<Wire> {
  if (task.isDryRun || missingIn(organization, domains).length === 0) return organization;
  return (await organizationById(task, String(idIn(organization)))) ?? organization;
}

/** The ones that are there go along. */
function newDomains(organization: Wire, domains: readonly string[]): Wanted[] {
  const missing = missingIn(organization, domains);
  if (missing.length === 0) return [];
  const had = domainsIn(organization);
  const change = { field: "domain_names", value: [...had, ...missing], from: had };
  return [change];
}

function missingIn(organization: Wire, domains: readonly string[]): string[] {
  const had = domainsIn(organization).map(asDomain);
  return [...new Set(domains)].filter((domain) => !had.includes(asDomain(domain)));
}

const domainsIn = ({ domain_names: names }: Wire): string[] => (Array.isArray(names) ? names.map(String) : []);

/** What an earlier try has sent, and Zendesk's answer to it did not show (row 97): domains that were there before are among it. */
function lostBefore({ earlier }: Task, id: string): string[] {
  const shownOtherwise = earlier.filter(
    ({ step, path, outcome, status }) =>
      step === update && path.endsWith(`/${id}`) && outcome === "unknown" && status !== null && status < 300,
  );
  return shownOtherwise.flatMap(({ request }) =>
    isObject(request) && isObject(request.organization) ? domainsIn(request.organization) : [],
  );
}

function listed(lists: Record<string, string[]>): Wanted[] {
  return Object.entries(lists).map(([field, value]) => ({ field, value }));
}
