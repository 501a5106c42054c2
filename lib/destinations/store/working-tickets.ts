import type { Db } from "#db/client.ts";
import type { AffectedTicket } from "#lib/destinations/attempt.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** Tickets of a user in an organization that are in one of the statuses, as they were read last. */
export async function workingTicketsOf(
  db: Db,
  scope: Scope,
  of: { userId: string; organizationId: string; statuses: readonly string[] },
): Promise<AffectedTicket[]> {
  const rows = await db
    .selectFrom("ticket")
    .select(["id", "subject", "status"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("requester_id", "=", of.userId)
    .where("organization_id", "=", of.organizationId)
    .where("status", "in", [...of.statuses])
    .where("deleted_at", "is", null)
    .orderBy("id")
    .limit(1000)
    .execute();
  return rows.map(({ id, subject, status }) => ({ id, subject: subject ?? "", status: status ?? "" }));
}
