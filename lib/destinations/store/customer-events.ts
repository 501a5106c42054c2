import { sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** A customer's event that is kept here since Zendesk has no place for it. `properties` is JSON text. */
export interface KeptEvent {
  eventId: string;
  userId: string;
  /** The default one, as Zendesk named it just now. */
  organizationId: string | null;
  name: string;
  properties: string;
  occurredAt: Date;
}

/**
 * Keeps the event; again, it is the same one. It goes with its user: the organization is kept only until a run has brought
 * one of the user's to our own rows.
 */
export async function keepCustomerEvent(trx: Trx, scope: Scope, event: KeptEvent): Promise<void> {
  const values = {
    zendesk_user_id: event.userId,
    organization_id: sql<string | null>`case when not exists (${organizationsOf(scope, event.userId)})
      then ${event.organizationId}::bigint end`,
    name: event.name,
    properties: event.properties,
    occurred_at: event.occurredAt,
  };
  await trx
    .insertInto("customer_event")
    .values({
      workspace_id: scope.workspaceId,
      connection_id: scope.connectionId,
      event_id: event.eventId,
      ...values,
    })
    .onConflict((conflict) => conflict.columns(["workspace_id", "connection_id", "event_id"]).doUpdateSet(values))
    .execute();
}

/** Names of the accounts in whose timelines the user's events are; with the organization that Zendesk named, while our rows know of none. */
export async function accountsOfUser(
  db: Db,
  scope: Scope,
  { userId, organizationId }: Pick<KeptEvent, "userId" | "organizationId">,
): Promise<string[]> {
  const known = organizationsOf(scope, userId);
  const { rows } = await sql<{ name: string }>`
    select distinct a.name
      from (${known} union all select ${organizationId}::bigint where not exists (${known})) mine
      join organization o on o.workspace_id = ${scope.workspaceId} and o.connection_id = ${scope.connectionId}
       and o.id = mine.organization_id
      join account a on a.workspace_id = o.workspace_id and a.id = o.account_id
     order by a.name`.execute(db);
  return rows.map(({ name }) => name);
}

/** As our own rows know them. */
const organizationsOf = ({ workspaceId, connectionId }: Scope, userId: string) => sql`
  select u.organization_id from zendesk_user u
   where u.workspace_id = ${workspaceId} and u.connection_id = ${connectionId} and u.id = ${userId}
     and u.organization_id is not null
  union all
  select m.organization_id from organization_membership m
   where m.workspace_id = ${workspaceId} and m.connection_id = ${connectionId} and m.user_id = ${userId}`;
