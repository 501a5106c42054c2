import { type Db, inWorkspace } from "#db/client.ts";
import { loadConnection, type StoredConnection } from "#lib/connections/load.ts";
import { type RefusalWords, refusalOf, words } from "#lib/webhooks/check-words.ts";
import { endpointOf } from "#lib/webhooks/endpoint.ts";
import { conditionalEvents, eventTypes } from "#lib/webhooks/event-types.ts";
import type { WebhookContext } from "#lib/webhooks/intake.ts";
import { openSecret, sealSecret, secretOverlap } from "#lib/webhooks/secrets.ts";
import {
  deleteWebhookRow,
  findWebhook,
  hastenCheck,
  type StoredWebhook,
  saveWebhook,
  shareOpenConnection,
} from "#lib/webhooks/store.ts";
import { triggerBody } from "#lib/webhooks/subject.ts";
import * as remote from "#lib/webhooks/zendesk-webhooks.ts";
import type { ZendeskClient } from "#lib/zendesk/client.ts";
import type { ClientOptions } from "#lib/zendesk/client-options.ts";
import { openClient } from "#lib/zendesk/credentials.ts";
import { WaitNeeded, ZendeskError } from "#lib/zendesk/failures.ts";
import { requireOurAccount } from "#lib/zendesk/identity.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

const hour = 3_600_000;
/** From one check to the next. */
export const checkEvery = hour;
const rotateAfter = 30 * 24 * hour;
/** States of a connection that has a login, and so may have a webhook. */
const connected: readonly string[] = ["active", "failing", "paused"];
/** A check gives up soon: there is another in an hour. */
const brief: Partial<ClientOptions> = { attempts: 2, longestSleep: 5000, patience: 20_000 };

export interface CheckOptions {
  clock: () => Date;
  /** A person asks for a new secret. */
  rotate?: boolean;
  options?: Partial<ClientOptions>;
}

/**
 * Makes the connection's webhook in Zendesk what it should be: there, active, calling us, subscribed to everything; takes over
 * its secret and renews it when it is old. Asked twice it makes nothing twice. What keeps it from it is written down in words;
 * nothing of Zendesk's is thrown.
 */
export async function checkWebhook(ctx: WebhookContext, scope: Scope, given: CheckOptions): Promise<void> {
  const { db } = ctx;
  const connection = await inWorkspace(db, scope.workspaceId, (trx) => loadConnection(trx, scope));
  if (!connection || !connected.includes(connection.state)) return;
  const known = await findWebhook(db, scope);
  const now = given.clock();
  const checked = { checked_at: now, next_check_at: new Date(now.getTime() + checkEvery) };
  if (known?.kind === "manual") return saveWebhook(db, scope, { ...checked, ...working(known, now) });
  const endpoint = endpointOf(ctx.config, scope);
  if (connection.access !== "read_write") return fail(ctx, scope, known, { ...checked, endpoint }, words.readOnly);
  if (endpoint === null) return fail(ctx, scope, known, checked, words.unreachable);
  const client = openClient(ctx, connection, { ...brief, clock: given.clock, ...given.options });
  try {
    await requireOurAccount(client, connection);
    const registered = await settle(client, endpoint, known);
    await keep(ctx, scope, client, known, { ...registered, endpoint, ...checked }, given);
  } catch (error) {
    const refusal = refusalOf(error);
    if (!refusal) throw error;
    await fail(ctx, scope, known, { ...checked, endpoint }, refusal);
  } finally {
    await client.close();
  }
}

interface Registered {
  kind: "events" | "trigger";
  zendesk_id: string;
  trigger_id: string | null;
}

/** Ours as it should be, found or made. */
async function settle(client: ZendeskClient, endpoint: string, known: StoredWebhook | undefined): Promise<Registered> {
  const found = await findOurs(client, endpoint, known);
  const webhook = found ? await repair(client, found, endpoint) : await make(client, endpoint);
  const kind = webhook.subscriptions.includes(conditionalEvents) ? "trigger" : "events";
  const trigger_id = kind === "trigger" ? await settleTrigger(client, webhook.id, known?.trigger_id ?? null) : null;
  return { kind, zendesk_id: webhook.id, trigger_id };
}

