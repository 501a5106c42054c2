import { type EventType, eventTypes } from "#lib/sources/shapes.ts";
import type { NewEvent } from "#lib/sources/store/events.ts";
import { cleanText, cutAt, isClean } from "#lib/zendesk/text.ts";

/*
 * What a door takes for an event, and why not. Pure. The form is Segment's: type, messageId, userId, anonymousId, groupId,
 * previousId, event, name, traits, properties, context, timestamp, originalTimestamp, sentAt.
 */

/** An event larger than this is refused, in bytes of its JSON. */
export const mostEventBytes = 32 * 1024;
const longestId = 512;
const longestName = 500;
const longestEmail = 320;
const deepest = 64;

export type JsonObject = Record<string, unknown>;

/** What is known of an event besides itself. */
export interface Surroundings {
  /** The door's own type; null in a batch, whose events name theirs. */
  type: EventType | null;
  /** Fields at the top of a batch that hold for each of its events. */
  inherited: JsonObject;
  /** By the sender's clock. */
  sentAt: Date | null;
  receivedAt: Date;
  /** The id of an event that came without one. */
  newId: () => string;
}

/** Why an event is refused: the place in it, and what to do. */
export interface Refusal {
  path: string;
  message: string;
  tooLarge?: true;
}

export interface Judged {
  event: Omit<NewEvent, "sourceId">;
  refusal: Refusal | null;
}

/** An event as it is stored, refused or not; `beforehand`: refused for what it would inherit, which it is judged without. */
export function judge(given: unknown, around: Surroundings, beforehand: Refusal | null = null): Judged {
  const event = isObject(given) ? merged(given, beforehand === null ? around : { ...around, inherited: {} }) : {};
  const refusal = isObject(given) ? (beforehand ?? firstRefusal(event, around)) : notAnEvent(given);
  const payload = refusal === null || !refusal.tooLarge ? jsonOf(isObject(given) ? event : given) : null;
  if (refusal === null && payload !== null && Buffer.byteLength(payload) > mostEventBytes) {
    return refused(event, around, tooLarge());
  }
  return refusal === null ? accepted(event, around, payload ?? "{}") : refused(event, around, refusal, payload);
}

function accepted(event: JsonObject, around: Surroundings, payload: string): Judged {
  return { event: { ...columnsOf(event, around), payload, rejection: null }, refusal: null };
}

/** Of one that is too large, or that is no JSON we could hand on, only the outlines are kept. */
function refused(event: JsonObject, around: Surroundings, refusal: Refusal, payload: string | null = null): Judged {
  const isFit = payload !== null && Buffer.byteLength(payload) <= mostEventBytes;
  const kept = isFit ? payload : JSON.stringify(outlines(event));
  const rejection = `${refusal.path} ${refusal.message}`.trim();
  return { event: { ...columnsOf(event, around), payload: kept, rejection }, refusal };
}

/** The event with what it inherits; its ids are text, and a write key that stands in it is no part of it. */
function merged(given: JsonObject, { type, inherited, sentAt }: Surroundings): JsonObject {
  const { writeKey: _, ...event } = { ...inherited, ...given };
  if (isObject(inherited.context) && isObject(given.context)) {
    event.context = { ...inherited.context, ...given.context };
  }
  if (type !== null) event.type = type;
  if (sentAt !== null && event.sentAt === undefined) event.sentAt = sentAt.toISOString();
  for (const key of ["messageId", ...ids]) {
    if (typeof event[key] === "number" && Number.isSafeInteger(event[key])) event[key] = String(event[key]);
  }
  return event;
}

const ids = ["userId", "anonymousId", "groupId", "previousId"];
const objects = ["traits", "properties", "context", "integrations"];

function firstRefusal(event: JsonObject, around: Surroundings): Refusal | null {
  if (!isShallow(event, deepest)) return nestedTooDeeply(event);
  return wrongType(event) ?? wrongForm(event) ?? wrongInstant(event, around) ?? missing(event);
}

function wrongType({ type }: JsonObject): Refusal | null {
  if ((eventTypes as readonly unknown[]).includes(type)) return null;
  return { path: "type", message: `must be one of ${eventTypes.join(", ")}, and is ${nameOf(type)}` };
}

