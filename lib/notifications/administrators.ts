import { type Db, inWorkspace } from "#db/client.ts";
import { readAddresses } from "#lib/notifications/store/letters.ts";

/** To whom notices are sent: the addresses of the workspace's administrators. */
export function readAdministrators(db: Db, workspaceId: number): Promise<string[]> {
  return inWorkspace(db, workspaceId, (trx) => readAddresses(trx, workspaceId));
}
