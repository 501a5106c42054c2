import { type Selectable, sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { DeliveryTable } from "#db/schema.ts";
import type { Command } from "#lib/destinations/attempt.ts";
import type { CommandKind } from "#lib/destinations/shapes.ts";
import { alignLanes, lockLanes } from "#lib/destinations/store/lanes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

export type StoredDelivery = Selectable<DeliveryTable>;

/** A command that is to be done. `failed`: the mapping refuses it already, and it is only listed. */
export interface NewDelivery {
  destinationId: number;
  connectionId: number;
  eventId: string | null;
  messageId: string | null;
  action: CommandKind;
  actionVersion: number;
  command: Command;
  /** Names the command: of several with the same name in a destination only the first is one (row 105). */
  commandKey: string;
  lanes: readonly string[];
  /** Sent also while the destination is off. */
  isTest?: boolean;
  failed?: { code: string; reason: string; fix: string };
  /** What the mapping left out, and why. */
  notes?: readonly string[];
}

export interface InsertedDelivery {
  id: string;
  destinationId: number;
  connectionId: number;
  commandKey: string;
}

const atOnce = 500;

/**
 * Queues commands, bound to the Zendesk account that their connection reads now (row 106), and gives those that were new.
 * Whoever queues for the same connection takes turns until the transaction ends: ids are an order then.
 */
export async function insertDeliveries(
  trx: Trx,
  workspaceId: number,
  rows: readonly NewDelivery[],
  now: Date,
): Promise<InsertedDelivery[]> {
  const connectionIds = [...new Set(rows.map((row) => row.connectionId))].sort((a, b) => a - b);
  for (const connectionId of connectionIds) await lockLanes(trx, { workspaceId, connectionId });
  const accounts = await accountsOf(trx, workspaceId, connectionIds);
  const inserted: InsertedDelivery[] = [];
  for (let from = 0; from < rows.length; from += atOnce) {
    inserted.push(...(await insertSome(trx, workspaceId, rows.slice(from, from + atOnce), accounts, now)));
  }
  return inserted;
}

async function insertSome(
  trx: Trx,
  workspaceId: number,
  rows: readonly NewDelivery[],
  accounts: ReadonlyMap<number, string>,
  now: Date,
): Promise<InsertedDelivery[]> {
  const inserted = await trx
    .insertInto("delivery")
    .values(
      rows.map((row) => ({
        workspace_id: workspaceId,
        destination_id: row.destinationId,
        connection_id: row.connectionId,
        zendesk_account: accounts.get(row.connectionId) ?? null,
        event_id: row.eventId,
        message_id: row.messageId,
        action: row.action,
        action_version: row.actionVersion,
        command: JSON.stringify(row.command),
        command_key: row.commandKey,
        lanes: [...new Set(row.lanes)],
        is_test: row.isTest ?? false,
        notes: [...(row.notes ?? [])],
        state: row.failed ? "failed" : "queued",
        code: row.failed?.code ?? null,
        reason: row.failed?.reason ?? null,
        fix: row.failed?.fix ?? null,
        due_at: row.failed ? null : now,
        created_at: now,
        updated_at: now,
      })),
    )
    .onConflict((conflict) => conflict.columns(["workspace_id", "destination_id", "command_key"]).doNothing())
    .returning(["id", "destination_id as destinationId", "connection_id as connectionId", "command_key as commandKey"])
    .execute();
  await alignLanes(
    trx,
    workspaceId,
    inserted.map(({ id }) => id),
  );
  return inserted;
}

/** What names the Zendesk account of a connection: its subdomain, and its number where that is known. */
export const accountName = (subdomain: string, accountId: string | null): string =>
  accountId === null ? subdomain : `${subdomain}#${accountId}`;

/** What these connections read now. */
export async function accountsOf(
  db: Db,
  workspaceId: number,
  connectionIds: readonly number[],
): Promise<Map<number, string>> {
  if (connectionIds.length === 0) return new Map();
  const rows = await db
    .selectFrom("connection")
    .select(["id", "subdomain", "zendesk_account_id as accountId"])
    .where("workspace_id", "=", workspaceId)
    .where("id", "in", [...new Set(connectionIds)])
    .execute();
  return new Map(rows.map(({ id, subdomain, accountId }) => [id, accountName(subdomain, accountId)]));
}

/**
 * After a person has confirmed that a connection's account has another subdomain now, what was meant for it there and is not
 * done goes where it is (row 106). What was bound to a former account of that name stays bound to that one.
 */
export async function rebindDeliveries(
  trx: Trx,
  scope: Scope,
  { from, to }: { from: string; to: string },
): Promise<void> {
  await lockLanes(trx, scope);
  await sql`
    update delivery d set zendesk_account = ${to}::text || substr(d.zendesk_account, length(${from}::text) + 1)
      from connection c
     where d.workspace_id = ${scope.workspaceId} and d.connection_id = ${scope.connectionId} and d.state <> 'done'
       and c.workspace_id = ${scope.workspaceId} and c.id = ${scope.connectionId}
       and d.zendesk_account in (${from}::text, ${from}::text || '#' || c.zendesk_account_id)`.execute(trx);
}

/** Connections of a workspace with deliveries that anybody may take now. */
export async function connectionsWithDue(
  trx: Trx,
  workspaceId: number,
  now: Date,
): Promise<{ connectionId: number; subdomain: string }[]> {
  const { rows } = await sql<{ connectionId: number; subdomain: string }>`
    select c.id as "connectionId", c.subdomain from connection c
     where c.workspace_id = ${workspaceId} and c.state in ('active', 'failing')
       and exists (select from delivery d where d.workspace_id = ${workspaceId} and d.connection_id = c.id
             and d.state in ('queued', 'sending', 'unknown') and d.waits_for is null
             and d.due_at <= ${now.toISOString()}::timestamptz)
     order by c.id`.execute(trx);
  return rows;
}

/** When the next delivery of a connection that waits for its time is due; null without one. */
export async function nextDue(
  db: Db,
  scope: { workspaceId: number; connectionId: number },
  after: Date,
): Promise<Date | null> {
  const row = await db
    .selectFrom("delivery")
    .select((eb) => eb.fn.min("due_at").as("due"))
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("state", "in", ["queued", "sending", "unknown"])
    .where("waits_for", "is", null)
    .where("due_at", ">", after)
    .executeTakeFirst();
  return row?.due ?? null;
}
