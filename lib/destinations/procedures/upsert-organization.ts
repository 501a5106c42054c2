import type { Person } from "#lib/destinations/procedures/command-fields.ts";
import {
  isNamed,
  nameOf,
  personOf,
  requiredText,
  tagsOf,
  textOf,
  textsOf,
} from "#lib/destinations/procedures/command-fields.ts";
import { customFieldsOf } from "#lib/destinations/procedures/custom-fields.ts";
import { cleanDomains } from "#lib/destinations/procedures/domain-names.ts";
import { organizationByExternalId } from "#lib/destinations/procedures/find-organization.ts";
import { describe, findUser } from "#lib/destinations/procedures/find-user.ts";
import { ensureMember } from "#lib/destinations/procedures/memberships.ts";
import { procedure, type Task } from "#lib/destinations/procedures/task.ts";
import {
  type OrganizationValues,
  requireName,
  writeOrganization,
} from "#lib/destinations/procedures/write-organization.ts";
import {
  findOrCreateUser,
  noValues,
  refuseAgent,
  updateUser,
  type WrittenUser,
} from "#lib/destinations/procedures/write-user.ts";

export const notAssociated = "The user was not made a member: the destination does not associate users on group calls.";

/** Creates or updates the organization of a group call, and makes its user a member (C-34 … C-38, R-21 … ). */
export const upsertOrganization = procedure(async (task) => {
  const { command, settings } = task;
  const externalId = requiredText(command, "external_id");
  const person = personOf(command, "user.");
  const hasUser = isNamed(person);
  const known = await organizationByExternalId(task, externalId);
  if (!known) requireName(externalId, textOf(command, "name"));
  const organization = await writeOrganization(task, externalId, known, await valuesOf(task));
  if (!hasUser) return;
  if (!settings.associateOnGroup) {
    task.notes.push(notAssociated);
    return;
  }
  const { result } = task;
  const member = await writeMember(task, person);
  task.result = result;
  await ensureMember(task, { ...member, name: member.isNew ? nameOf(person) : describe(member.user) }, organization);
});

async function valuesOf(task: Task): Promise<OrganizationValues> {
  const { command } = task;
  const { domains, refused } = cleanDomains(textsOf(command, "domain_names"));
  task.notes.push(...refused.map((why) => `A domain was left out: ${why}.`));
  const url = textOf(command, "url");
  return {
    name: textOf(command, "name"),
    details: textOf(command, "details"),
    notes: textOf(command, "notes"),
    domains,
    tags: tagsOf(command, "tags"),
    // Zendesk's own `url` of an organization is its address in the API, which nobody can write.
    fields: await customFieldsOf(task, "organization", url === null ? {} : { url }),
  };
}

/** The user of a group call: what the call tells of them is written too, as far as it differs. */
async function writeMember(task: Task, person: Person): Promise<WrittenUser> {
  const user = await findUser(task, person);
  if (!user) return findOrCreateUser(task, person);
  refuseAgent(user);
  // The e-mail of a group call is how the user is found, not a change of theirs.
  return updateUser(task, user, { ...person, email: null }, noValues);
}
