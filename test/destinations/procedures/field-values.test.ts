import { expect, test } from "vitest";
import { convert, fieldNamed, fillersOf, snakeCase, titleOf } from "#lib/destinations/procedures/field-values.ts";

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

test("names in other letters keep them, or are told apart; none finds the field of another", () => {
  expect(["ünï", "Größe", "café au lait", "ｐｌａｎ", "planName", "plan-name", "12"].map(snakeCase)).toEqual([
    ...["uni", "grosse", "cafe_au_lait", "plan", "plan_name", "plan_name", "field_12"],
  ]);
  const lost = ["会社", "部署", "電話", "会社 plan", "plan 部署", "", "💛", "x".repeat(101), `${"x".repeat(101)}y`];
  const keys = lost.map(snakeCase);
  expect(new Set(keys).size).toBe(lost.length);
  for (const key of keys) expect(key).toMatch(/^[a-z][a-z0-9_]{5,99}$/);
  // A rule names the key: the trait and its rule go to one field.
  expect(keys.map(snakeCase)).toEqual(keys);
  const definitions = ["field_", "field", "plan", "n"].map((key) => ({ key }));
  for (const name of [...lost, "ünï"]) expect(fieldNamed(definitions, name)).toBeUndefined();
  expect(fieldNamed([{ key: snakeCase("会社") }], "会社")).toBeDefined();
  expect([titleOf("会社"), titleOf("plan_name"), titleOf("ünï plan")]).toEqual(["会社", "Plan name", "Ünï plan"]);
});

test("of several traits of one field, a rule's fills it, else the one that is called as the field is, else the first", () => {
  const definitions = [{ key: "homePage" }];
  const fillers = (...groups: string[][]) => Object.fromEntries(fillersOf(definitions, ...groups));
  expect(fillers(["planName", "plan_name"])).toEqual({ plan_name: "plan_name" });
  expect(fillers(["home_page", "homePage"])).toEqual({ homePage: "homePage" });
  expect(fillers(["plan name", "planName"])).toEqual({ plan_name: "plan name" });
  expect(fillers(["planName"], ["plan_name", "other"])).toEqual({ plan_name: "planName", other: "other" });
});