async function findOurs(client: ZendeskClient, endpoint: string, known: StoredWebhook | undefined) {
  const remembered = known?.zendesk_id ? await remote.readWebhook(client, known.zendesk_id) : null;
  return remembered ?? remote.findWebhookAt(client, endpoint);
}

const name = "Bellwether: what changes, at once";

/** Events of everything, or where the account has none for tickets, a trigger for those. */
async function make(client: ZendeskClient, endpoint: string): Promise<remote.RemoteWebhook> {
  const create = async (subscriptions: readonly string[]) => {
    const made = await orFound(client, endpoint, () => remote.createWebhook(client, { name, endpoint, subscriptions }));
    return made.id === "" ? ((await remote.findWebhookAt(client, endpoint)) ?? made) : made;
  };
  try {
    return await create(eventTypes);
  } catch (error) {
    const isAboutTypes = error instanceof ZendeskError && [400, 404, 422].includes(error.status ?? 0);
    if (!isAboutTypes) throw error;
    return create([conditionalEvents]);
  }
}

/** An answer that was lost may have been a yes: then it is there. */
async function orFound(client: ZendeskClient, endpoint: string, create: () => Promise<remote.RemoteWebhook>) {
  try {
    return await create();
  } catch (error) {
    if (!(error instanceof ZendeskError) || error.code !== "outcome_unknown") throw error;
    const found = await remote.findWebhookAt(client, endpoint);
    if (!found) throw error;
    return found;
  }
}

/** Paused or changed by somebody: as it was. Which kind of subscription it has cannot be changed. */
async function repair(client: ZendeskClient, webhook: remote.RemoteWebhook, endpoint: string) {
  const isTriggered = webhook.subscriptions.includes(conditionalEvents);
  const lacks = !isTriggered && eventTypes.some((type) => !webhook.subscriptions.includes(type));
  const change = {
    ...(webhook.status !== "active" && { status: "active" as const }),
    ...(webhook.endpoint !== endpoint && { endpoint }),
    ...(lacks && { subscriptions: [...new Set([...webhook.subscriptions, ...eventTypes])] }),
  };
  if (Object.keys(change).length > 0) await remote.changeWebhook(client, webhook.id, change);
  return webhook;
}

async function settleTrigger(client: ZendeskClient, webhookId: string, known: string | null): Promise<string | null> {
  const trigger = await remote.findTrigger(client, { id: known, webhookId });
  if (trigger?.webhookId !== webhookId)
    return remote.createTrigger(client, { title: name, webhookId, body: triggerBody });
  if (!trigger.active) await remote.activateTrigger(client, trigger.id);
  return trigger.id;
}

type Columns = Parameters<typeof saveWebhook>[2];

/**
 * Takes over the secret that holds now, after making a new one where that is due. Where a person has disconnected, stopped the
 * webhook or entered another meanwhile, that holds, and ours is removed again.
 */
async function keep(
  ctx: WebhookContext,
  scope: Scope,
  client: ZendeskClient,
  before: StoredWebhook | undefined,
  registered: Registered & Columns,
  { clock, rotate = false }: CheckOptions,
): Promise<void> {
  const now = clock();
  const isSame = before?.zendesk_id === registered.zendesk_id;
  const isOld = before?.rotated_at != null && now.getTime() - before.rotated_at.getTime() >= rotateAfter;
  if (isSame && (rotate || isOld)) await orUnknown(() => remote.resetSecret(client, registered.zendesk_id));
  const secret = await remote.readSecret(client, registered.zendesk_id);
  const columns = { ...registered, ...nextSecret(ctx, before, secret, now), ...working(before, now) };
  const isWanted = await inWorkspace(ctx.db, scope.workspaceId, async (trx) => {
    const isConnected = await shareOpenConnection(trx, scope, connected);
    const stands = await findWebhook(trx, scope);
    const isEnded = stands?.kind === "manual" || (isStopped(stands) && !isStopped(before));
    if (isConnected && !isEnded) await saveWebhook(trx, scope, columns);
    return isConnected && !isEnded;
  });
  if (!isWanted) await unregister(ctx, client, registered);
}

