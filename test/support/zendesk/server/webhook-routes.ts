import { compareIds } from "../world/ids.ts";
import { conditional, type Invocation, type Trigger, type Webhook } from "../world/webhooks.ts";
import type { World } from "../world/world.ts";
import { type Answer, listedRefusal, ok, recordNotFound, refusal } from "./answer.ts";
import { objectIn } from "./given.ts";
import { listAnswer } from "./lists.ts";
import type { Call, Route } from "./routes.ts";

type Method = Route["method"];

const webhookRoute = (method: Method, path: string, answer: Route["answer"]): Route => ({
  method,
  path: `/webhooks${path}`,
  demands: { scope: "webhooks", admin: true, write: method !== "GET" },
  noSuffix: true,
  answer: (call) => {
    const { webhooksEndpoint } = call.request.world.settings;
    if (webhooksEndpoint === 404) throw refusal(404, "InvalidEndpoint", "Not found");
    if (webhooksEndpoint === 403) throw listedRefusal(403, "Forbidden", "Webhooks are not part of this plan");
    return answer(call);
  },
});

const triggerRoute = (method: Method, path: string, answer: Route["answer"]): Route => ({
  method,
  path: `/triggers${path}`,
  demands: { scope: "triggers", admin: true, write: method !== "GET" },
  answer,
});

/** Webhooks with their secrets and logs, and the triggers that call them (zendesk-api section 7.1). */
export const webhookRoutes: Route[] = [
  webhookRoute("GET", "", listWebhooks),
  webhookRoute("POST", "", createWebhook),
  webhookRoute("GET", "/{id}", (call) => ok({ webhook: webhookRow(known(call)) })),
  webhookRoute("PUT", "/{id}", changeWebhook),
  webhookRoute("PATCH", "/{id}", changeWebhook),
  webhookRoute("DELETE", "/{id}", (call) => {
    call.request.world.webhooks.delete(known(call).id);
    return { status: 204 };
  }),
  webhookRoute("GET", "/{id}/signing_secret", (call) => secretAnswer(known(call).secret)),
  webhookRoute("POST", "/{id}/signing_secret", (call) =>
    secretAnswer(call.request.world.webhooks.resetSecret(known(call).id), 201),
  ),
  webhookRoute("GET", "/{id}/invocations", (call) => {
    const { id } = known(call);
    const rows = call.request.world.webhooks.invocations.filter((one) => one.webhookId === id);
    return ok({ invocations: rows.map(invocationRow), meta: { has_more: false }, links: {} });
  }),
  webhookRoute("GET", "/{id}/invocations/{invocationId}/attempts", (call) => {
    const { world } = call.request;
    const invocation = world.webhooks.invocations.find(({ id }) => id === call.params.invocationId);
    if (invocation === undefined) throw recordNotFound();
    return ok({ attempts: invocation.attempts.map((one) => ({ ...one, invoked_at: iso(one.at) })) });
  }),
  triggerRoute("GET", "", (call) => {
    const rows = [...call.request.world.webhooks.triggers.values()].sort((a, b) => compareIds(a.id, b.id));
    const write = (trigger: Trigger): unknown => triggerRow(trigger);
    const positionOf = (trigger: Trigger) => trigger.id;
    return listAnswer(call.request, { key: "triggers", rows, write, positionOf, compare: compareIds });
  }),
  triggerRoute("POST", "", createTrigger),
  triggerRoute("GET", "/{id}", (call) => ok({ trigger: triggerRow(knownTrigger(call)) })),
  triggerRoute("PUT", "/{id}", (call) => {
    const { active } = objectIn(call, "trigger");
    return ok({ trigger: triggerRow(Object.assign(knownTrigger(call), active !== undefined && { active })) });
  }),
  triggerRoute("DELETE", "/{id}", (call) => {
    call.request.world.webhooks.triggers.delete(knownTrigger(call).id);
    return { status: 204 };
  }),
];

function listWebhooks(call: Call): Answer {
  const { world, query } = call.request;
  const named = query.get("filter[name_contains]") ?? "";
  const status = query.get("filter[status]");
  const rows = [...world.webhooks.byId.values()]
    .filter((one) => one.name.includes(named) && (status === null || one.status === status))
    .sort((a, b) => (a.id < b.id ? -1 : 1));
  const write = (webhook: Webhook): unknown => webhookRow(webhook);
  const compare = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0);
  return listAnswer(call.request, { key: "webhooks", rows, write, positionOf: (row) => row.id, compare });
}

