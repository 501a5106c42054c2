import { inWorkspace } from "#db/client.ts";
import type { StoredDelivery } from "#lib/destinations/store/deliveries.ts";
import type { Sent } from "#test/destinations/chaos/events.ts";
import type { Ground } from "#test/destinations/chaos/ground.ts";
import { disagreements } from "#test/support/zendesk/agreement.ts";
import type { Zendesk } from "#test/support/zendesk/start.ts";
import type { World } from "#test/support/zendesk/world/world.ts";

export function deliveriesOf({ ctx, scope }: Ground): Promise<StoredDelivery[]> {
  return inWorkspace(ctx.db, scope.workspaceId, (trx) =>
    trx.selectFrom("delivery").selectAll().where("workspace_id", "=", scope.workspaceId).orderBy("id").execute(),
  );
}

export function countsOf(deliveries: readonly StoredDelivery[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { state, code } of deliveries) {
    const name = code === null ? state : `${state} ${code}`;
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

/**
 * INV-ONCE: every accepted event has its effect exactly once, or its delivery tells why not; and what it tells agrees with the
 * journal of the account. In calm nothing may be left unknown.
 */
export async function violations(
  ground: Ground,
  zendesk: Zendesk,
  world: World,
  sent: readonly Sent[],
  { isCalm = false } = {},
): Promise<string[]> {
  const deliveries = await deliveriesOf(ground);
  return [
    ...untold(deliveries, isCalm),
    ...lost(deliveries, sent),
    ...twice(zendesk),
    ...disagreeing(deliveries, zendesk),
    ...stale(deliveries, sent, world),
    ...disagreements(world, zendesk.effects),
  ];
}

/** Every delivery is at its end, and one that is not done says why. */
function untold(deliveries: readonly StoredDelivery[], isCalm: boolean): string[] {
  return deliveries.flatMap(({ id, state, reason, fix, due_at }) => {
    const name = `delivery ${id} (${state})`;
    if (due_at !== null) return [`${name} is still under way`];
    if (!["done", "failed", "held", "unknown"].includes(state)) return [`${name} is at no end`];
    if (isCalm && state === "unknown") return [`${name} stays unknown in calm`];
    return state !== "done" && (!reason || !fix) ? [`${name} does not say why`] : [];
  });
}

const expected: Record<Sent["type"], readonly string[]> = {
  identify: ["upsert_user"],
  group: ["upsert_organization"],
  track: ["track_event", "create_ticket", "update_ticket"],
};

/** Every event has its delivery, and no more than one of an action. */
function lost(deliveries: readonly StoredDelivery[], sent: readonly Sent[]): string[] {
  const byMessage = new Map<string | null, StoredDelivery[]>();
  for (const delivery of deliveries)
    byMessage.set(delivery.message_id, [...(byMessage.get(delivery.message_id) ?? []), delivery]);
  return sent.flatMap(({ messageId, type }) => {
    const own = byMessage.get(messageId) ?? [];
    return own.length === 1 && expected[type].includes(own[0]?.action ?? "")
      ? []
      : [`event ${messageId} has the deliveries ${own.map(({ action }) => action).join(", ") || "none"}`];
  });
}

/** Nothing was made a second time. */
function twice({ effects }: Zendesk): string[] {
  const same = [
    effects.repeated("user.created", ({ values }) => values.external_id as string),
    effects.repeated("user.created", ({ values }) => values.email as string),
    effects.repeated("organization.created", ({ values }) => values.external_id as string),
    effects.repeated("ticket.created", ({ values }) => values.external_id as string),
    effects.repeated("membership.created", ({ values }) => `${values.user_id} ${values.organization_id}`),
    effects.repeated("customer_event.received", ({ messageId }) => messageId),
    effects.repeated("user_field.created", ({ values }) => values.key as string),
    effects.repeated("organization_field.created", ({ values }) => values.key as string),
    effects.repeated("ticket.updated", ({ values }) => saidIn(values)),
  ];
  return same.flatMap((groups) => [...groups].map(([key, all]) => `${all[0]?.kind} ${all.length} times: ${key}`));
}

/** The message that a comment names. */
const saidIn = (values: Record<string, unknown>) => /m-\d+-\d+/.exec(JSON.stringify(values.comment ?? ""))?.[0] ?? null;

/** Done means done, and failed or held that nothing was. */
function disagreeing(deliveries: readonly StoredDelivery[], { effects }: Zendesk): string[] {
  const done: Record<string, Set<unknown>> = {
    create_ticket: new Set(effects.of("ticket.created").map(({ values }) => values.external_id)),
    update_ticket: new Set(effects.of("ticket.updated").map(({ values }) => saidIn(values))),
    track_event: new Set(effects.of("customer_event.received").map(({ messageId }) => messageId)),
  };
  return deliveries.flatMap(({ id, action, state, code, message_id }) => {
    const made = done[action];
    if (!made || state === "unknown") return [];
    const name = `${action} of ${message_id} (delivery ${id}) is ${state}${code ? ` (${code})` : ""}`;
    if (state === "done" && !made.has(message_id)) return [`${name} and was not done`];
    return state !== "done" && made.has(message_id) ? [`${name} and was done`] : [];
  });
}

/** Of each user and organization the last word holds. */
function stale(deliveries: readonly StoredDelivery[], sent: readonly Sent[], world: World): string[] {
  const state = new Map(deliveries.map((delivery) => [delivery.message_id, delivery.state]));
  const last = new Map<string, { name: string; isDone: boolean }>();
  for (const { messageId, type, payload } of sent) {
    const { name } = (payload.traits ?? {}) as { name?: string };
    if (name === undefined) continue;
    const key = type === "identify" ? `user ${payload.userId}` : `organization ${payload.groupId}`;
    last.set(key, { name, isDone: state.get(messageId) === "done" });
  }
  const users = new Map([...world.users.byId.values()].map((row) => [`user ${row.externalId}`, row.name]));
  const organizations = world.organizations.list().map((row) => [`organization ${row.externalId}`, row.name] as const);
  const names = new Map([...users, ...organizations]);
  return [...last].flatMap(([key, { name, isDone }]) =>
    isDone && names.get(key) !== name ? [`${key} is named ${names.get(key)}, not ${name}`] : [],
  );
}
