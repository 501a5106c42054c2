import { inWorkspace } from "#db/client.ts";
import type { Command } from "#lib/destinations/attempt.ts";
import { filing } from "#lib/destinations/lanes.ts";
import { personOf, requiredText, textOf } from "#lib/destinations/procedures/command-fields.ts";
import { describe } from "#lib/destinations/procedures/find-user.ts";
import { findAll, findRow, idIn } from "#lib/destinations/procedures/rows.ts";
import { fail, leaveOpen, procedure, sentBefore, type Task } from "#lib/destinations/procedures/task.ts";
import { findOrCreateUser } from "#lib/destinations/procedures/write-user.ts";
import { accountsOfUser, keepCustomerEvent } from "#lib/destinations/store/customer-events.ts";
import { concealJson } from "#lib/log.ts";
import { instantOf } from "#lib/sources/judge.ts";
import { isObject } from "#lib/zendesk/answers.ts";
import { ZendeskError } from "#lib/zendesk/failures.ts";
import type { Wire } from "#lib/zendesk/row-reader.ts";

const source = "bellwether";
const endpoint = "customer_events";
/** An event may be taken and not be readable for so long (row 104). Milliseconds. */
const longestLag = 5 * 60_000;

/** Files an event under its user, once; where the plan has no place for it, in our own timeline (C-8, C-28 … C-33, R-19, R-20). */
export const trackEvent = procedure(async (task) => {
  const { user, id } = (await filedUnder(task)) ?? (await findOrCreateUser(task, personOf(task.command, "user.")));
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
        endpoint,
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

/** Whom an earlier try may have filed it under: later calls did not wait for it, and may have given the user other names. */
async function filedUnder(task: Task): Promise<{ user: Wire; id: string } | null> {
  const id = /\/users\/(\d+)\/events$/.exec(sentBefore(task, filing).at(-1)?.path ?? "")?.[1];
  const user = id === undefined ? null : await findRow(task, "find user by id", `/api/v2/users/${id}`, "user");
  return user && user.active !== false ? { user, id: String(id) } : null;
}

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
    description: descriptionOf(command),
    created_at: createdAt.toISOString(),
    properties: { ...(isObject(given) ? given : {}), messageId },
  };
}

/** Where no words are given, the name of the event stands in. */
export function descriptionOf(command: Command): string {
  return textOf(command, "description") ?? requiredText(command, "type");
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
  const asked = { endpoint, query: { "filter[source]": event.source, "filter[type]": event.type } } as const;
  const events = (await findAll(task, "look for the event", `/api/v2/users/${userId}/events`, "events", asked)) ?? [];
  const { messageId } = event.properties;
  if (events.some(({ properties }) => isObject(properties) && properties.messageId === messageId)) return true;
  if (!last || now - last.sentAt.getTime() >= longestLag) return false;
  return leaveOpen("event_not_visible", "Zendesk may have taken the event, and does not show it yet.");
}

/** 403 or 404 for the events as such, not for the user or the login's scope. */
function isNotInPlan(error: unknown): boolean {
  if (!(error instanceof ZendeskError) || error.scope === "connection") return false;
  if (error.status === 403) return error.code !== "missing_scope";
  return error.status === 404 && !/user|RecordNotFound/i.test(error.said);
}

/** R-20. The event is in the timelines of the accounts that the user belongs to, now and later. */
async function keepOurselves(task: Task, user: Wire, userId: string, event: CustomerEvent): Promise<void> {
  const { scope, db } = task;
  if (!task.event) return eventGone();
  const kept = {
    eventId: task.event.id,
    userId,
    organizationId: idIn(user, "organization_id"),
    name: event.type,
    properties: concealJson(JSON.stringify(event.properties)),
    occurredAt: new Date(event.created_at),
  };
  const accounts = await inWorkspace(db, scope.workspaceId, async (trx) => {
    if (!task.isDryRun) await keepCustomerEvent(trx, scope, kept);
    return accountsOfUser(trx, scope, kept);
  });
  task.notes.push(`Zendesk's plan has no customer events: ${keptWhere(accounts)}`);
}

function keptWhere(accounts: readonly string[]): string {
  if (accounts.length === 0)
    return "the event is kept here, and is of no account yet. It shows in an account's timeline once the user is in an organization of one.";
  return `the event is kept here, in the timeline of ${accounts.map((name) => `“${name}”`).join(" and ")}.`;
}

/** Received events are kept for a month, failed deliveries for longer. */
function eventGone(): never {
  return fail(
    "event_gone",
    "Zendesk's plan has no customer events, and the received event is not stored any more: it was not kept in the account's own timeline.",
    "Send the call again with the same messageId; or, once the Zendesk plan has customer events, replay this.",
  );
}
