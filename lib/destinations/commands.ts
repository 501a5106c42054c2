import type { Command } from "#lib/destinations/attempt.ts";
import { lanesOf } from "#lib/destinations/lanes.ts";
import { mapEvent, type Problem } from "#lib/destinations/mapping.ts";
import { isEmail, isPlain, leftOutAsNested } from "#lib/destinations/procedures/field-values.ts";
import { type Refusal, refusalOf } from "#lib/destinations/refusals.ts";
import type { Action, ActionKey, Settings } from "#lib/destinations/shapes.ts";
import type { TemplateTime } from "#lib/destinations/template-time.ts";
import { matches } from "#lib/destinations/triggers.ts";
import { cleanText } from "#lib/zendesk/text.ts";

/** What an action would do about an event, before Zendesk is asked. */
export interface PlannedCommand {
  action: ActionKey;
  command: Command;
  lanes: string[];
  /** What was left out, and why: it stands in the notes of the delivery. */
  problems: Problem[];
  refusal: Refusal | null;
}

type EventBody = Readonly<Record<string, unknown>>;
type SetAction = Pick<Action, "key" | "enabled" | "trigger" | "mapping">;

/** The event as triggers and mappings see it: as it was sent, with what the door knows of it. */
export function eventBody(stored: { type: string; messageId: string; occurredAt: Date; payload: string }): EventBody {
  const sent: unknown = JSON.parse(stored.payload);
  const { type, messageId } = stored;
  return { ...(sent as object), type, messageId, timestamp: stored.occurredAt.toISOString() };
}

/** Stands for the message id that a sample without one gets when it is sent. */
export const idAtSending = "test-… (given when it is sent)";

/** An event that was never sent, as it would look. */
export function sampleBody(event: EventBody, now: Date): EventBody {
  return { messageId: idAtSending, timestamp: now.toISOString(), ...event };
}

/** What the actions make of an event, in their order: those that are on and whose trigger is true. `time`: the event's. */
export function planCommands<A extends SetAction>(
  actions: readonly A[],
  event: EventBody,
  settings: Settings,
  time: TemplateTime,
): { action: A; planned: PlannedCommand }[] {
  return actions
    .filter((action) => action.enabled && matches(action.trigger, event))
    .map((action) => ({ action, planned: planCommand(action, event, settings, time) }));
}

/** What one action makes of an event, whether its trigger asks for it or not. */
export function planCommand(
  { key, mapping }: Pick<SetAction, "key" | "mapping">,
  event: EventBody,
  settings: Settings,
  time: TemplateTime,
): PlannedCommand {
  const mapped = mapEvent(key, mapping, event, time);
  const notes: Problem[] = [...mapped.problems];
  const given = key === "upsert_organization" ? withoutUnnamedUser(mapped.command.fields) : mapped.command.fields;
  if (key === "upsert_organization") tellPlaceOfEmail(given, event, notes);
  const fields = sound(given, notes);
  const refusal = mapped.refusal ?? invalidEmail(key, given, fields);
  return {
    action: key,
    command: { fields, unmapped: withoutNested(mapped.command.unmapped, notes, (trait) => `$.traits.${trait}`) },
    lanes: lanesOf(key, fields, event),
    // What nothing is written for is not left out of it.
    problems: notes
      .filter(({ field }) => refusal === null || !emails.includes(field))
      .map(({ field, message }) => ({ field, message: cleanText(message, 500) })),
    refusal: refusal ?? refusalOf(key, fields, settings),
  };
}

/** The fields that can be sent. What cannot is left out, with its reason in `problems`. */
function sound(fields: Command["fields"], problems: Problem[]): Command["fields"] {
  const checked = Object.entries(fields).filter(([name, value]) => {
    if (!emails.includes(name) || isEmail(value)) return true;
    problems.push({ field: name, message: `“${String(value).slice(0, 100)}” is no e-mail address: it was left out` });
    return false;
  });
  return withoutNested(Object.fromEntries(checked), problems, placeOfCustomField);
}

/** What custom fields can hold; the rest is left out. `placeOf`: where in an event the value of a custom field stands. */
function withoutNested(
  values: Record<string, unknown>,
  problems: Problem[],
  placeOf: (name: string) => string | null,
): Record<string, unknown> {
  const kept = Object.entries(values).filter(([name, value]) => {
    const place = isPlain(value) ? null : placeOf(name);
    if (place !== null) problems.push({ field: name, message: leftOutAsNested(place, value) });
    return place === null;
  });
  return Object.fromEntries(kept);
}

function placeOfCustomField(name: string): string | null {
  const [, record, key] = /^(user_fields|organization_fields|custom_fields)\.(.+)$/s.exec(name) ?? [];
  if (key === undefined) return null;
  return record === "custom_fields" ? `$.properties.${name}` : `$.traits.${key}`;
}

/** A group call is about a user only where it names one by an id: an e-mail among the group's traits is the company's own. */
function withoutUnnamedUser(fields: Command["fields"]): Command["fields"] {
  if (fields["user.id"] !== undefined || fields["user.external_id"] !== undefined) return fields;
  return Object.fromEntries(Object.entries(fields).filter(([name]) => !name.startsWith("user.")));
}

/** where two places can hold the user's e-mail, it is told which one did when it was the second. A mapping may name others. */
function tellPlaceOfEmail(fields: Command["fields"], event: EventBody, problems: Problem[]): void {
  const { context, traits } = event as { context?: WithTraits | null } & WithTraits;
  const texts = [traits?.email, context?.traits?.email, fields["user.email"]];
  const [own, inContext, taken] = texts.map((email) => (typeof email === "string" ? email.trim() : ""));
  if (own !== "" && inContext === "" && taken === own)
    problems.push({ field: "user.email", message: "was taken from traits, since context.traits has none" });
}

type WithTraits = { traits?: { email?: unknown } | null };

const emails = ["email", "user.email", "requester.email"];

/**
 * Of an identify the e-mail is what it is about; elsewhere a wrong one is left out as long as the user has another name, or the
 * ticket keeps its requester.
 */
function invalidEmail(key: ActionKey, given: Command["fields"], kept: Command["fields"]): Refusal | null {
  const wrong = emails.find((name) => given[name] !== undefined && kept[name] === undefined);
  if (wrong === undefined) return null;
  const prefix = wrong.slice(0, -"email".length);
  const isNamedOtherwise = kept[`${prefix}id`] !== undefined || kept[`${prefix}external_id`] !== undefined;
  if (key === "update_ticket" || (key !== "upsert_user" && isNamedOtherwise)) return null;
  return {
    code: "invalid_email",
    reason: cleanText(`“${String(given[wrong]).slice(0, 100)}” is no e-mail address.`),
    fix: "Send an address such as ann@example.com. Check where your program takes it from; then send the call again.",
  };
}
