import type { Command } from "#lib/destinations/attempt.ts";
import { cleanText } from "#lib/zendesk/text.ts";

type Fielded = { readonly fields: Readonly<Command["fields"]> };

/** A user as a command names them. */
export interface Person {
  /** In Zendesk. */
  id: string | null;
  externalId: string | null;
  email: string | null;
  name: string | null;
  timeZone: string | null;
  phone: string | null;
}

/** A field as trimmed text that Zendesk and our tables take; null where there is none. */
export function textOf({ fields }: Fielded, name: string): string | null {
  const value = fields[name];
  if (typeof value === "number" || typeof value === "boolean") return String(value);
  const text = typeof value === "string" ? cleanText(value).trim() : "";
  return text === "" ? null : text;
}

/** A field without which the command would have been refused. */
export function requiredText(command: Command, name: string): string {
  const text = textOf(command, name);
  if (text === null) throw new Error(`The command has no ${name}.`);
  return text;
}

export function flagOf({ fields }: Fielded, name: string): boolean | null {
  const value = fields[name];
  if (typeof value === "boolean") return value;
  const word = String(value ?? "").toLowerCase();
  if (["true", "1", "yes"].includes(word)) return true;
  return ["false", "0", "no"].includes(word) ? false : null;
}

export function textsOf({ fields }: Command, name: string): string[] {
  const value = fields[name];
  const items: unknown[] = Array.isArray(value) ? value : value === undefined || value === null ? [] : [value];
  return items
    .filter((item) => typeof item === "string" || typeof item === "number")
    .map((item) => cleanText(String(item)).trim());
}

export function tagsOf(command: Command, name: string): string[] {
  return asTags(textsOf(command, name));
}

/** Tags as Zendesk keeps them: lower case, without blanks, each once. */
export function asTags(texts: readonly string[]): string[] {
  const tags = texts.map((text) =>
    text
      .trim()
      .toLowerCase()
      .replace(/[\s,]+/g, "_"),
  );
  return [...new Set(tags.filter((tag) => tag !== ""))];
}

/** `prefix`: `user.`, `requester.`, or nothing. */
export function personOf(command: Command, prefix: "" | "user." | "requester."): Person {
  const text = (name: string) => textOf(command, `${prefix}${name}`);
  const parts = [text("first_name"), text("last_name")].filter((part) => part !== null);
  return {
    id: text("id"),
    externalId: text("external_id"),
    email: text("email"),
    name: text("name") ?? (parts.length > 0 ? parts.join(" ") : null),
    timeZone: text("time_zone"),
    phone: text("phone"),
  };
}

export function isNamed({ id, externalId, email }: Person): boolean {
  return id !== null || externalId !== null || email !== null;
}

/** How a person would be named in a sentence. */
export function nameOf({ id, externalId, email, name }: Person): string {
  const known = [
    email,
    externalId === null ? null : `external id ${externalId}`,
    id === null ? null : `Zendesk id ${id}`,
  ].filter((part) => part !== null);
  return known.length > 0 ? known.join(", ") : (name ?? "nobody");
}

/** The fields of a record: of `user_fields.plan` the key `plan`. */
export function recordOf({ fields }: Command, record: string): Record<string, unknown> {
  const prefix = `${record}.`;
  const own = Object.entries(fields).filter(([name]) => name.startsWith(prefix));
  return Object.fromEntries(own.map(([name, value]) => [name.slice(prefix.length), value]));
}
