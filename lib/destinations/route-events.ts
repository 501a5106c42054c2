import { createHash } from "node:crypto";
import { inWorkspace, type Trx } from "#db/client.ts";
import { insideSavepoint, isAboutRows } from "#db/savepoint.ts";
import type { Context } from "#lib/context.ts";
import { eventBody, type PlannedCommand, planCommands } from "#lib/destinations/commands.ts";
import { withoutSecrets } from "#lib/destinations/exchange-text.ts";
import { presentAction } from "#lib/destinations/set-actions.ts";
import type { Action, Settings } from "#lib/destinations/shapes.ts";
import { currentActions } from "#lib/destinations/store/actions.ts";
import { type InsertedDelivery, insertDeliveries, type NewDelivery } from "#lib/destinations/store/deliveries.ts";
import { destinationsByIds } from "#lib/destinations/store/destinations.ts";
import { lockAllLanes } from "#lib/destinations/store/lanes.ts";
import { settingsIn } from "#lib/destinations/store/parts.ts";
import {
  closeDoor,
  lockRouting,
  markRouted,
  newestUnrouted,
  rejectEvent,
  removalsOf,
  takersOf,
  type UnroutedEvent,
  unroutedEvents,
} from "#lib/destinations/store/routing.ts";
import { mapInTurn, TemplateTime } from "#lib/destinations/template-time.ts";
import { concealValues } from "#lib/log.ts";
import { cleanText } from "#lib/zendesk/text.ts";

export { passDoor } from "#lib/destinations/store/routing.ts";

const batch = 500;
const sourceRemoved = "The source was removed before this event came: no destination takes it.";

/** A destination as it is set while a batch is routed. */
export interface Taker {
  id: number;
  connectionId: number;
  settings: Settings;
  actions: Action[];
}

/**
 * Makes deliveries of the events that wait, in the order in which they came: for each enabled destination of an event's
 * source, the actions whose trigger is true. Each batch is a transaction; nobody else routes the workspace's events
 * meanwhile. `upTo`: none whose id is higher. Gives how many events were routed, and the connections that have something to
 * send.
 */
export async function routeEvents(
  ctx: Pick<Context, "config" | "db" | "log">,
  workspaceId: number,
  now: Date,
  upTo?: string,
): Promise<{ routed: number; connections: number[] }> {
  const connections = new Set<number>();
  let routed = 0;
  for (let isMore = true; isMore; ) {
    const done = await inWorkspace(ctx.db, workspaceId, (trx) => routeBatch(ctx, trx, workspaceId, now, upTo));
    isMore = done.isMore;
    routed += done.events;
    for (const id of done.connections) connections.add(id);
  }
  return { routed, connections: [...connections] };
}

/**
 * Makes deliveries of the events that wait, before a change of which destinations take whose events, outside of its
 * transaction, which would keep lanes and doors from all others for as long (rows 82, 103). What came meanwhile is routed as
 * well, until a round has found no fewer than the one before it; `routeLast` takes the rest.
 */
export async function routeWaiting(
  ctx: Pick<Context, "config" | "db" | "log">,
  workspaceId: number,
  now: Date,
): Promise<void> {
  for (let before = Number.POSITIVE_INFINITY; ; ) {
    const newest = await inWorkspace(ctx.db, workspaceId, (trx) => newestUnrouted(trx, workspaceId));
    if (newest === null) return;
    const { routed } = await routeEvents(ctx, workspaceId, now, newest);
    if (routed >= before) return;
    before = routed;
  }
}

/**
 * Routes what came since, within the transaction of the change: what was acknowledged before has its deliveries as things stood
 * then, and until the change is committed nothing more is acknowledged. One batch at most: only where events come faster than
 * they can be routed is there more, which goes as things stand afterwards. Only behind lockRouting and the locks of destinations.
 */
export async function routeLast(ctx: Pick<Context, "log">, trx: Trx, workspaceId: number, now: Date): Promise<void> {
  await lockAllLanes(trx, workspaceId);
  await closeDoor(trx, workspaceId);
  await routeBatch(ctx, trx, workspaceId, now);
}

