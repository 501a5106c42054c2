import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** What permanent deletion leaves as a ticket's subject (zendesk-api section 3.5). */
export const scrubbedSubject = "SCRUBBED";

/** What was said about tickets that are gone for good is forgotten with them (row 26), also where it is read once more. */
export async function forgetComments(trx: Trx, scope: Scope, tickets: readonly string[]): Promise<void> {
  for (const table of ["satisfaction_rating", "former_rating"]) {
    await sql`
      update ${sql.table(table)} r set comment = null from ticket t
       where r.workspace_id = ${scope.workspaceId}::int and r.connection_id = ${scope.connectionId}::int
         and r.ticket_id = any(${[...tickets]}::bigint[]) and r.comment is not null
         and t.workspace_id = ${scope.workspaceId}::int and t.connection_id = ${scope.connectionId}::int
         and t.id = r.ticket_id and t.deleted_at is not null
         and (t.content_hash = 0 or t.subject = ${scrubbedSubject})`.execute(trx);
  }
}
