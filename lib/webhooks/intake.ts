import { randomBytes } from "node:crypto";
import { inWorkspace } from "#db/client.ts";
import { foreseen } from "#lib/api/failures.ts";
import type { Context } from "#lib/context.ts";
import { AppError } from "#lib/errors.ts";
import { sealSecret, secretsAt } from "#lib/webhooks/secrets.ts";
import { deliveryKey, freshInstant, isSignedBy, type SignedDelivery } from "#lib/webhooks/signature.ts";
import { askForCheck, findByConnection, noteForeignAccount, storeDelivery } from "#lib/webhooks/store.ts";
import { readSubject } from "#lib/webhooks/subject.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

export type WebhookContext = Pick<Context, "config" | "db" | "log">;

export interface Delivery extends SignedDelivery {
  /** As it stands in the address. */
  connectionId: string;
  /** What the headers say of the sender; not signed, so that one which is absent proves nothing either way. */
  accountId: string | null;
  webhookId: string | null;
}

export interface Taken {
  scope: Scope;
  /** False: it had been stored before. */
  stored: boolean;
}

/** So many tickets, users and organizations wait to be fetched, at most; then Zendesk is asked to come again (row 92). */
const mostHints = 50_000;

/** An unknown connection's deliveries are opened and checked as well: the answer must take as long as a known one's (row 119). */
const nobodysSecrets = [randomBytes(32).toString("base64"), randomBytes(32).toString("base64")] as const;
let nobodys: { key: string; secret: string } | null = null;

/**
 * Takes a delivery of Zendesk's: signature, freshness, then one statement that stores it and remembers what is to be fetched.
 * Throws `unauthenticated`, the same for an unknown connection, a wrong signature, a stale one and another account's; and
 * `unavailable` where it could not be stored, so that Zendesk sends it again.
 */
export async function takeDelivery(
  ctx: WebhookContext,
  delivery: Delivery,
  now: Date,
  { limit = mostHints }: { limit?: number } = {},
): Promise<Taken> {
  try {
    return await take(ctx, delivery, now, limit);
  } catch (error) {
    const known = foreseen(error);
    if (known?.code === "unauthenticated" || known?.code === "unavailable") throw known;
    ctx.log.error({ err: error, connectionId: delivery.connectionId }, "a delivery could not be stored");
    throw new AppError("unavailable", "The delivery could not be stored just now. Send it again.", { cause: error });
  }
}

async function take(ctx: WebhookContext, delivery: Delivery, now: Date, limit: number): Promise<Taken> {
  const webhook = await findByConnection(ctx.db, delivery.connectionId);
  const secrets = secretsAt(ctx, webhook ?? nobody(ctx), now);
  // Always two, so that how many a connection has does not show in the time.
  const tried = [...secrets, ...nobodysSecrets.slice(secrets.length)];
  const isSigned = isSignedBy(delivery, tried) && secrets.length > 0;
  if (!webhook) throw refused();
  if (!isSigned) {
    // Whoever knows the webhook's own id may be Zendesk with a secret that was changed there (row 93).
    if (webhook.zendesk_id !== null && webhook.zendesk_id === delivery.webhookId)
      await askForCheck(ctx.db, webhook, now);
    throw refused();
  }
  const sentAt = freshInstant(delivery.timestamp, now);
  if (!sentAt) throw refused();
  const { accountId } = delivery;
  if (accountId !== null && !/^\d{1,20}$/.test(accountId)) throw refused();
  const scope = { workspaceId: webhook.workspace_id, connectionId: webhook.connection_id };
  const told = { ...readSubject(delivery.body), key: deliveryKey(delivery), accountId, sentAt };
  const outcome = await inWorkspace(ctx.db, scope.workspaceId, (trx) => storeDelivery(trx, scope, told, now, limit));
  if (outcome === "foreign") await noteForeignAccount(ctx.db, scope, now);
  if (outcome === "foreign" || outcome === "closed") throw refused();
  if (outcome === "full") throw new AppError("unavailable", "Too much is waiting to be fetched. Send it again later.");
  return { scope, stored: outcome === "stored" };
}

function nobody(ctx: WebhookContext) {
  const key = ctx.config.secrets.encryption;
  if (nobodys?.key !== key) nobodys = { key, secret: sealSecret(ctx, nobodysSecrets[0]) };
  return { secret: nobodys.secret, previous_secret: null, previous_until: null };
}

function refused(): AppError {
  return new AppError("unauthenticated", "The signature of this delivery is not one that is taken here.");
}
