import { isObject } from "#lib/zendesk/answers.ts";
import { parseJson } from "#lib/zendesk/json.ts";
import { cleanText } from "#lib/zendesk/text.ts";

export const subjects = ["ticket", "user", "organization"] as const;
export type Subject = (typeof subjects)[number];

/** What a delivery speaks of, as far as it says. Of everything in it only the id is believed, and only to ask Zendesk for it. */
export interface Told {
  type: string | null;
  subject: Subject | null;
  id: string | null;
}

const nothing: Told = { type: null, subject: null, id: null };
/** The body that our trigger sends. */
export const triggerBody = '{"ticket_id":"{{ticket.id}}"}';

/** Reads an event of Zendesk's, of whatever version, or what our trigger sends. Anything else tells nothing. */
export function readSubject(body: Buffer): Told {
  const value = parsed(body);
  if (!isObject(value)) return nothing;
  const type = typeof value.type === "string" ? cleanText(value.type, 200) : null;
  const named = subjectOf(type, value);
  const id = named === null ? null : idIn(value, named);
  return { type, subject: id === null ? null : named, id };
}

function parsed(body: Buffer): unknown {
  try {
    return parseJson(body.toString("utf8"));
  } catch {
    return null;
  }
}

function subjectOf(type: string | null, body: Record<string, unknown>): Subject | null {
  const named = /^zen:event-type:(\w+)\./.exec(type ?? "")?.[1];
  if (named !== undefined) return subjects.find((subject) => subject === named) ?? null;
  return body.ticket_id === undefined ? null : "ticket";
}

function idIn(body: Record<string, unknown>, subject: Subject): string | null {
  const detail = isObject(body.detail) ? body.detail.id : undefined;
  const zrn =
    typeof body.subject === "string" ? new RegExp(`^zen:${subject}:(\\d+)$`).exec(body.subject)?.[1] : undefined;
  const given = [detail, zrn, subject === "ticket" ? body.ticket_id : undefined].find((id) => id != null && id !== "");
  return idText(given);
}

const largestId = 9_223_372_036_854_775_807n;

function idText(value: unknown): string | null {
  const text = typeof value === "number" ? String(value) : value;
  if (typeof text !== "string" || !/^[1-9]\d{0,18}$/.test(text)) return null;
  return BigInt(text) <= largestId ? text : null;
}
