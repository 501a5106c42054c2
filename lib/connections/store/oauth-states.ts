import type { Insertable, Selectable } from "kysely";
import type { Trx } from "#db/client.ts";
import type { OauthStateTable } from "#db/schema.ts";

export async function insertState(trx: Trx, state: Insertable<OauthStateTable>): Promise<void> {
  await trx.insertInto("oauth_state").values(state).execute();
}

export async function findState(
  trx: Trx,
  workspaceId: number,
  stateHash: Buffer,
): Promise<Selectable<OauthStateTable> | undefined> {
  return trx
    .selectFrom("oauth_state")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("state_hash", "=", stateHash)
    .executeTakeFirst();
}

/** Gives a state and forgets it: it is good for one return. */
export async function takeState(
  trx: Trx,
  workspaceId: number,
  stateHash: Buffer,
): Promise<Selectable<OauthStateTable> | undefined> {
  return trx
    .deleteFrom("oauth_state")
    .where("workspace_id", "=", workspaceId)
    .where("state_hash", "=", stateHash)
    .returningAll()
    .executeTakeFirst();
}

export async function deleteStates(trx: Trx, workspaceId: number, before: Date): Promise<void> {
  await trx
    .deleteFrom("oauth_state")
    .where("workspace_id", "=", workspaceId)
    .where("created_at", "<", before)
    .execute();
}
