import { type Refusal, refusal } from "./answer.ts";
import type { Call } from "./routes.ts";

/** What a body gives for a row, by Zendesk's names. */
export type Given = Record<string, unknown>;

/** Why single fields of a row cannot be written (zendesk-api section 8.5). */
export type Details = Record<string, { description: string; error?: string }[]>;

export function bodyOf(call: Call): Given {
  try {
    const body: unknown = JSON.parse(call.request.body.toString("utf8"));
    if (isGiven(body)) return body;
  } catch {
    // Falls through to the refusal.
  }
  throw refusal(400, "BadRequest", "The request body is not a JSON object");
}

/** The object under `key` of the body. */
export function objectIn(call: Call, key: string): Given {
  const value = bodyOf(call)[key];
  if (isGiven(value)) return value;
  throw refusal(400, "InvalidRequest", `The body has no ${key}`);
}

/** The rows under `key` of the body, for bulk writes. */
export function listIn(call: Call, key: string): Given[] {
  const value = bodyOf(call)[key];
  if (!Array.isArray(value)) throw refusal(400, "InvalidRequest", `The body has no ${key}`);
  if (value.length > 100) throw refusal(400, "TooManyValues", `Maximum 100 ${key} are allowed`);
  return value.filter(isGiven);
}

export function isGiven(value: unknown): value is Given {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

export function recordInvalid(details: Details): Refusal {
  return refusal(422, "RecordInvalid", "Record validation errors", details);
}

/** Collects what is wrong with a row, so that all of it is said at once. */
export class Complaints {
  private readonly details: Details = {};

  add(field: string, description: string, error?: string): void {
    this.details[field] = [...(this.details[field] ?? []), { description, ...(error !== undefined && { error }) }];
  }

  /** Throws when there are any. */
  raise(): void {
    if (Object.keys(this.details).length > 0) throw recordInvalid(this.details);
  }
}

/** Text or a number as text, null where it is empty or null; undefined where nothing is given. */
export function textOf(value: unknown): string | null | undefined {
  if (value === undefined) return undefined;
  if (value === null || value === "") return null;
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : JSON.stringify(value);
}

/** Tags are lower case and without spaces. */
export function tagsOf(value: unknown): string[] | undefined {
  if (value === undefined) return undefined;
  const list = Array.isArray(value) ? value : String(value ?? "").split(/[\s,]+/);
  return [...new Set(list.map((tag) => String(tag).trim().toLowerCase().replace(/\s+/g, "_")))].filter(Boolean);
}

export function isTrue(value: unknown): boolean {
  return value === true || value === "true";
}

/** The keys whose values differ, with the new ones; of objects, again only what differs. */
export function difference(before: Given, after: Given): Given {
  const changed: Given = {};
  for (const [key, value] of Object.entries(after)) {
    if (["updated_at", "url", "fields"].includes(key) || same(before[key], value)) continue;
    changed[key] = isGiven(value) && isGiven(before[key]) ? difference(before[key], value) : value;
  }
  return changed;
}

/** Of a new row, what the writer gave. */
export function pick(row: Given, keys: readonly string[]): Given {
  return Object.fromEntries(Object.entries(row).filter(([key]) => keys.includes(key)));
}

export function same(left: unknown, right: unknown): boolean {
  return JSON.stringify(left ?? null) === JSON.stringify(right ?? null);
}