function createWebhook(call: Call): Answer {
  const { world } = call.request;
  const { name, endpoint, subscriptions = [conditional], status } = objectIn(call, "webhook");
  if (typeof name !== "string" || typeof endpoint !== "string" || !URL.canParse(endpoint)) {
    throw listedRefusal(400, "InvalidWebhook", "name and endpoint are required");
  }
  const wanted = checkedSubscriptions(world, subscriptions);
  if (world.settings.mostWebhooks <= world.webhooks.byId.size) {
    throw listedRefusal(422, "TooManyWebhooks", `An account has at most ${world.settings.mostWebhooks} webhooks`);
  }
  const state = status === "inactive" ? "inactive" : "active";
  const webhook = world.webhooks.create({ name, endpoint, subscriptions: wanted, status: state });
  return { status: 201, json: { webhook: webhookRow(webhook) } };
}

/** Events, or the triggers' mode alone; ticket events where the account has them. */
function checkedSubscriptions(world: World, given: unknown): string[] {
  const list = Array.isArray(given) ? given.map(String) : [];
  const events = list.filter((one) => one.startsWith("zen:event-type:"));
  const isTriggered = list.length === 1 && list[0] === conditional;
  if (!isTriggered && (list.length === 0 || events.length < list.length)) {
    throw listedRefusal(400, "InvalidSubscriptions", "subscriptions cannot be mixed");
  }
  if (world.settings.ticketEventWebhooks === false && events.some((one) => one.startsWith("zen:event-type:ticket."))) {
    throw listedRefusal(422, "InvalidSubscriptions", "Unknown event type");
  }
  return list;
}

function changeWebhook(call: Call): Answer {
  const { world } = call.request;
  const webhook = known(call);
  const { name, endpoint, status, subscriptions } = objectIn(call, "webhook");
  const isTriggered = (list: unknown) => Array.isArray(list) && list.includes(conditional);
  if (subscriptions !== undefined && isTriggered(subscriptions) !== isTriggered(webhook.subscriptions)) {
    throw listedRefusal(422, "ImmutableSubscriptions", "The kind of subscription cannot be changed");
  }
  world.webhooks.update(webhook.id, {
    ...(typeof name === "string" && { name }),
    ...(typeof endpoint === "string" && { endpoint }),
    ...((status === "active" || status === "inactive") && { status }),
    ...(subscriptions !== undefined && { subscriptions: checkedSubscriptions(world, subscriptions) }),
  });
  return { status: 204 };
}

function createTrigger(call: Call): Answer {
  const { world } = call.request;
  const { title, actions, conditions } = objectIn(call, "trigger");
  const action = (Array.isArray(actions) ? actions : []).find(
    (one): one is { field: string; value: [string, string] } => one?.field === "notification_webhook",
  );
  const { all = [], any = [] } = (conditions ?? {}) as { all?: unknown[]; any?: unknown[] };
  const webhook = world.webhooks.byId.get(String(action?.value?.[0]));
  if (typeof title !== "string" || action === undefined || all.length + any.length === 0) {
    throw refusal(422, "RecordInvalid", "A trigger needs a title, a condition and an action");
  }
  if (webhook === undefined || !webhook.subscriptions.includes(conditional)) {
    throw refusal(422, "RecordInvalid", "The webhook cannot be called by triggers");
  }
  const trigger = world.webhooks.createTrigger({
    title,
    webhookId: webhook.id,
    body: String(action.value[1]).slice(0, 16_000),
    conditions,
  });
  return { status: 201, json: { trigger: triggerRow(trigger) } };
}

function known(call: Call): Webhook {
  const webhook = call.request.world.webhooks.byId.get(call.params.id ?? "");
  if (webhook === undefined) throw listedRefusal(404, "WebhookNotFound", "Webhook not found");
  return webhook;
}

function knownTrigger(call: Call): Trigger {
  const trigger = call.request.world.webhooks.triggers.get(call.params.id ?? "");
  if (trigger === undefined) throw recordNotFound();
  return trigger;
}

function secretAnswer(secret: string, status = 200): Answer {
  return { status, json: { signing_secret: { algorithm: "SHA256", secret } } };
}

function webhookRow(webhook: Webhook): Record<string, unknown> {
  const { id, name, endpoint, status, subscriptions, createdAt, updatedAt } = webhook;
  const times = { created_at: iso(createdAt), updated_at: iso(updatedAt) };
  return { id, name, endpoint, status, subscriptions, http_method: "POST", request_format: "json", ...times };
}

function triggerRow({ id, title, active, conditions, webhookId, body }: Trigger): Record<string, unknown> {
  const actions = [{ field: "notification_webhook", value: [webhookId, body] }];
  return { id: Number(id), title, active, conditions, actions };
}

function invocationRow({ id, attempts, type }: Invocation): Record<string, unknown> {
  const last = attempts.at(-1);
  return { id, event_type: type, status: last?.outcome ?? "pending", status_code: last?.status ?? null };
}

const iso = (instant: number): string => new Date(instant).toISOString();
