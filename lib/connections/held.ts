import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import { presentHeldRow, requireConnection } from "#lib/connections/list.ts";
import type { HeldRow, StreamName } from "#lib/connections/shapes.ts";
import { readHeldRow } from "#lib/connections/store/parts.ts";
import { notFound } from "#lib/errors.ts";
import { retryHeldRows, setHeldRowAside } from "#lib/zendesk/held.ts";
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

/** The word of `by` that a held row is no doubt about its stream, or that it is one again. Throws `not_found`. */
export async function decideHeld(
  trx: Trx,
  scope: Scope,
  decision: { stream: StreamName; key: string; setAside: boolean },
  by: string,
  now: Date,
): Promise<HeldRow> {
  await requireConnection(trx, scope);
  await setHeldRowAside(trx, scope, decision, decision.setAside ? { by, at: now } : null, now);
  const row = await readHeldRow(trx, scope, decision);
  if (!row) throw notFound("The held row");
  return presentHeldRow(row);
}
