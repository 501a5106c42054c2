import { randomUUID } from "node:crypto";
import type { z } from "zod";
import { inWorkspace } from "#db/client.ts";
import type { Context } from "#lib/context.ts";
import { eventBody, planCommands } from "#lib/destinations/commands.ts";
import { processDeliverer } from "#lib/destinations/deliverer.ts";
import { presentDeliveries } from "#lib/destinations/deliveries.ts";
import { requireDestination } from "#lib/destinations/destinations.ts";
import { commandKey, mapped } from "#lib/destinations/route-events.ts";
import { judgedSample } from "#lib/destinations/samples.ts";
import { readActions } from "#lib/destinations/set-actions.ts";
import type { testAnswer, testBody } from "#lib/destinations/shapes.ts";
import { insertDeliveries } from "#lib/destinations/store/deliveries.ts";
import { linkedSources, type StoredDestination, updateDestination } from "#lib/destinations/store/destinations.ts";
import { settingsIn } from "#lib/destinations/store/parts.ts";
import { insertSample } from "#lib/destinations/store/samples.ts";
import { TemplateTime } from "#lib/destinations/template-time.ts";

/** Somebody whom no company has for a customer. */
const defaultSample = {
  type: "identify" as const,
  userId: "bellwether-test",
  traits: { email: "bellwether-test@example.com", name: "Bellwether Test" },
};

/** So long the caller waits for Zendesk; what takes longer is found among the deliveries. */
const patienceMs = 25_000;

/**
 * Sends a sample event all the way to Zendesk, also while the destination is off: it is written there. Throws `not_found`,
 * or `invalid` for a sample that no door would take.
 */
export async function testDestination(
  ctx: Context,
  workspaceId: number,
  id: string,
  { event = defaultSample }: z.output<typeof testBody>,
  clock: () => Date,
): Promise<z.input<typeof testAnswer>> {
  const now = clock();
  const { row, messageId, ids } = await inWorkspace(ctx.db, workspaceId, async (trx) => {
    const row = await requireDestination(trx, workspaceId, id);
    const sample = judgedSample(event, now, () => `test-${randomUUID()}`);
    const [sourceId = 0] = await linkedSources(trx, workspaceId, row.id);
    const eventId = await insertSample(trx, workspaceId, { ...sample, sourceId }, now);
    const { messageId } = sample;
    const body = eventBody({ ...sample, occurredAt: now });
    const planned = planCommands(
      await readActions(trx, workspaceId, row.id),
      body,
      settingsIn(row),
      new TemplateTime(),
    );
    const inserted = await insertDeliveries(
      trx,
      workspaceId,
      planned.map(({ action, planned }) => ({
        ...{ destinationId: row.id, connectionId: row.connection_id, eventId, messageId },
        ...{ action: action.key, actionVersion: action.version, isTest: true },
        commandKey: commandKey(row.id, { id: eventId, messageId }, action.key),
        ...mapped(planned),
      })),
      now,
    );
    return { row, messageId, ids: inserted.map((delivery) => delivery.id) };
  });
  await send(ctx, row, ids, clock);
  return inWorkspace(ctx.db, workspaceId, async (trx) => {
    const deliveries = await presentDeliveries(trx, ctx.config, workspaceId, ids);
    const isPassed = deliveries.length > 0 && deliveries.every(({ state }) => state === "done");
    if (isPassed) await updateDestination(trx, workspaceId, row.id, { tested_at: clock() });
    return { messageId, deliveries };
  });
}

async function send(ctx: Context, row: StoredDestination, ids: readonly string[], clock: () => Date): Promise<void> {
  const scope = { workspaceId: row.workspace_id, connectionId: row.connection_id };
  const until = new Date(clock().getTime() + patienceMs);
  await processDeliverer(ctx).send(scope, ids, until);
}
