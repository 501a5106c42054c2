import { createHash } from "node:crypto";
import type { ActionKey } from "#lib/destinations/shapes.ts";
import { cleanText } from "#lib/zendesk/text.ts";

type Fields = Readonly<Record<string, unknown>>;

/** The step by which a track is filed: what other commands read or write it does not touch. */
export const filing = "file event";

/** A lane is a key of an index: what is longer stands for itself by its digest. */
const longest = 200;

/**
 * Whom and what a command concerns. Commands that share one are done in the order in which their events came: a user by
 * each of their names (`u:`, `m:`, `z:`), an organization (`o:`), a ticket (`t:`). Names that Zendesk compares without regard to
 * case are one lane in any.
 */
export function lanesOf(action: ActionKey, fields: Fields, event: Readonly<Record<string, unknown>>): string[] {
  const own = (name: string) => fields[name];
  const isTicket = action === "create_ticket" || action === "update_ticket";
  const prefix = action === "upsert_user" ? "" : isTicket ? "requester." : "user.";
  return [
    ...lane("u", event.userId),
    ...lane("u", own(`${prefix}external_id`)),
    ...lane("m", own(`${prefix}email`)),
    ...lane("z", own(`${prefix}id`)),
    ...(action === "upsert_organization" ? lane("o", own("external_id")) : []),
    ...(isTicket ? [] : lane("o", own("organization_id"))),
    ...(isTicket ? lane("t", own("external_id")) : []),
    ...(action === "update_ticket" ? lane("t", own("id")) : []),
  ].filter((name, index, all) => all.indexOf(name) === index);
}

/** The lane of an organization, by its id in Zendesk: what is written back waits its turn as well. */
export const organizationLane = (id: string): string => `o:${id}`;

function lane(kind: string, value: unknown): string[] {
  if (typeof value !== "string" && typeof value !== "number") return [];
  const sent = cleanText(String(value).trim());
  const text = caseless.includes(kind) ? sent.toLowerCase() : sent;
  if (text === "") return [];
  return [`${kind}:${text.length <= longest ? text : createHash("sha256").update(text).digest("hex")}`];
}

/** External ids of users and organizations, and e-mails (zendesk-api 6.1, 6.2). */
const caseless = ["u", "o", "m"];
