import { inWorkspace } from "#db/client.ts";
import type { StoredDelivery } from "#lib/destinations/store/deliveries.ts";
import type { Sent } from "#test/destinations/chaos/events.ts";
import type { Ground } from "#test/destinations/chaos/ground.ts";
import { brokenPromises, leftBehind, type Past, withoutCause } from "#test/destinations/chaos/promises.ts";
import { disagreements } from "#test/support/zendesk/agreement.ts";
import type { Zendesk } from "#test/support/zendesk/start.ts";

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
 * INV-ONCE: every accepted event has its whole effect exactly once, or its delivery tells why not; and what it tells agrees
 * with the journal and with the rows of the account. In calm nothing may be left unknown, and what was not done has its cause
 * in what was sent.
 */
export function violations(past: Past, { isCalm = false } = {}): string[] {
  const { zendesk, world, deliveries, sent } = past;
  return [
    ...untold(deliveries, isCalm),
    ...lost(deliveries, sent),
    ...twice(zendesk),
    ...disagreeing(deliveries, zendesk),
    ...brokenPromises(past),
    ...leftBehind(past),
    ...(isCalm ? withoutCause(past) : []),
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

/** What the actions as they are set at first make of an event (C-7 … C-12). */
function actionsOf({ type, payload }: Sent): string[] {
  if (type === "group") return ["upsert_organization"];
  if (type === "identify")
    return (payload.traits as object & { company?: object }).company ? membership : ["upsert_user"];
  return [
    { "Ticket Created": "create_ticket", "Ticket Updated": "update_ticket" }[String(payload.event)] ?? "track_event",
  ];
}
const membership = ["upsert_user", "update_membership"];

/** Every event has its deliveries, one of each action that is for it, however often it came. */
function lost(deliveries: readonly StoredDelivery[], sent: readonly Sent[]): string[] {
  const byMessage = new Map<string | null, string[]>();
  for (const { message_id, action } of deliveries)
    byMessage.set(message_id, [...(byMessage.get(message_id) ?? []), action]);
  return sent.flatMap((event) => {
    const own = byMessage.get(event.messageId) ?? [];
    return own.join() === actionsOf(event).join()
      ? []
      : [`event ${event.messageId} has the deliveries ${own.join(", ") || "none"}`];
  });
}

/** Nothing was made a second time. */
function twice({ effects }: Zendesk): string[] {
  const same = [
    effects.repeated("user.created", ({ values }) => values.external_id as string),
    effects.repeated("user.created", ({ values }) => values.email as string),
    effects.repeated("organization.created", ({ values }) => values.external_id as string),
    effects.repeated("ticket.created", ({ values }) => values.external_id as string),
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
