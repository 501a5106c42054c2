import { inWorkspace } from "#db/client.ts";
import type { AffectedTicket } from "#lib/destinations/attempt.ts";
import { findAll, idIn, isTaken, wireId } from "#lib/destinations/procedures/rows.ts";
import type { Task } from "#lib/destinations/procedures/task.ts";
import { workingTicketsOf } from "#lib/destinations/store/working-tickets.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

/** Zendesk's name of a user or an organization for people, and its id. */
export interface Named {
  id: string;
  name: string;
}

export const membershipOf = (user: Named, organization: Named): string =>
  `membership of ${user.name} in ${organization.name}`;

/** All of a user's memberships, not the first one only. */
export async function membershipsOf(task: Task, userId: string): Promise<Wire[]> {
  const path = `/api/v2/users/${userId}/organization_memberships`;
  return (await findAll(task, "list memberships", path, "organization_memberships")) ?? [];
}

export function membershipIn(memberships: readonly Wire[], organizationId: string): Wire | undefined {
  return memberships.find((membership) => idIn(membership, "organization_id") === organizationId);
}

/** Makes the user a member, unless they are one: no other membership is touched, and saying it twice succeeds. */
export async function ensureMember(task: Task, user: Named & { isNew: boolean }, organization: Named): Promise<void> {
  if (!user.isNew && membershipIn(await membershipsOf(task, user.id), organization.id)) return;
  const membership = { user_id: wireId(user.id), organization_id: wireId(organization.id) };
  try {
    await task.zendesk.write(
      "add membership",
      "POST",
      "/api/v2/organization_memberships",
      { organization_membership: membership },
      {
        expect: "organization_membership",
        intent: {
          verb: "create",
          what: membershipOf(user, organization),
          zendeskId: null,
          changes: [],
        },
        supposed: { organization_membership: membership },
      },
    );
  } catch (error) {
    // Somebody, or Zendesk by the e-mail's domain, was faster.
    if (!isTaken(error) || !membershipIn(await membershipsOf(task, user.id), organization.id)) throw error;
  }
}

export const removal = "remove membership";

/**
 * Ends one membership, and tells whether it did: one that is gone already is as wanted. `affects`: the working tickets that
 * Zendesk unassigns with it (C-23).
 */
export async function endMembership(
  task: Task,
  membershipId: string,
  what: string,
  affects: readonly AffectedTicket[],
): Promise<boolean> {
  const path = `/api/v2/organization_memberships/${membershipId}`;
  try {
    await task.zendesk.write(removal, "DELETE", path, undefined, {
      intent: { verb: "remove", what, zendeskId: membershipId, changes: [] },
      affects,
    });
    return true;
  } catch (error) {
    if (!(error instanceof ZendeskError) || error.code !== "not_found") throw error;
    task.notes.push(`Somebody else has ended the ${what} in the meantime.`);
    return false;
  }
}

const working = ["new", "open", "pending", "hold"];

/** The tickets that Zendesk will take from the organization when the user leaves it (C-23); from our tables where it does not tell. */
export async function workingTickets(task: Task, userId: string, organizationId: string): Promise<AffectedTicket[]> {
  const path = `/api/v2/users/${userId}/tickets/requested`;
  const tickets = await findAll(task, "list the user's tickets", path, "tickets");
  if (tickets === null) {
    return inWorkspace(task.db, task.scope.workspaceId, (trx) =>
      workingTicketsOf(trx, task.scope, { userId, organizationId, statuses: working }),
    );
  }
  return tickets
    .filter((row) => idIn(row, "organization_id") === organizationId && working.includes(String(row.status)))
    .map((row) => ({ id: String(idIn(row)), subject: String(row.subject ?? ""), status: String(row.status) }));
}
