import { expect, test } from "vitest";
import { convert } from "#lib/destinations/procedures/field-values.ts";

const options = ["a", "b"].map((value) => ({ name: value.toUpperCase(), value }));
/** Far more than an event holds: what takes time by the square of its length would not come to its end here. */
const long = 400_000;

test.each([
  ["decimal", `${"1".repeat(long)}x`],
  ["decimal", `${"1".repeat(long)}.x`],
  ["integer", `${"1".repeat(long)}x`],
  ["date", `2026-03-02T10:00:00.${"1".repeat(long)}x`],
  ["date", `2026-03-02T10:00${" ".repeat(long)}x`],
  ["checkbox", " ".repeat(long)],
  ["dropdown", `a${" ".repeat(long)}x`],
  ["multiselect", `x${" ".repeat(long)}x`],
])("a %s is refused as quickly as it is long", (type, value) => {
  expect(convert({ type, options }, value)).toEqual({ refused: expect.any(String) });
});

test.each([
  ["1.5", 1.5],
  ["-.5", -0.5],
  ["5.", 5],
  ["1e3", 1000],
  ["1.", 1],
  [" 7 ", 7],
  [0.25, 0.25],
])("%j is the decimal %d", (given, number) => {
  expect(convert({ type: "decimal", options }, given)).toEqual({ value: number });
});

test.each([".", "-", "e3", "1.2.3", "Infinity", "0x10", "1,5", true])("%j is no decimal", (given) => {
  expect(convert({ type: "decimal", options }, given)).toEqual({ refused: "is no number" });
});

test("options are told apart by commas and semicolons, with blanks around them, each once", () => {
  expect(convert({ type: "multiselect", options }, " a ;B,,  a ,z")).toEqual({ value: ["a", "b"], leftOut: "z" });
  expect(convert({ type: "multiselect", options }, ["B", "b"])).toEqual({ value: ["b"] });
});
