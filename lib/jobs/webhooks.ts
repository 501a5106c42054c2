import { inWorkspace } from "#db/client.ts";
import type { Context } from "#lib/context.ts";
import { listWorkspaces } from "#lib/jobs/store/due.ts";
import { apart } from "#lib/log.ts";
import { processDrainer } from "#lib/webhooks/drainer.ts";
import { checkEvery, checkWebhook } from "#lib/webhooks/registration.ts";
import { claimChecks, connectionsWithHints, forgetOld } from "#lib/webhooks/store.ts";

type JobContext = Pick<Context, "config" | "db" | "log">;

/** So many webhooks are checked at once: a Zendesk that does not answer holds up few others, and a killed process leaves few unchecked. */
const together = 4;

/**
 * Checks every webhook that is due, and registers those of new connections; whoever gets one does it alone. With `early`
 * also those that would be due within the hour: at the start of a process, which may have another address than before.
 * Stops before the next ones once `isOver`.
 */
export async function checkWebhooks(
  ctx: JobContext,
  clock: () => Date,
  { early = false, isOver = () => false }: { early?: boolean; isOver?: () => boolean } = {},
): Promise<void> {
  for (const { id: workspaceId } of await listWorkspaces(ctx.db)) {
    const now = clock();
    const next = new Date(now.getTime() + checkEvery);
    const times = { by: early ? new Date(next.getTime() - 1) : now, next };
    for (let due = await claim(); due.length > 0; due = await claim()) await Promise.all(due.map(check));

    function claim(): Promise<number[]> {
      if (isOver()) return Promise.resolve([]);
      return inWorkspace(ctx.db, workspaceId, (trx) => claimChecks(trx, workspaceId, times, together));
    }
    function check(connectionId: number): Promise<void> {
      return checkWebhook(ctx, { workspaceId, connectionId }, { clock }).catch((error: unknown) =>
        ctx.log.error({ err: error, workspaceId, connectionId }, "a webhook could not be checked"),
      );
    }
  }
}

/** Registers a new connection's webhook after the call that made it, without keeping anybody waiting. */
export function nudgeWebhooks(ctx: Context, options: { early?: boolean } = {}): void {
  apart(() => checkWebhooks(ctx, () => new Date(), options)).catch((error: unknown) =>
    ctx.log.error({ err: error }, "webhooks could not be checked"),
  );
}

const lookEveryMs = 5000;

/** Checks the webhooks once, then fetches what other processes, or a former one, left noted. Gives the stop. */
export function startWebhooks(ctx: Context): () => Promise<void> {
  const drainer = processDrainer(ctx);
  nudgeWebhooks(ctx, { early: true });
  let busy = false;
  const timer = setInterval(() => {
    if (busy) return;
    busy = true;
    nudgeAll(ctx)
      .catch((error: unknown) => ctx.log.warn({ err: error }, "deliveries that wait could not be looked for"))
      .finally(() => {
        busy = false;
      });
  }, lookEveryMs);
  timer.unref();
  return () => {
    clearInterval(timer);
    return drainer.stop();
  };
}

async function nudgeAll(ctx: Context): Promise<void> {
  for (const { id: workspaceId } of await listWorkspaces(ctx.db)) {
    const now = new Date();
    const waiting = await inWorkspace(ctx.db, workspaceId, (trx) => connectionsWithHints(trx, workspaceId, now));
    for (const connectionId of waiting) processDrainer(ctx).nudge({ workspaceId, connectionId });
  }
}

/** A replay of what is older is refused as stale; a hint that old was overtaken by the nightly runs. */
const kept = { deliveries: 25 * 3_600_000, hints: 3 * 86_400_000 };

export async function forgetDeliveries(db: Context["db"], now: Date): Promise<void> {
  const before = (age: number) => new Date(now.getTime() - age);
  for (const { id } of await listWorkspaces(db)) {
    const ages = { deliveries: before(kept.deliveries), hints: before(kept.hints) };
    await inWorkspace(db, id, (trx) => forgetOld(trx, id, ages));
  }
}
