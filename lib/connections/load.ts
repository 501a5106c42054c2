import type { Selectable } from "kysely";
import type { Db } from "#db/client.ts";
import type { ConnectionTable } from "#db/schema.ts";
import { findConnection } from "#lib/connections/store/connections.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

export type StoredConnection = Selectable<ConnectionTable>;

/** A connection as stored, its secrets sealed; undefined when there is none. */
export function loadConnection(db: Db, scope: Scope): Promise<StoredConnection | undefined> {
  return findConnection(db, scope);
}
