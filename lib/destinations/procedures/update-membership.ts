import type { AffectedTicket } from "#lib/destinations/attempt.ts";
import { flagOf, nameOf, personOf, requiredText } from "#lib/destinations/procedures/command-fields.ts";
import { describeOrganization, requireOrganization } from "#lib/destinations/procedures/find-organization.ts";
import { describe, requireUser } from "#lib/destinations/procedures/find-user.ts";
import {
  endMembership,
  ensureMember,
  membershipIn,
  membershipOf,
  membershipsOf,
  type Named,
  removal,
  workingTickets,
} from "#lib/destinations/procedures/memberships.ts";
import { idIn } from "#lib/destinations/procedures/rows.ts";
import { hold, isApproved, procedure, sentBefore, type Task } from "#lib/destinations/procedures/task.ts";
import { findOrCreateUser, refuseAgent } from "#lib/destinations/procedures/write-user.ts";

/** Adds a user to an organization, or removes them from it and from no other (C-9, C-21 … C-23, R-15 … R-18). */
export const updateMembership = procedure(async (task) => {
  const { command } = task;
  const reference = requiredText(command, "organization_id");
  const isRemoval = flagOf(command, "remove") === true;
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

/**
 * What Zendesk does to the user's working tickets is shown before, and only done when somebody has seen it (C-23): they are
 * read again right before the membership ends, and where some came up since, the person is asked again.
 */
async function removeMember(task: Task, user: Named, organization: Named): Promise<void> {
  task.result = { kind: "user", id: user.id };
  const membership = membershipIn(await membershipsOf(task, user.id), organization.id);
  const membershipId = membership && idIn(membership);
  if (!membershipId) return noMember(task, user, organization);
  if (task.isOvertaken) requireWord(task, `${user.name} is to be removed from ${organization.name}`);
  const affected = await workingTickets(task, user.id, organization.id);
  const seen = isApproved(task, "removal") ? (task.delivery.affected ?? []) : null;
  const unseen = seen && affected.filter(({ id }) => !seen.some((ticket) => ticket.id === id));
  const end = () => endMembership(task, membershipId, membershipOf(user, organization), affected);
  if (unseen?.length === 0) {
    if (await end()) task.affected = affected;
    return;
  }
  if (task.isDryRun) await end();
  askFirst(user, organization, affected, unseen ?? []);
}

function noMember(task: Task, user: Named, organization: Named): void {
  if (sentBefore(task, removal).length > 0) {
    task.affected = task.delivery.affected ?? [];
    task.notes.push(`An earlier try has ended the ${membershipOf(user, organization)}.`);
  } else {
    task.notes.push(`${user.name} was not a member of ${organization.name}: there was nothing to remove.`);
  }
}

const mostNamed = 5;

/** `unseen`: those of the affected that came up after a person had approved it; they have a code, so a word, of their own. */
function askFirst(
  user: Named,
  organization: Named,
  affected: readonly AffectedTicket[],
  unseen: readonly AffectedTicket[],
): never {
  const count = affected.length;
  const tickets = count === 1 ? "one working ticket" : `${count === 0 ? "no" : count} working tickets`;
  const isAgain = unseen.length > 0;
  return hold(
    isAgain ? "removal_grown" : "removal",
    `${user.name} is to be removed from ${organization.name}. They have ${tickets} there, which Zendesk will unassign and take out of the organization.${isAgain ? ` New since it was approved: ${namesOf(unseen)}.` : ""}`,
    `Look at the tickets, then approve the removal${isAgain ? " again" : ""} or discard it.`,
    affected,
  );
}

function namesOf(tickets: readonly AffectedTicket[]): string {
  const named = tickets.slice(0, mostNamed).map(({ id, subject }) => `#${id} “${subject}”`);
  const others = tickets.length > mostNamed ? ` and ${tickets.length - mostNamed} more` : "";
  return `${named.join(", ")}${others}`;
}
