import { type Db, inWorkspace } from "#db/client.ts";
import { requireConnection } from "#lib/connections/list.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import { retryHeldRows } from "#lib/zendesk/held.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** The retry button: all held rows, those of a stream, or one. Throws `not_found`. */
export async function retryHeld(
  db: Db,
  scope: Scope,
  which: { stream?: StreamName | undefined; key?: string | undefined },
  now: Date,
): Promise<{ released: number; held: number }> {
  await inWorkspace(db, scope.workspaceId, (trx) => requireConnection(trx, scope));
  return retryHeldRows({ db }, scope, now, which.stream, which.key);
}
