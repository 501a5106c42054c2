import type { z } from "zod";
import type { Db } from "#db/client.ts";
import { requireAccount } from "#lib/accounts/require-account.ts";
import { pageOf, positionFrom } from "#lib/api/cursor.ts";
import type { List } from "#lib/api/shapes.ts";
import { agentPage } from "#lib/zendesk/agent-pages.ts";
import type { PersonItem, peopleQuery } from "./shapes.ts";
import { splitName } from "./split-name.ts";
import { listPeopleOfAccount, type PersonRow } from "./store.ts";

/** End users of an account's organizations, by name. Throws `not_found` for an account of another workspace. */
export async function peopleOfAccount(
  db: Db,
  workspaceId: number,
  accountId: string,
  query: z.output<typeof peopleQuery>,
  zendeskUrl: string,
): Promise<List<PersonItem>> {
  await requireAccount(db, workspaceId, accountId);
  const position = positionFrom(query.cursor, ["text", "number", "id"]);
  const rows = await listPeopleOfAccount(db, workspaceId, accountId, {
    search: query.q?.trim() || null,
    after: position && { sortName: position[0], connectionId: position[1], userId: position[2] },
    limit: query.limit + 1,
  });
  return pageOf(
    rows,
    query.limit,
    (row) => personOf(row, zendeskUrl),
    (row) => [row.sort_name, row.connection_id, row.id],
  );
}

function personOf(row: PersonRow, zendeskUrl: string): PersonItem {
  return {
    connectionId: String(row.connection_id),
    zendeskUserId: row.id,
    name: row.name,
    ...splitName(row.name),
    email: row.email,
    organizationId: row.organization_id,
    active: row.active,
    ticketsTotal: row.tickets,
    lastTicketAt: row.last_ticket_at?.toISOString() ?? null,
    url: agentPage(zendeskUrl, row.subdomain, "users", row.id),
  };
}
