import type { z } from "zod";
import { type Db, inWorkspace } from "#db/client.ts";
import { loadConnection, type StoredConnection } from "#lib/connections/load.ts";
import type { Context } from "#lib/context.ts";
import { AppError, invalid, notFound } from "#lib/errors.ts";
import { endpointOf } from "#lib/webhooks/endpoint.ts";
import type { WebhookContext } from "#lib/webhooks/intake.ts";
import { removeRemote, working } from "#lib/webhooks/registration.ts";
import { sealSecret, secretOverlap } from "#lib/webhooks/secrets.ts";
import type { Webhook, webhookBody } from "#lib/webhooks/shapes.ts";
import { publishedTestSecret } from "#lib/webhooks/signature.ts";
import { countHints, findWebhook, saveWebhook } from "#lib/webhooks/store.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** How changes of a connection arrive between its runs. Throws `not_found`. */
export async function describeWebhook(ctx: Pick<Context, "config" | "db">, scope: Scope): Promise<Webhook> {
  await findShown(ctx.db, scope);
  const webhook = await findWebhook(ctx.db, scope);
  const waiting = await inWorkspace(ctx.db, scope.workspaceId, (trx) => countHints(trx, scope));
  return {
    state: (webhook?.state ?? "none") as Webhook["state"],
    kind: (webhook?.kind ?? null) as Webhook["kind"],
    endpoint: endpointOf(ctx.config, scope),
    lastDeliveryAt: webhook?.last_delivery_at?.toISOString() ?? null,
    checkedAt: webhook?.checked_at?.toISOString() ?? null,
    rotatedAt: webhook?.rotated_at?.toISOString() ?? null,
    waiting,
    failure:
      webhook?.failure_code == null
        ? null
        : {
            code: webhook.failure_code,
            message: webhook.failure_message ?? "",
            since: (webhook.failure_since ?? new Date(0)).toISOString(),
            action: webhook.failure_action ?? "",
          },
  };
}

/** A webhook that a person made in Zendesk: deliveries signed with its secret are taken from now on. Ours is removed there. */
export async function useManualWebhook(
  ctx: WebhookContext,
  scope: Scope,
  { signingSecret }: z.output<typeof webhookBody>,
  now: Date,
): Promise<Webhook> {
  const connection = await findOpen(ctx.db, scope);
  const endpoint = endpointOf(ctx.config, scope);
  if (endpoint === null) throw new AppError("conflict", "Zendesk has no address to call: set PUBLIC_URL first.");
  if (signingSecret === publishedTestSecret) {
    const message = "is the one that Zendesk has published for tests: anybody could sign with it";
    throw invalid(`signingSecret ${message}. Copy the webhook's own secret.`, [{ path: "signingSecret", message }]);
  }
  const before = await findWebhook(ctx.db, scope);
  await saveWebhook(ctx.db, scope, {
    kind: "manual",
    ...working(undefined, now),
    endpoint,
    secret: sealSecret(ctx, signingSecret),
    previous_secret: before?.secret ?? null,
    previous_until: new Date(now.getTime() + secretOverlap),
    rotated_at: now,
    zendesk_id: null,
    trigger_id: null,
  });
  if (before) await removeRemote(ctx, connection, before);
  return describeWebhook(ctx, scope);
}

/** A connection that is shown. Throws `not_found`. */
async function findShown(db: Db, scope: Scope): Promise<StoredConnection> {
  const connection = await inWorkspace(db, scope.workspaceId, (trx) => loadConnection(trx, scope));
  if (!connection || ["deleted", "purging"].includes(connection.state)) throw notFound("The connection");
  return connection;
}

/** One with a login. Throws `conflict` for one that is disconnected. */
export async function findOpen(db: Db, scope: Scope): Promise<StoredConnection> {
  const connection = await findShown(db, scope);
  if (connection.state === "disconnected" || connection.state === "archived") {
    throw new AppError("conflict", `“${connection.name}” is ${connection.state}: reconnect it first.`);
  }
  return connection;
}
