import { inWorkspace } from "#db/client.ts";
import { personOf, requiredText, textOf } from "#lib/destinations/procedures/command-fields.ts";
import { describe } from "#lib/destinations/procedures/find-user.ts";
import { findAll, idIn } from "#lib/destinations/procedures/rows.ts";
import { fail, leaveOpen, procedure, sentBefore, type Task } from "#lib/destinations/procedures/task.ts";
import { findOrCreateUser } from "#lib/destinations/procedures/write-user.ts";
import { keepCustomerEvent } from "#lib/destinations/store/customer-events.ts";
import { instantOf } from "#lib/sources/judge.ts";
import { isObject } from "#lib/zendesk/answers.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

const filing = "file event";
const source = "bellwether";
/** An event may be taken and not be readable for so long (row 104). Milliseconds. */
const longestLag = 5 * 60_000;

/** Files an event under its user, once; where the plan has no place for it, in our own timeline (C-8, C-28 … C-33, R-19, R-20). */
export const trackEvent = procedure(async (task) => {
  const { user, id } = await findOrCreateUser(task, personOf(task.command, "user."));
  task.result = { kind: "user", id };
  const event = eventOf(task);
  try {
    if (await isFiled(task, id, event)) return;
    await task.zendesk.write(
      filing,
      "POST",
      `/api/v2/users/${id}/events`,
      { profile: profileOf(user, id), event },
      {
        expect: "status",
        intent: {
          verb: "create",
          what: `event “${event.type}” of ${describe(user)}`,
          zendeskId: null,
          changes: Object.entries(event.properties).map(([field, to]) => ({ field, from: null, to })),
        },
        supposed: { status: "received" },
      },
    );
  } catch (error) {
    if (!isNotInPlan(error)) throw error;
    await keepOurselves(task, user, id, event);
  }
});

interface CustomerEvent {
  source: string;
  type: string;
  description: string;
  created_at: string;
  properties: Record<string, unknown>;
}

function eventOf({ command, event, delivery }: Task): CustomerEvent {
  const type = requiredText(command, "type");
  const given = command.fields.properties;
  const at = instantOf(command.fields.created_at);
  const createdAt = at ?? event?.occurredAt ?? delivery.createdAt;
  const messageId = delivery.messageId ?? delivery.commandKey;
  return {
    source,
    type,
    description: textOf(command, "description") ?? type,
    created_at: createdAt.toISOString(),
    properties: { ...(isObject(given) ? given : {}), messageId },
  };
}

/** Only what Zendesk has of the user itself: another e-mail or external id would become a further one of theirs. */
function profileOf(user: Wire, id: string) {
  const own = ["external_id", "email"].flatMap((type) => {
    const value = user[type];
    return typeof value === "string" && value !== "" ? [{ type, value }] : [];
  });
  return {
    source,
    type: "customer",
    name: String(user.name ?? id),
    identifiers: own.length > 0 ? own : [{ type: "zendesk_user_id", value: id }],
  };
}

/**
 * Whether an earlier try was taken. An event can be read some time after it was taken: until then nothing is sent again. A
 * database restored from a backup does not know what was sent since: what has waited for long is looked for as well (row 85).
 */
async function isFiled(task: Task, userId: string, event: CustomerEvent): Promise<boolean> {
  const sent = sentBefore(task, filing);
  if (sent.some(({ outcome }) => outcome === "done")) return true;
  const last = sent.at(-1);
  const now = task.clock().getTime();
  if (!last && now - task.delivery.createdAt.getTime() < longestLag) return false;
  const query = { "filter[source]": event.source, "filter[type]": event.type };
  const events = (await findAll(task, "look for the event", `/api/v2/users/${userId}/events`, "events", query)) ?? [];
  const { messageId } = event.properties;
  if (events.some(({ properties }) => isObject(properties) && properties.messageId === messageId)) return true;
  if (!last || now - last.sentAt.getTime() >= longestLag) return false;
  return leaveOpen(
    "event_not_visible",
    "Zendesk may have taken the event, and does not show it yet.",
    "It is looked for again by itself.",
  );
}

/** 403 or 404 for the events as such, not for the user or the login's scope. */
function isNotInPlan(error: unknown): boolean {
  if (!(error instanceof ZendeskError) || error.scope === "connection") return false;
  if (error.status === 403) return error.code !== "missing_scope";
  return error.status === 404 && !/user|RecordNotFound/i.test(error.said);
}

async function keepOurselves(task: Task, user: Wire, userId: string, event: CustomerEvent): Promise<void> {
  const { scope, db } = task;
  if (!task.event) return eventGone();
  const kept = {
    eventId: task.event.id,
    userId,
    organizationId: idIn(user, "organization_id"),
    name: event.type,
    properties: JSON.stringify(event.properties),
    occurredAt: new Date(event.created_at),
  };
  if (!task.isDryRun) await inWorkspace(db, scope.workspaceId, (trx) => keepCustomerEvent(trx, scope, kept));
  task.notes.push(
    "Zendesk's plan has no customer events: the event is kept in Bellwether's own timeline of the account.",
  );
}

/** Received events are kept for a month, failed deliveries for longer. */
function eventGone(): never {
  return fail(
    "event_gone",
    "Zendesk's plan has no customer events, and the received event is not stored any more: it was not kept in the account's own timeline.",
    "Send the call again with the same messageId; or, once the Zendesk plan has customer events, replay this.",
  );
}
