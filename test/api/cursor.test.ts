import { expect, test } from "vitest";
import { cursorOf, positionFrom } from "#lib/api/cursor.ts";
import { isWholeId, listQuery } from "#lib/api/shapes.ts";

const kinds = ["instant", "id", "text", "number"] as const;
const position = ["2026-01-01T00:00:00.000Z", "1", "kind", 1] as const;
const replaced = (index: number, part: string | number) =>
  cursorOf(position.map((old, at) => (at === index ? part : old)));

test("a position comes back as it went, for the largest ids and the longest names too", () => {
  const largest = ["2026-01-01T00:00:00.000Z", "9223372036854775807", "ä".repeat(1250), 2_147_483_647];
  const { cursor } = listQuery.parse({ cursor: cursorOf(largest) });
  expect(positionFrom(cursor, kinds)).toEqual(largest);
});

test.each([
  ["an id beyond bigint", replaced(1, "9223372036854775808")],
  ["a fraction where a whole number was", replaced(3, 1.5)],
  ["a number beyond int", replaced(3, 1e300)],
  ["a part too few", cursorOf(position.slice(1))],
  ["no list", Buffer.from("7").toString("base64url")],
  ["no JSON", "zzz"],
])("a cursor that holds %s is refused, naming the place", (_, cursor) => {
  expect(() => positionFrom(cursor, kinds)).toThrow(
    expect.objectContaining({ code: "invalid", details: [{ path: "cursor", message: expect.any(String) }] }),
  );
});

test("a whole id is what a bigint holds and nothing else", () => {
  const whole = ["0", "-1", "9223372036854775807", "-9223372036854775808"];
  expect(whole.filter((text) => !isWholeId(text))).toEqual([]);
  const other = ["", "1.5", "1e3", " 1", "0x1", "٣", "9223372036854775808", "-9223372036854775809"];
  expect(other.filter(isWholeId)).toEqual([]);
});
