import type { z } from "zod";
import type { Db } from "#db/client.ts";
import { type List, pageOf, positionFrom } from "#lib/api/cursor.ts";
import { isWholeId } from "#lib/api/shapes.ts";
import { invalid, notFound } from "#lib/errors.ts";
import { concealJson } from "#lib/log.ts";
import type { Event, eventDetail, eventsQuery } from "#lib/sources/shapes.ts";
import { type EventRow, selectEvent, selectEvents } from "#lib/sources/store/events.ts";

/** Events as they arrived, newest first, refused ones among them. */
export async function listEvents(
  db: Db,
  workspaceId: number,
  query: z.output<typeof eventsQuery>,
): Promise<List<Event>> {
  const { limit, cursor, sourceId, ...filter } = query;
  if (sourceId !== undefined && !isWholeId(sourceId)) {
    throw invalid("sourceId is no source's id.", [{ path: "sourceId", message: "is no source's id" }]);
  }
  const [after] = positionFrom(cursor, ["id"]) ?? [null];
  const rows = await selectEvents(db, workspaceId, { ...filter, sourceId }, { after, limit: limit + 1 });
  return pageOf(rows, limit, shown, (row) => [row.id]);
}

/** One event with what was sent. Throws `not_found`. */
export async function getEvent(db: Db, workspaceId: number, eventId: string): Promise<z.infer<typeof eventDetail>> {
  const row = await selectEvent(db, workspaceId, eventId);
  if (!row) throw notFound("The event");
  return { ...shown(row), payload: JSON.parse(concealJson(row.payload)) };
}

function shown(row: EventRow): Event {
  return {
    id: row.id,
    messageId: row.message_id,
    type: row.type,
    name: row.name,
    userId: row.user_id,
    anonymousId: row.anonymous_id,
    groupId: row.group_id,
    email: row.email,
    source: { id: String(row.source_id), name: row.source_name ?? "" },
    occurredAt: row.occurred_at.toISOString(),
    receivedAt: row.received_at.toISOString(),
    rejection: row.rejection,
    deliveries: row.deliveries,
  };
}
