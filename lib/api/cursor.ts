import { z } from "zod";
import { isWholeId, type List } from "#lib/api/shapes.ts";
import { AppError } from "#lib/errors.ts";

export type { List };

/*
 * Cursors of our lists: the position of the last row, as base64url of a JSON list. Opaque to callers, and never trusted:
 * what comes back is checked before it reaches a query.
 */

export type CursorPart = string | number | null;

/** What one part of a position may be. `id` is a whole number as text that fits a bigint, `number` one that fits an int. */
const kinds = {
  text: z.string().max(5000),
  id: z.string().refine(isWholeId),
  number: z.int32(),
  "number?": z.number().nullable(),
  "text?": z.string().max(5000).nullable(),
  instant: z.iso.datetime({ precision: 3 }),
} as const;
type Kind = keyof typeof kinds;
type Position<Kinds extends readonly Kind[]> = { -readonly [K in keyof Kinds]: z.output<(typeof kinds)[Kinds[K]]> };

export function cursorOf(position: readonly CursorPart[]): string {
  return Buffer.from(JSON.stringify(position)).toString("base64url");
}

/** The position that `cursor` names; null without one. Throws `invalid` for a cursor that this list never gave. */
export function positionFrom<const Kinds extends readonly Kind[]>(
  cursor: string | undefined,
  expected: Kinds,
): Position<Kinds> | null {
  if (cursor === undefined || cursor === "") return null;
  const parts = decode(cursor);
  if (Array.isArray(parts) && parts.length === expected.length) {
    const checked = expected.map((kind, index) => kinds[kind].safeParse(parts[index]));
    if (checked.every((part) => part.success)) return checked.map((part) => part.data) as Position<Kinds>;
  }
  const message = "is not a cursor of this list: take nextCursor of its former answer, with the same sort and filters";
  throw new AppError("invalid", `cursor ${message}.`, { details: [{ path: "cursor", message }] });
}

/** One page from rows read with `limit` + 1: the row too many tells that there is a next page. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  item: (row: Row) => Item,
  position: (row: Row) => readonly CursorPart[],
): List<Item> {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return { items: shown.map(item), nextCursor: rows.length > limit && last ? cursorOf(position(last)) : null };
}

function decode(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, "base64url").toString("utf8"));
  } catch {
    return null;
  }
}
