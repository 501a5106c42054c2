import { literal, rawBytes, type Wire } from "./wire/json.ts";
import type { Distortion } from "./world/world.ts";

/** Rows that break readers: each a value for `world.distort(kind, id, poison…)`. Fields can be any of the row. */
export const poison = {
  /** U+0000 inside a text. */
  nul: (field = "subject"): Distortion => ({ [field]: "before\u0000after" }),
  /** Half of a surrogate pair, as JSON escapes can write it. */
  loneSurrogate: (field = "subject"): Distortion => ({ [field]: "broken \ud83d emoji" }),
  /** Bytes that are no UTF-8, raw in the body. */
  invalidUtf8: (field = "subject"): Distortion => ({ [field]: `broken ${rawBytes("c328")} bytes` }),
  /** Another type than the documented one. */
  wrongType: (field = "subject", value: unknown = { not: "text" }): Distortion => ({ [field]: value }),
  missing:
    (...fields: string[]): Distortion =>
    (row) =>
      Object.fromEntries(Object.entries(row).filter(([key]) => !fields.includes(key))),
  /** Keys that reach for the prototype. */
  hostileKeys: (): Distortion => (row) => withOwn(row, ["__proto__", "constructor", "k".repeat(65_536)]),
  /** A custom field keyed `__proto__`. */
  hostileField: (owner: "user_fields" | "organization_fields"): Distortion => ({
    [owner]: withOwn({}, ["__proto__", "constructor"]),
  }),
  /** Dates that other systems left behind. */
  oddDate: (field = "updated_at", value: string | null = "2025-09-03 12:56:17.000000000 +0000"): Distortion => ({
    [field]: value,
  }),
  hugeText: (characters = 5_000_000, field = "description"): Distortion => ({ [field]: "x".repeat(characters) }),
  /** An id as text. */
  textId: (id: string, field = "id"): Distortion => ({ [field]: id }),
  /** An id as a bare integer of any length. */
  bareId: (digits: string, field = "id"): Distortion => ({ [field]: literal(digits) }),
  /** JSON nested so deep that a recursive reader falls over. */
  deep: (levels = 10_000, field = "metadata"): Distortion => ({
    [field]: literal("[".repeat(levels) + "]".repeat(levels)),
  }),
} as const;

export const oddDates: readonly (string | null)[] = [
  null,
  "2025-09-03 12:56:17.000000000 +0000",
  "0001-01-01T00:00:00Z",
  "9999-12-31T23:59:59Z",
  "yesterday",
  "",
];

/** Own properties, whatever they are called. */
function withOwn(row: Wire, keys: readonly string[]): Wire {
  const copy = { ...row };
  for (const key of keys) {
    Object.defineProperty(copy, key, { value: { polluted: true }, enumerable: true, configurable: true });
  }
  return copy;
}
