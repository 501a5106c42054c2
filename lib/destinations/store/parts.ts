import { type Selectable, sql } from "kysely";
import type { Db } from "#db/client.ts";
import type { DestinationTable } from "#db/schema.ts";
import type { Command } from "#lib/destinations/attempt.ts";
import { flagOf } from "#lib/destinations/procedures/command-fields.ts";
import type { Settings } from "#lib/destinations/shapes.ts";

/** An event as it was received. */
export interface StoredEvent {
  id: string;
  type: string;
  messageId: string;
  occurredAt: Date;
  receivedAt: Date;
  name: string | null;
  payload: string;
}

export async function readStoredEvent(db: Db, workspaceId: number, id: string): Promise<StoredEvent | null> {
  const row = await db
    .selectFrom("event")
    .select(["id", "type", "message_id as messageId", "occurred_at as occurredAt", "received_at as receivedAt"])
    .select(["name", "payload"])
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", id)
    .executeTakeFirst();
  return row ?? null;
}

/** The settings of a destination that hold now. */
export async function readSettings(db: Db, workspaceId: number, destinationId: number): Promise<Settings> {
  const row = await db
    .selectFrom("destination")
    .selectAll()
    .where("workspace_id", "=", workspaceId)
    .where("id", "=", destinationId)
    .executeTakeFirstOrThrow();
  return settingsIn(row);
}

export function settingsIn(row: Selectable<DestinationTable>): Settings {
  return {
    unknownUserOnTrack: row.unknown_user_on_track as Settings["unknownUserOnTrack"],
    unknownUserTraits: row.unknown_user_traits as Settings["unknownUserTraits"],
    unknownOrganizationTraits: row.unknown_organization_traits as Settings["unknownOrganizationTraits"],
    associateOnGroup: row.associate_on_group,
    acceptGroupWithoutUser: row.accept_group_without_user,
    allowRemovals: row.allow_removals,
    createVerified: row.create_verified,
    skipVerifyEmail: row.skip_verify_email,
  };
}

/** What tells of which row a command is, by the kinds of its lanes: one of each has to be shared. */
const rowLanes: Record<string, readonly string[]> = {
  upsert_user: ["[umz]"],
  upsert_organization: ["o"],
  update_membership: ["[umz]", "o"],
  update_ticket: ["t"],
};

/**
 * Whether a later command of the same kind about the same row is done, or has written before it failed: that happens to what
 * failed, was held or unknown, and is taken up again. A removal is also overtaken by a group call, which adds its user (C-35,
 *
 */
export async function isOvertaken(
  db: Db,
  workspaceId: number,
  { id, destinationId, action, lanes }: { id: string; destinationId: number; action: string; lanes: readonly string[] },
  command: Command,
  { associateOnGroup }: Pick<Settings, "associateOnGroup">,
): Promise<boolean> {
  const isRemoval = action === "update_membership" && flagOf(command, "remove") === true;
  const overtaking = isRemoval && associateOnGroup ? [action, "upsert_organization"] : [action];
  const kinds = rowLanes[action] ?? [];
  const own = kinds.map((kind) => lanes.filter((lane) => new RegExp(`^${kind}:`).test(lane)));
  const [first = [], ...others] = own;
  if (own.length === 0 || own.some((named) => named.length === 0)) return false;
  const alsoShared = others.reduce(
    (before, named) => sql`${before} and exists (select from delivery_lane m where m.workspace_id = ${workspaceId}
      and m.delivery_id = l.delivery_id and m.lane = any(${named}::text[]))`,
    sql`true`,
  );
  const { rows } = await sql`
    select from delivery_lane l join delivery d on d.workspace_id = ${workspaceId} and d.id = l.delivery_id
     where l.workspace_id = ${workspaceId} and l.lane = any(${first}::text[]) and l.delivery_id > ${id}
       and (l.state = 'done' or exists (select from delivery_exchange x where x.workspace_id = ${workspaceId}
         and x.delivery_id = l.delivery_id and x.is_write and x.outcome in ('done', 'unknown')))
       and l.connection_id = (select connection_id from destination where workspace_id = ${workspaceId} and id = ${destinationId})
       and d.destination_id = ${destinationId} and d.action = any(${overtaking}::text[]) and ${alsoShared} limit 1`.execute(
    db,
  );
  return rows.length > 0;
}

/** The id in Zendesk of what the newest command of a lane that is done has written, of a kind; null where there is none. */
export async function writtenInLane(
  trx: Db,
  { workspaceId, connectionId }: { workspaceId: number; connectionId: number },
  lane: string,
  kind: string,
): Promise<string | null> {
  const row = await trx
    .selectFrom("delivery_lane as l")
    .innerJoin("delivery as d", (join) =>
      join.onRef("d.workspace_id", "=", "l.workspace_id").onRef("d.id", "=", "l.delivery_id"),
    )
    .select("d.result_id as id")
    .where("l.workspace_id", "=", workspaceId)
    .where("l.connection_id", "=", connectionId)
    .where("l.lane", "=", lane)
    .where("l.state", "=", "done")
    .where("d.result_kind", "=", kind)
    .orderBy("l.delivery_id", "desc")
    .limit(1)
    .executeTakeFirst();
  return row?.id ?? null;
}
