import { sql } from "kysely";
import type { z } from "zod";
import type { Db } from "#db/client.ts";
import type { ownerItem } from "#lib/accounts/shapes.ts";
import { pageOf, positionFrom } from "#lib/api/cursor.ts";
import type { List } from "#lib/api/shapes.ts";

type Owner = z.infer<typeof ownerItem>;

/** People who own accounts, by e-mail; the name comes once that person has joined. */
export async function listOwners(
  db: Db,
  workspaceId: number,
  query: { limit: number; cursor?: string | undefined },
): Promise<List<Owner>> {
  const after = positionFrom(query.cursor, ["text"]);
  const beyond = after ? sql` and a.owner_email > ${after[0]}::text` : sql``;
  const { rows } = await sql<Owner>`
    select a.owner_email as email, max(u.name) as name, count(*)::int as accounts
      from account a
      left join app_user u on u.workspace_id = ${workspaceId}::int and u.email = a.owner_email
     where a.workspace_id = ${workspaceId}::int and a.owner_email is not null${beyond}
     group by a.owner_email order by a.owner_email limit ${query.limit + 1}`.execute(db);
  return pageOf(
    rows,
    query.limit,
    (owner) => owner,
    (owner) => [owner.email],
  );
}
