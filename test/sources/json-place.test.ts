import { expect, test } from "vitest";
import { placeOfJsonError } from "#lib/sources/json-place.ts";
import { randomFrom } from "#test/metrics/random.ts";

test.each([
  ['{"a": 1,}', 1, 9, "a name in double quotes"],
  ["{'a': 1}", 1, 2, "a name in double quotes or }"],
  ['{"a" 1}', 1, 6, "a colon"],
  ["[1\n, 2\n  3]", 3, 3, "a comma or ]"],
  ['{"a": "b\n"}', 1, 7, "a value"],
  ['{"a": 01}', 1, 7, "a value"],
  ["[1] x", 1, 5, "the end of the text"],
  ['{"a": [1, {"b": tru', 1, 17, "a value"],
  ["", 1, 1, "a value"],
])("%j stops being JSON at line %i, column %i, where %s was expected", (text, line, column, expected) => {
  expect(placeOfJsonError(text)).toEqual({ line, column, expected });
});

test("a place is found in exactly those texts that are no JSON, however they are broken", () => {
  const random = randomFrom(7);
  const whole = JSON.stringify(
    { a: [1, -2.5e3, true, null, 'é\n"\\u0000'], b: { c: {}, d: [] }, "": " \ud83d\ude80" },
    null,
    1,
  );
  const characters = ['"', "\\", "{", "}", "[", "]", ",", ":", "0", "1", "-", ".", "e", "t", "\n", "\u0001", "u", " "];
  let broken = 0;
  for (let n = 0; n < 5000; n++) {
    let text = whole;
    for (let changes = random.int(0, 2); changes >= 0; changes--) {
      const at = random.int(0, text.length);
      text =
        text.slice(0, at) + (random.chance(0.6) ? random.pick(characters) : "") + text.slice(at + random.int(0, 2));
    }
    expect([text, placeOfJsonError(text) === null]).toEqual([text, isJson(text)]);
    if (!isJson(text)) broken++;
  }
  expect(broken).toBeGreaterThan(1000);
  expect(broken).toBeLessThan(4990);
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}
