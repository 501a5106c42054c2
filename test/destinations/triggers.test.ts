import { describe, expect, test } from "vitest";
import type { Comparison, Condition } from "#lib/destinations/shapes.ts";
import { conditionProblems, matches } from "#lib/destinations/triggers.ts";

const event = {
  type: "track",
  event: "Order Placed",
  userId: "12",
  properties: {
    total: 99.5,
    count: "20",
    paid: true,
    coupon: null,
    tags: ["gold", "vip"],
    at: "2026-03-01T10:00:00Z",
    "first name": "Ann",
    items: [{ sku: "A1" }, { sku: "B2" }],
  },
  context: { traits: { plan: "pro" } },
};

const asks = (field: string, operator: Comparison["operator"], value?: string | number | boolean) =>
  matches(value === undefined ? { field, operator } : { field, operator, value }, event);

describe("a comparison", () => {
  test.each<[string, Comparison["operator"], string | number | boolean | undefined, boolean]>([
    ["type", "equals", "track", true],
    ["event", "equals", "order placed", false],
    ["event", "not_equals", "Ticket Created", true],
    ["$.properties.total", "equals", "99.5", true],
    ["$.properties.count", "equals", 20, true],
    ["$.properties.paid", "equals", true, true],
    ["$.properties.paid", "equals", "true", true],
    ["$.properties.nothing", "not_equals", "x", true],
    ["$.properties.coupon", "exists", undefined, false],
    ["$.properties.coupon", "not_exists", undefined, true],
    ["$.properties.total", "exists", undefined, true],
    ["$.properties.tags", "contains", "vip", true],
    ["$.properties.tags", "contains", "vi", false],
    ["event", "contains", "Place", true],
    ["$.properties.nothing", "contains", "", false],
    ["$.properties.nothing", "not_contains", "x", true],
    ["event", "starts_with", "Order", true],
    ["$.properties.total", "greater_than", 99, true],
    ["$.properties.count", "greater_than", 9, true],
    ["$.properties.count", "less_than", "100", true],
    ["$.properties.at", "less_than", "2026-03-01T11:30:00+01:00", true],
    ["$.properties.nothing", "less_than", 5, false],
    ["event", "greater_than", 5, false],
    ["$.properties['first name']", "equals", "Ann", true],
    ["$.properties.items[1].sku", "equals", "B2", true],
    ["$.properties.items[*].sku", "contains", "A1", true],
    ["$.properties.plan | $.context.traits.plan", "equals", "pro", true],
    ["$.properties.constructor", "exists", undefined, false],
    ["$.properties.tags.length", "exists", undefined, false],
  ])("%s %s %s is %s", (field, operator, value, expected) => {
    expect(asks(field, operator, value)).toBe(expected);
  });
});

test("comparisons are joined by and, or and not, and nothing to ask is true of all, but of no one", () => {
  const yes: Condition = { field: "type", operator: "equals", value: "track" };
  const no: Condition = { not: yes };
  expect(matches({ all: [yes, { any: [no, yes] }] }, event)).toBe(true);
  expect(matches({ all: [yes, no] }, event)).toBe(false);
  expect(matches({ any: [no, no] }, event)).toBe(false);
  expect([matches({ all: [] }, event), matches({ any: [] }, event)]).toEqual([true, false]);
});

test("what cannot be asked is told with its place", () => {
  const deep = (levels: number): Condition =>
    levels === 0 ? { field: "type", operator: "exists" } : { not: deep(levels - 1) };
  expect(
    conditionProblems(
      {
        all: [
          { field: "traits.plan", operator: "exists" },
          { not: { field: "$.traits.plan", operator: "equals" } },
          { field: "event", operator: "starts_with", value: "" },
          { any: [{ field: "$.traits[", operator: "exists", value: 1 }] },
        ],
      },
      "0.trigger",
    ),
  ).toEqual([
    { path: "0.trigger.all.0.field", message: expect.stringContaining("must begin with $") },
    { path: "0.trigger.all.1.not.value", message: "is needed by equals" },
    { path: "0.trigger.all.2.value", message: "must not be empty: starts_with compares with it" },
    { path: "0.trigger.all.3.any.0.field", message: expect.stringContaining("character 9") },
    { path: "0.trigger.all.3.any.0.value", message: "means nothing to exists" },
  ]);
  expect(conditionProblems(deep(7), "t")).toEqual([]);
  expect(conditionProblems(deep(8), "t")).toEqual([
    { path: "t.not.not.not.not.not.not.not.not", message: "is more than 8 levels deep" },
  ]);
});