function wrongForm(event: JsonObject): Refusal | null {
  for (const path of ["messageId", ...ids]) {
    const value = event[path];
    if (isAbsent(value)) continue;
    if (typeof value === "number") {
      return { path, message: "is a number that cannot be kept exactly: send it as text" };
    }
    if (typeof value !== "string") return { path, message: `must be text, and is ${nameOf(value)}` };
    if (value.length > longestId) return { path, message: `is longer than ${longestId} characters` };
    if (path === "messageId" && !isClean(value)) {
      return { path, message: "has a character that no text here can hold: send it without NUL and halves of a pair" };
    }
  }
  for (const path of objects) {
    const value = event[path];
    if (!isAbsent(value) && !isObject(value)) return { path, message: `must be an object, and is ${nameOf(value)}` };
  }
  const contextTraits = part(event, "context").traits;
  if (isAbsent(contextTraits) || isObject(contextTraits)) return null;
  return { path: "context.traits", message: `must be an object, and is ${nameOf(contextTraits)}` };
}

function wrongInstant(event: JsonObject, { receivedAt }: Surroundings): Refusal | null {
  const path = isAbsent(event.timestamp) ? "originalTimestamp" : "timestamp";
  if (isAbsent(event[path]) || instantOf(event[path]) !== null) return null;
  return { path, message: `must be an instant such as ${receivedAt.toISOString()}` };
}

/** What this type of event cannot do without. */
function missing(event: JsonObject): Refusal | null {
  const type = event.type as EventType;
  const needs = (path: string, why: string) =>
    textOf(event[path]) === null ? { path, message: `is missing: ${why}` } : null;
  if (type === "alias") {
    return needs("previousId", "an alias names the id before") ?? needs("userId", "an alias names the id from now on");
  }
  if (type === "group") return needs("groupId", "a group call names its group");
  if (type === "track" && typeof event.event === "number") return { path: "event", message: "must be text" };
  const unnamed = type === "track" ? needs("event", "a track call names what happened") : null;
  if (unnamed !== null || namesSomebody(event)) return unnamed;
  const message = "is missing: send a userId, an anonymousId, or an e-mail in the traits";
  return { path: "userId", message };
}

function namesSomebody(event: JsonObject): boolean {
  const zendeskId = part(event, "context").zendesk_user_id;
  const given = [event.userId, event.anonymousId, emailOf(event)];
  return given.some((value) => textOf(value) !== null) || !isAbsent(zendeskId);
}

function columnsOf(event: JsonObject, around: Surroundings) {
  const messageId = messageIdOf(event);
  const name = event.type === "track" ? event.event : (event.name ?? part(event, "properties").name);
  return {
    messageId: messageId ?? around.newId(),
    isNamed: messageId !== null,
    type: cutAt(textOf(event.type) ?? "unknown", 40),
    name: shortened(name, longestName),
    userId: shortened(event.userId, longestId),
    anonymousId: shortened(event.anonymousId, longestId),
    groupId: shortened(event.groupId, longestId),
    email: shortened(emailOf(event), longestEmail)?.toLowerCase() ?? null,
    occurredAt: occurredAt(event, around),
    receivedAt: around.receivedAt,
  };
}

/** As it was sent: two that differ by a blank are two. Null where there is none, or none that can be kept so. */
function messageIdOf({ messageId }: JsonObject): string | null {
  return textOf(messageId, longestId) !== null && isClean(messageId as string) ? (messageId as string) : null;
}

/** A group's traits are the group's own: the user's stand in the context. */
function emailOf(event: JsonObject): unknown {
  const context = part(part(event, "context"), "traits");
  const traits = part(event, "traits");
  const properties = part(event, "properties");
  const inOrder = event.type === "group" ? [context, traits] : [traits, properties, context];
  return inOrder.map(({ email }) => email).find((email) => textOf(email) !== null) ?? null;
}

/**
 * When it happened: as the sender says, put right by what the sender's clock was wrong when it sent; never after its receipt.
 */
