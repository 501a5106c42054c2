import { z } from "zod";

/** Conventions of the HTTP API that every resource shares (api.md, Conventions). Pure: the browser takes types from here. */

/** ISO-8601 UTC instant. */
export const instant = z.iso.datetime({ offset: true });
/** Calendar day in the workspace's zone. */
export const day = z.iso.date();
const largestId = 2n ** 63n;

/** Whether the text is a whole number that the database's ids can be: ours and Zendesk's go to 2^63 − 1. */
export function isWholeId(text: string): boolean {
  return /^-?\d{1,19}$/.test(text) && BigInt(text) < largestId && BigInt(text) >= -largestId;
}

const largestOwn = 2_147_483_647;

/** A number of ours (a connection, source or destination) from a path, query or body; null for what is the name of nothing. */
export function ownNumber(id: string): number | null {
  const number = /^\d{1,10}$/.test(id) ? Number(id) : 0;
  return number >= 1 && number <= largestOwn ? number : null;
}

/** A Zendesk id: text, since it may pass 2^53. */
export const zendeskId = z.string().refine(isWholeId, "must be a Zendesk id: digits only");
/** One of our own ids: opaque text. */
export const id = z.string().min(1).max(64);

export const listQuery = z.object({
  limit: z.coerce.number().int("must be a whole number").min(1).max(500).default(50),
  // The longest name by which a list can be sorted has 2,500 bytes, and a cursor holds it as JSON in base64.
  cursor: z.string().max(12_000).optional(),
});

/** Every list has this form; `nextCursor` is null at the end. */
export const listOf = <T extends z.ZodType>(item: T) =>
  z.object({ items: z.array(item), nextCursor: z.string().nullable() });
export type List<T> = { items: T[]; nextCursor: string | null };

export const errorAnswer = z.object({
  error: z.object({
    code: z.enum([
      "unauthenticated",
      "forbidden",
      "not_found",
      "invalid",
      "conflict",
      "too_large",
      "rate_limited",
      "upstream",
      "unavailable",
    ]),
    message: z.string(),
    details: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  }),
});

/** A comma-separated query value as a list. */
export const commaList = <T extends string>(values: readonly [T, ...T[]]) =>
  z
    .string()
    .transform((text) =>
      text
        .split(",")
        .map((part) => part.trim())
        .filter(Boolean),
    )
    .pipe(z.array(z.enum(values)));