async function routeBatch(ctx: Pick<Context, "log">, trx: Trx, workspaceId: number, now: Date, upTo?: string) {
  await lockRouting(trx, workspaceId);
  const events = await unroutedEvents(trx, workspaceId, batch, upTo);
  if (events.length === 0) return { events: 0, connections: [], isMore: false };
  const sourceIds = [...new Set(events.map((event) => event.source_id))];
  const takers = await readTakers(trx, workspaceId, sourceIds);
  const removals = await removalsOf(trx, workspaceId, sourceIds);
  // One event that nobody foresaw must not keep those behind it.
  const reject = async (id: string, error: unknown) => {
    ctx.log.error({ err: error, workspaceId, eventId: id }, "an event could not be routed");
    const reason = `Bellwether could not make anything of this event: ${(error as Error).message}`;
    await rejectEvent(trx, workspaceId, id, cleanText(reason, 500));
  };
  const made: NewDelivery[][] = [];
  const done = await mapInTurn(events, async (event) => {
    const removedAt = removals.get(event.source_id);
    if (removedAt && event.received_at > removedAt) return rejectEvent(trx, workspaceId, event.id, sourceRemoved);
    try {
      made.push(deliveriesOf(event, takers.get(event.source_id) ?? []));
    } catch (error) {
      await reject(event.id, error);
    }
  });
  const inserted = await insertMade(trx, workspaceId, made, now, reject);
  const ids = events.slice(0, done).map(({ id }) => id);
  await markRouted(trx, workspaceId, ids, now);
  return {
    events: done,
    connections: inserted.map(({ connectionId }) => connectionId),
    isMore: done < events.length || events.length === batch,
  };
}

/** All at once, or event by event where the database refuses one for what is in it (row 55). */
async function insertMade(
  trx: Trx,
  workspaceId: number,
  made: readonly NewDelivery[][],
  now: Date,
  reject: (eventId: string, error: unknown) => Promise<void>,
): Promise<InsertedDelivery[]> {
  const insert = (rows: readonly NewDelivery[]) =>
    insideSavepoint(trx, () => insertDeliveries(trx, workspaceId, rows, now));
  try {
    return await insert(made.flat());
  } catch (error) {
    if (!isAboutRows(error)) throw error;
  }
  const inserted: InsertedDelivery[] = [];
  for (const rows of made) {
    try {
      inserted.push(...(await insert(rows)));
    } catch (error) {
      const eventId = rows[0]?.eventId;
      if (!isAboutRows(error) || !eventId) throw error;
      await reject(eventId, error);
    }
  }
  return inserted;
}

/** The enabled destinations of each source, with their settings and actions. */
async function readTakers(trx: Trx, workspaceId: number, sourceIds: readonly number[]): Promise<Map<number, Taker[]>> {
  const links = await takersOf(trx, workspaceId, sourceIds);
  const ids = [...new Set(links.map(({ destinationId }) => destinationId))];
  const destinations = await destinationsByIds(trx, workspaceId, ids);
  const actions = await currentActions(trx, workspaceId, ids);
  const takers = new Map<number, Taker[]>(sourceIds.map((id) => [id, []]));
  for (const { sourceId, destinationId } of links) {
    const row = destinations.get(destinationId);
    if (!row) continue;
    const set = (actions.get(destinationId) ?? []).map(presentAction);
    takers
      .get(sourceId)
      ?.push({ id: row.id, connectionId: row.connection_id, settings: settingsIn(row), actions: set });
  }
  return takers;
}

function deliveriesOf(event: UnroutedEvent, takers: readonly Taker[]): NewDelivery[] {
  if (takers.length === 0) return [];
  const { type, message_id: messageId, occurred_at: occurredAt, payload } = event;
  const body = eventBody({ type, messageId, occurredAt, payload });
  const time = new TemplateTime();
  return takers.flatMap(({ id, connectionId, settings, actions }) =>
    planCommands(actions, body, settings, time).map(({ action, planned }) => ({
      destinationId: id,
      connectionId,
      eventId: event.id,
      messageId,
      action: action.key,
      actionVersion: action.version,
      commandKey: commandKey(id, { id: event.id, messageId }, action.key),
      ...mapped(planned),
    })),
  );
}

/**
 * Names the command that an event means to an action of a destination: it is done once, however often it is routed. Zendesk
 * tells tickets apart by it, also those of another installation that counts its events as we do.
 */
export function commandKey(
  destinationId: number,
  event: { id: string; messageId: string },
  action: Action["key"],
): string {
  const digest = createHash("sha256").update(event.messageId).digest("hex").slice(0, 16);
  return `${destinationId}.${event.id}.${digest}.${action}`;
}

/** What a planned command is in a delivery. */
export function mapped(planned: PlannedCommand): Pick<NewDelivery, "command" | "lanes" | "notes" | "failed"> {
  const { command, lanes, problems, refusal } = planned;
  const failed = refusal && withoutSecrets(refusal);
  return {
    command,
    lanes,
    notes: notesOf(problems),
    ...(failed && { failed: { ...failed, reason: cleanText(failed.reason, 4000), fix: cleanText(failed.fix, 4000) } }),
  };
}

/** What was left out, as it stands in the notes of a delivery. */
export const notesOf = (problems: PlannedCommand["problems"]): string[] =>
  problems.map(({ field, message }) => cleanText(concealValues(`${field}: ${message}`), 4000));