function occurredAt(event: JsonObject, { sentAt, receivedAt }: Surroundings): Date {
  const claimed = instantOf(event.timestamp) ?? instantOf(event.originalTimestamp);
  if (claimed === null) return receivedAt;
  const sent = sentAt ?? instantOf(event.sentAt);
  const skew = sent === null ? 0 : receivedAt.getTime() - sent.getTime();
  // Less is the way here, not the clock.
  const corrected = Math.abs(skew) > clockToleranceMs ? claimed.getTime() + skew : claimed.getTime();
  return new Date(Math.min(Math.max(corrected, 0), receivedAt.getTime()));
}

const clockToleranceMs = 60_000;
const latest = Date.UTC(9999, 0, 1);

/** ISO-8601 text, or a number of seconds or milliseconds since 1970; null for anything else. */
export function instantOf(value: unknown): Date | null {
  if (typeof value !== "string" && typeof value !== "number") return null;
  if (typeof value === "string" && !/^\d{4}-\d\d-\d\d/.test(value)) return null;
  const at = new Date(typeof value === "number" && value < 100_000_000_000 ? value * 1000 : value);
  const time = at.getTime();
  return time >= 0 && time < latest ? at : null;
}

/** JSON in one line, without characters that no text here can hold. */
function jsonOf(value: unknown): string | null {
  try {
    const text = JSON.stringify(value) ?? "null";
    // Both stand in JSON text as escapes only. A false alarm costs a second look.
    return /\\u(0000|d[89a-f])/i.test(text) ? JSON.stringify(cleaned(value)) : text;
  } catch {
    return null; // nested too deeply to be said
  }
}

function cleaned(value: unknown): unknown {
  if (typeof value === "string") return cleanText(value, value.length);
  if (Array.isArray(value)) return value.map(cleaned);
  if (!isObject(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [cleanText(key, key.length), cleaned(inner)]));
}

function outlines(event: JsonObject): JsonObject {
  const kept = ["type", "messageId", "event", "name", "timestamp", ...ids];
  const texts = kept.flatMap((key) =>
    typeof event[key] === "string" ? [[key, shortened(event[key], longestId)]] : [],
  );
  return Object.fromEntries(texts);
}

function notAnEvent(given: unknown): Refusal {
  return { path: "", message: `An event must be an object, and this is ${nameOf(given)}` };
}

function tooLarge(): Refusal {
  return {
    path: "",
    message: `The event is larger than ${mostEventBytes / 1024} KB, the most that is taken`,
    tooLarge: true,
  };
}

/** Named by its first steps: where it is too deep, nobody wants to read. */
function nestedTooDeeply(event: JsonObject): Refusal {
  const steps: string[] = [];
  for (let value: unknown = event; isObject(value) && steps.length < 3; ) {
    const [key, inner] = Object.entries(value).find(([, one]) => !isShallow(one, deepest - steps.length - 1)) ?? [
      "",
      null,
    ];
    if (inner === null) break;
    steps.push(cutAt(cleanText(key, 60), 60));
    value = inner;
  }
  const mend = "flatten it, or send its inner part as one text (JSON.stringify)";
  return { path: steps.join("."), message: `is nested deeper than ${deepest} levels: ${mend}` };
}

function isShallow(value: unknown, levels: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  if (levels === 0) return false;
  for (const inner of Object.values(value)) {
    if (typeof inner === "object" && inner !== null && !isShallow(inner, levels - 1)) return false;
  }
  return true;
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

const isAbsent = (value: unknown) => value === undefined || value === null || value === "";

function part(event: JsonObject, key: string): JsonObject {
  const value = event[key];
  return isObject(value) ? value : {};
}

function textOf(value: unknown, most = Number.POSITIVE_INFINITY): string | null {
  if (typeof value !== "string" || value.length > most) return null;
  const clean = cleanText(value, value.length).trim();
  return clean === "" ? null : clean;
}

function shortened(value: unknown, most: number): string | null {
  const text = textOf(value);
  return text === null ? null : cutAt(text, most);
}

function nameOf(value: unknown): string {
  if (value === undefined) return "missing";
  if (value === null) return "null";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "string") return `“${cutAt(cleanText(value, 60), 40)}”`;
  return typeof value === "object" ? "an object" : `a ${typeof value}`;
}
