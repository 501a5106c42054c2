import type { Db } from "#db/client.ts";
import { type List, pageOf, positionFrom } from "#lib/api/cursor.ts";
import { presentConnection } from "#lib/connections/present.ts";
import type { Connection, HeldRow, StreamName } from "#lib/connections/shapes.ts";
import { findConnections, readRhythm } from "#lib/connections/store/connections.ts";
import { type ListedHeldRow, readHeldRows, readParts } from "#lib/connections/store/parts.ts";
import { notFound } from "#lib/errors.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** Connections in the order in which they were made. */
export async function listConnections(
  db: Db,
  workspaceId: number,
  page: { limit: number; cursor?: string | undefined },
): Promise<List<Connection>> {
  const [afterId] = positionFrom(page.cursor, ["number"]) ?? [0];
  const found = await findConnections(db, workspaceId, { limit: page.limit + 1, afterId });
  const ids = found.slice(0, page.limit).map((connection) => connection.id);
  const parts = await readParts(db, workspaceId, ids);
  const rhythm = await readRhythm(db, workspaceId);
  return pageOf(
    found,
    page.limit,
    (connection) => {
      const own = parts.get(connection.id);
      if (!own) throw new Error("The parts of a listed connection were not read.");
      return presentConnection(connection, own, rhythm);
    },
    (connection) => [connection.id],
  );
}

/** One connection. Throws `not_found`. */
export async function getConnection(db: Db, scope: Scope): Promise<Connection> {
  const [connection] = await findConnections(db, scope.workspaceId, { limit: 1, afterId: 0, id: scope.connectionId });
  if (!connection) throw notFound("The connection");
  const parts = (await readParts(db, scope.workspaceId, [scope.connectionId])).get(scope.connectionId);
  if (!parts) throw notFound("The connection");
  return presentConnection(connection, parts, await readRhythm(db, scope.workspaceId));
}

/** Rows that could not be stored, by stream and key, those that were set aside too; or the one with a key, with all of its text. */
export async function listHeldRows(
  db: Db,
  scope: Scope,
  page: { limit: number; cursor?: string | undefined; stream?: StreamName | undefined; key?: string | undefined },
): Promise<List<HeldRow>> {
  await requireConnection(db, scope);
  const [stream, key] = positionFrom(page.cursor, ["text", "text"]) ?? [];
  const after = stream !== undefined && key !== undefined ? { stream, key } : null;
  const rows = await readHeldRows(db, scope, { ...page, limit: page.limit + 1, after });
  return pageOf(rows, page.limit, presentHeldRow, (row) => [row.stream, row.row_key]);
}

export function presentHeldRow(row: ListedHeldRow): HeldRow {
  return {
    stream: row.stream as StreamName,
    key: row.row_key,
    reason: row.reason,
    payload: row.text,
    length: row.length,
    isCut: row.is_cut,
    firstHeldAt: row.first_held_at.toISOString(),
    lastHeldAt: row.last_held_at.toISOString(),
    setAside: row.set_aside_at && { by: row.set_aside_by ?? "", at: row.set_aside_at.toISOString() },
  };
}

/** Throws `not_found` where there is no such connection to show. */
export async function requireConnection(db: Db, scope: Scope): Promise<void> {
  const [connection] = await findConnections(db, scope.workspaceId, { limit: 1, afterId: 0, id: scope.connectionId });
  if (!connection) throw notFound("The connection");
}

/** Connection ids are 32-bit; a larger number in a path is simply not found. */
export function connectionScope(workspaceId: number, id: string): Scope {
  const connectionId = Number(id);
  if (!Number.isInteger(connectionId) || connectionId < 1 || connectionId > 2_147_483_647) {
    throw notFound("The connection");
  }
  return { workspaceId, connectionId };
}
