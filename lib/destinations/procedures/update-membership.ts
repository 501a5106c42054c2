import { flagOf, nameOf, personOf, requiredText } from "#lib/destinations/procedures/command-fields.ts";
import { describeOrganization, requireOrganization } from "#lib/destinations/procedures/find-organization.ts";
import { describe, requireUser } from "#lib/destinations/procedures/find-user.ts";
import {
  endMembership,
  ensureMember,
  membershipIn,
  membershipsOf,
  type Named,
  workingTickets,
} from "#lib/destinations/procedures/memberships.ts";
import { idIn } from "#lib/destinations/procedures/rows.ts";
import { fail, hold, isApproved, procedure, type Task } from "#lib/destinations/procedures/task.ts";
import { findOrCreateUser, refuseAgent } from "#lib/destinations/procedures/write-user.ts";

/** Adds a user to an organization, or removes them from it and from no other (C-9, C-21 … C-23, R-15 … R-18). */
export const updateMembership = procedure(async (task) => {
  const { command } = task;
  const reference = requiredText(command, "organization_id");
  const isRemoval = flagOf(command, "remove") === true;
  if (isRemoval && !task.settings.allowRemovals) removalsOff();
  const row = await requireOrganization(task, reference);
  const organization = { id: String(idIn(row)), name: describeOrganization(row) };
  const person = personOf(command, "user.");
  if (isRemoval) {
    const user = await requireUser(task, person);
    refuseAgent(user);
    return removeMember(task, { id: String(idIn(user)), name: describe(user) }, organization);
  }
  const { user, id, isNew } = await findOrCreateUser(task, person);
  refuseAgent(user);
  task.result = { kind: "user", id };
  const member = { id, isNew, name: isNew ? nameOf(person) : describe(user) };
  if (!isNew && task.isOvertaken && !membershipIn(await membershipsOf(task, id), organization.id))
    requireWord(task, `${member.name} is to become a member of ${organization.name}`);
  await ensureMember(task, member, organization);
});

/** A later call has said what the membership is to be: this one undoes it only on a person's word. */
function requireWord(task: Task, what: string): void {
  if (isApproved(task, "overtaken")) return;
  hold(
    "overtaken",
    `${what}, and a later call about this membership was done before. Nothing was written.`,
    "If the later call holds, discard this. If this one does, approve it.",
  );
}

/** What Zendesk does to the user's working tickets is shown before, and only done when somebody has seen it (C-23). */
async function removeMember(task: Task, user: Named, organization: Named): Promise<void> {
  task.result = { kind: "user", id: user.id };
  const membership = membershipIn(await membershipsOf(task, user.id), organization.id);
  const membershipId = membership && idIn(membership);
  if (!membershipId) {
    task.notes.push(`${user.name} was not a member of ${organization.name}: there was nothing to remove.`);
    return;
  }
  if (task.isOvertaken) requireWord(task, `${user.name} is to be removed from ${organization.name}`);
  if (isApproved(task, "removal")) return endMembership(task, membershipId, user, organization);
  const affected = await workingTickets(task, user.id, organization.id);
  if (task.isDryRun) await endMembership(task, membershipId, user, organization);
  askFirst(user, organization, affected);
}

function askFirst(
  user: Named,
  organization: Named,
  affected: { id: string; subject: string; status: string }[],
): never {
  const count = affected.length;
  const tickets = count === 1 ? "one working ticket" : `${count === 0 ? "no" : count} working tickets`;
  return hold(
    "removal",
    `${user.name} is to be removed from ${organization.name}. They have ${tickets} there, which Zendesk will unassign and take out of the organization.`,
    "Look at the tickets, then approve the removal or discard it.",
    affected,
  );
}

function removalsOff(): never {
  return fail(
    "removals_off",
    "The event asks to remove the user from an organization, and this destination does not allow that.",
    "Allow removals in the destination's settings, then replay this; or leave company.remove out.",
  );
}
