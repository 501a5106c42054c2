import type { Trx } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** A customer's event that is kept here since Zendesk has no place for it. `properties` is JSON text. */
export interface KeptEvent {
  eventId: string;
  userId: string;
  organizationId: string | null;
  name: string;
  properties: string;
  occurredAt: Date;
}

/** Keeps the event; again, it is the same one. */
export async function keepCustomerEvent(trx: Trx, scope: Scope, event: KeptEvent): Promise<void> {
  const values = {
    zendesk_user_id: event.userId,
    organization_id: event.organizationId,
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
