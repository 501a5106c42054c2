import { type Kysely, sql } from "kysely";

/**
 * Customer events are shown with the accounts that their users belong to now: from an organization to its users, and from a
 * user to the events, the newest first; where the users are many, from the newest event on.
 */
export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);
  await run(`create index organization_membership_organization
    on organization_membership (workspace_id, connection_id, organization_id, user_id)`);
  await run(`create index customer_event_user
    on customer_event (workspace_id, connection_id, zendesk_user_id, occurred_at)`);
  await run(`create index customer_event_occurred on customer_event (workspace_id, occurred_at)`);
}
