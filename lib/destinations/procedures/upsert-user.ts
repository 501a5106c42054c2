import { nameOf, personOf, tagsOf, textOf } from "#lib/destinations/procedures/command-fields.ts";
import { customFieldsOf } from "#lib/destinations/procedures/custom-fields.ts";
import { describeOrganization, organizationById } from "#lib/destinations/procedures/find-organization.ts";
import { describe, findUser } from "#lib/destinations/procedures/find-user.ts";
import { ensureMember } from "#lib/destinations/procedures/memberships.ts";
import { idIn } from "#lib/destinations/procedures/rows.ts";
import { procedure, type Task } from "#lib/destinations/procedures/task.ts";
import {
  createUser,
  refuseAgent,
  requireCreatable,
  type UserValues,
  updateUser,
  type WrittenUser,
} from "#lib/destinations/procedures/write-user.ts";

/** Creates the user that an identify names, or writes what differs (C-12 … C-18, R-10 … R-14). */
export const upsertUser = procedure(async (task) => {
  const { command } = task;
  const person = personOf(command, "");
  const user = await findUser(task, person);
  if (user) refuseAgent(user);
  else requireCreatable(person);
  const texts = ["details", "notes", "alias", "locale"].map((name) => [name, textOf(command, name)] as const);
  const values: UserValues = {
    texts: Object.fromEntries(texts),
    tags: tagsOf(command, "tags"),
    fields: await customFieldsOf(task, "user"),
  };
  const written = await (user ? updateUser(task, user, person, values) : createUser(task, person, values));
  const organizationId = textOf(command, "organization_id");
  if (organizationId !== null) await joinOrganization(task, written, nameOf(person), organizationId);
});

/** Written as the user's `organization_id` it would take the place of all their organizations. */
async function joinOrganization(task: Task, written: WrittenUser, name: string, reference: string): Promise<void> {
  const organization = await organizationById(task, reference);
  if (!organization) {
    task.notes.push(`organization_id was left out: Zendesk has no organization with the id ${reference}.`);
    return;
  }
  const user = { id: written.id, isNew: written.isNew, name: written.isNew ? name : describe(written.user) };
  await ensureMember(task, user, { id: String(idIn(organization)), name: describeOrganization(organization) });
}
