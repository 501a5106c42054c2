import { z } from "zod";

/*
 * What a row on the wire must hold to be worth anything: its id, a version where the stream has one, and what a definition
 * needs. Everything else may be absent, null or of another type (row 56): rows.ts reads it leniently.
 */

const longestId = 9_223_372_036_854_775_807n;

/** A bigint of PostgreSQL's: Zendesk writes a number, or text in webhooks; beyond 2^53 our parser gives text (row 52). */
const id = z.union([z.number(), z.string()]).refine(isBigint, "is not a 64-bit integer");

/** Whether an id can be stored as one. */
export function isBigint(value: number | string): boolean {
  if (typeof value === "number") return Number.isSafeInteger(value);
  if (!/^-?\d{1,19}$/.test(value)) return false;
  const size = BigInt(value);
  return size <= longestId && size >= -longestId - 1n;
}

const unixSeconds = z.number().int().nonnegative();
const someText = z.string().min(1);

/** `generated_timestamp` is the version; a ticket fetched by id has none, its `updated_at` stands in. */
export const ticketWire = z.union([
  z.object({ id, generated_timestamp: unixSeconds }),
  z.object({ id, updated_at: someText, generated_timestamp: z.null().optional() }),
]);
export const withId = z.object({ id });
export const ticketEventWire = z.union([
  z.object({ id, ticket_id: id, timestamp: unixSeconds }),
  z.object({ id, ticket_id: id, created_at: someText }),
]);
export const legacyRatingWire = z.object({ id, ticket_id: id });
export const membershipWire = z.object({ id, user_id: id, organization_id: id });
export const surveyResponseWire = z.object({ id: z.union([someText, id]) });

/** Why a row cannot be stored, or null when it can. */
export function whatIsWrong(schema: z.ZodType, row: unknown): string | null {
  const result = schema.safeParse(row);
  if (result.success) return null;
  const issue = result.error.issues[0];
  const deeper = issue?.code === "invalid_union" ? issue.errors[0]?.[0] : issue;
  const path = [...(issue?.path ?? []), ...(deeper === issue ? [] : (deeper?.path ?? []))].join(".");
  return `${path ? `${path}: ` : ""}${deeper?.message ?? "is not what Zendesk documents"}`;
}

/** A row's id as text, where it has one by which it could be known again: a 64-bit integer, or any text where ids are texts. */
export function keyOfRow(row: unknown, { areTexts = false } = {}): string | null {
  const id = (row as { id?: unknown } | null)?.id;
  if (typeof id !== "number" && typeof id !== "string") return null;
  const isKey = isBigint(id) || (areTexts && id !== "");
  return isKey ? String(id).slice(0, 200) : null;
}