/** Whether or not it happened, the secret that holds now is asked for next. */
async function orUnknown(write: () => Promise<void>): Promise<void> {
  try {
    await write();
  } catch (error) {
    if (!(error instanceof ZendeskError) || error.code !== "outcome_unknown") throw error;
  }
}

function nextSecret(ctx: WebhookContext, before: StoredWebhook | undefined, secret: string, now: Date): Columns {
  if (before?.secret && openSecret(ctx, before.secret) === secret) return {};
  const kept = before?.secret
    ? { previous_secret: before.secret, previous_until: new Date(now.getTime() + secretOverlap) }
    : {};
  return { secret: sealSecret(ctx, secret), rotated_at: now, ...kept };
}

/** A webhook that works, and since when it does. */
export function working(before: StoredWebhook | undefined, now: Date): Columns {
  return {
    state: "active",
    active_since: (before?.state === "active" && before.active_since) || now,
    failure_code: null,
    failure_message: null,
    failure_since: null,
    failure_action: null,
  };
}

async function fail(
  { db, log }: WebhookContext,
  scope: Scope,
  known: StoredWebhook | undefined,
  columns: Columns,
  { state, code, message, action }: RefusalWords,
): Promise<void> {
  const since = known?.failure_code === code ? known.failure_since : null;
  const failure = {
    failure_code: code,
    failure_message: message,
    failure_since: since ?? columns.checked_at ?? null,
    failure_action: action,
  };
  if (known?.failure_code !== code) log.info({ ...scope, code }, "the webhook is not as it should be");
  await saveWebhook(db, scope, { ...columns, state, active_since: null, ...failure });
}

/** So long a disconnection waits for Zendesk to remove the webhook. Milliseconds. */
const longestFarewell = 5000;

/**
 * Forgets the webhook here and removes it in Zendesk as far as that goes: never throws, never takes long. `connection` as it
 * was while its login stood.
 */
export async function removeWebhook(ctx: WebhookContext, scope: Scope, connection: StoredConnection): Promise<void> {
  try {
    const known = await findWebhook(ctx.db, scope);
    await deleteWebhookRow(ctx.db, scope);
    if (known) await removeRemote(ctx, connection, known);
  } catch (error) {
    ctx.log.warn({ err: error, ...scope }, "the webhook could not be removed from Zendesk");
  }
}

/** Never throws for what Zendesk says. */
export async function removeRemote(
  ctx: WebhookContext,
  connection: StoredConnection,
  known: StoredWebhook,
): Promise<void> {
  const { kind, zendesk_id, trigger_id } = known;
  if (kind === "manual" || zendesk_id === null) return;
  const signal = AbortSignal.timeout(longestFarewell);
  const client = openClient(ctx, connection, { attempts: 1, longestSleep: 1000, signal });
  try {
    await unregister(ctx, client, { zendesk_id, trigger_id });
  } finally {
    await client.close();
  }
}

async function unregister(
  { log }: WebhookContext,
  client: ZendeskClient,
  { zendesk_id, trigger_id }: Pick<Registered, "zendesk_id" | "trigger_id">,
): Promise<void> {
  try {
    if (trigger_id !== null) await remote.removeTrigger(client, trigger_id);
    await remote.removeRemoteWebhook(client, zendesk_id);
  } catch (error) {
    if (!(error instanceof ZendeskError || error instanceof WaitNeeded)) throw error;
    log.warn({ said: error.message }, "Zendesk did not confirm that the webhook was removed");
  }
}

/** A person's word: no deliveries from now on, and no check that would bring the webhook back. */
export async function stopWebhook(ctx: WebhookContext, scope: Scope, connection: StoredConnection): Promise<void> {
  await removeWebhook(ctx, scope, connection);
  await saveWebhook(ctx.db, scope, { state: "none", active_since: null, next_check_at: never });
}
const never = new Date("9999-12-31T00:00:00Z");
const isStopped = (webhook: StoredWebhook | undefined) => webhook?.next_check_at?.getTime() === never.getTime();

/** After another login, which may be allowed what the former one was not: the next check is due now, unless a person stopped the webhook. */
export async function recheckWebhook(db: Db, scope: Scope, now: Date): Promise<void> {
  await hastenCheck(db, scope, { now, soon: new Date(now.getTime() + checkEvery) });
}
