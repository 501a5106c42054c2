import { isObject } from "#lib/zendesk/answers.ts";
import type { ZendeskClient } from "#lib/zendesk/client.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";

/*
 * The calls of section 7.1 of zendesk-api. Each throws a ZendeskError or WaitNeeded; null is Zendesk's "there is no such".
 */

export interface RemoteWebhook {
  id: string;
  endpoint: string;
  status: string;
  subscriptions: string[];
}

interface RemoteTrigger {
  id: string;
  title: string;
  active: boolean;
  /** The webhook that it calls. */
  webhookId: string | null;
}

const webhooks = "/api/v2/webhooks";
const triggers = "/api/v2/triggers";
/** A list that is longer has something wrong with it. */
const mostPages = 20;

export async function readWebhook(client: ZendeskClient, id: string): Promise<RemoteWebhook | null> {
  return unlessMissing(async () => {
    const { body } = await client.get(`${webhooks}/${encodeURIComponent(id)}`, { expect: "webhook" });
    return webhookIn(body.webhook);
  });
}

/** Ours, whoever remembers having made it: the one that calls this address. */
export async function findWebhookAt(client: ZendeskClient, endpoint: string): Promise<RemoteWebhook | null> {
  for await (const row of listed(client, webhooks, "webhooks")) {
    const webhook = webhookIn(row);
    if (webhook?.endpoint === endpoint) return webhook;
  }
  return null;
}

export async function createWebhook(
  client: ZendeskClient,
  webhook: { name: string; endpoint: string; subscriptions: readonly string[] },
): Promise<RemoteWebhook> {
  const asked = { ...webhook, http_method: "POST", request_format: "json", status: "active" };
  const answer = await client.write("POST", webhooks, { webhook: asked }, { expect: "webhook" });
  const made = webhookIn(answer?.body.webhook);
  // The caller looks for it by its address: it may well be there.
  return made ?? { id: "", status: "active", endpoint: webhook.endpoint, subscriptions: [...webhook.subscriptions] };
}

export async function changeWebhook(
  client: ZendeskClient,
  id: string,
  change: { endpoint?: string; status?: "active"; subscriptions?: readonly string[] },
): Promise<void> {
  await client.write("PATCH", `${webhooks}/${encodeURIComponent(id)}`, { webhook: change });
}

export async function removeRemoteWebhook(client: ZendeskClient, id: string): Promise<void> {
  await unlessMissing(() => client.write("DELETE", `${webhooks}/${encodeURIComponent(id)}`));
}

export async function readSecret(client: ZendeskClient, id: string): Promise<string> {
  const path = `${webhooks}/${encodeURIComponent(id)}/signing_secret`;
  const { body } = await client.get(path, { expect: "signing_secret" });
  return secretIn(body.signing_secret, path);
}

export async function resetSecret(client: ZendeskClient, id: string): Promise<void> {
  await client.write("POST", `${webhooks}/${encodeURIComponent(id)}/signing_secret`);
}

export async function findTrigger(
  client: ZendeskClient,
  known: { id: string | null; webhookId: string },
): Promise<RemoteTrigger | null> {
  if (known.id !== null) {
    const found = await unlessMissing(async () => {
      const { body } = await client.get(`${triggers}/${known.id}`, { expect: "trigger" });
      return triggerIn(body.trigger);
    });
    if (found) return found;
  }
  for await (const row of listed(client, triggers, "triggers")) {
    const trigger = triggerIn(row);
    if (trigger?.webhookId === known.webhookId) return trigger;
  }
  return null;
}

export async function createTrigger(
  client: ZendeskClient,
  trigger: { title: string; webhookId: string; body: string },
): Promise<string | null> {
  const conditions = {
    all: [],
    any: [
      { field: "update_type", operator: "is", value: "Create" },
      { field: "update_type", operator: "is", value: "Change" },
    ],
  };
  const actions = [{ field: "notification_webhook", value: [trigger.webhookId, trigger.body] }];
  const asked = { trigger: { title: trigger.title, active: true, conditions, actions } };
  const answer = await client.write("POST", triggers, asked, { expect: "trigger" });
  return triggerIn(answer?.body.trigger)?.id ?? null;
}

export async function activateTrigger(client: ZendeskClient, id: string): Promise<void> {
  await client.write("PUT", `${triggers}/${id}`, { trigger: { active: true } });
}

export async function removeTrigger(client: ZendeskClient, id: string): Promise<void> {
  await unlessMissing(() => client.write("DELETE", `${triggers}/${id}`));
}

async function* listed(client: ZendeskClient, path: string, key: string): AsyncGenerator<unknown> {
  let after: string | undefined;
  for (let page = 0; page < mostPages; page++) {
    const { body } = await client.get(path, { query: { "page[size]": 100, "page[after]": after }, expect: key });
    if (Array.isArray(body[key])) yield* body[key];
    const meta = isObject(body.meta) ? body.meta : {};
    if (meta.has_more !== true || typeof meta.after_cursor !== "string" || meta.after_cursor === after) return;
    after = meta.after_cursor;
  }
}

/** A 404 that means this one thing; where the whole address is unknown, the list says so. */
async function unlessMissing<T>(ask: () => Promise<T>): Promise<T | null> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ZendeskError && error.status === 404 && error.scope === "stream") return null;
    throw error;
  }
}

function webhookIn(value: unknown): RemoteWebhook | null {
  if (!isObject(value) || typeof value.id !== "string" || typeof value.endpoint !== "string") return null;
  const subscriptions = Array.isArray(value.subscriptions) ? value.subscriptions.map(String) : [];
  return { id: value.id, endpoint: value.endpoint, status: String(value.status), subscriptions };
}

function triggerIn(value: unknown): RemoteTrigger | null {
  if (!isObject(value) || (typeof value.id !== "number" && typeof value.id !== "string")) return null;
  const actions: unknown[] = Array.isArray(value.actions) ? value.actions : [];
  const ours = actions.find((action) => isObject(action) && action.field === "notification_webhook");
  const target = isObject(ours) && Array.isArray(ours.value) ? ours.value[0] : null;
  const webhookId = target === null || target === undefined ? null : String(target);
  return { id: String(value.id), title: String(value.title), active: value.active === true, webhookId };
}

function secretIn(value: unknown, path: string): string {
  if (isObject(value) && typeof value.secret === "string" && value.secret !== "") return value.secret;
  throw new ZendeskError({
    code: "protocol",
    message: `Zendesk's answer for ${path} holds no secret.`,
    action: "Nothing to do: the next check asks again. If it lasts, report it.",
    scope: "stream",
    transient: true,
  });
}
