import { expect, test } from "vitest";
import { pathsIn } from "#app/(dashboard)/destinations/[destinationId]/actions/event-paths.ts";
import { readPaths, valueAt } from "#lib/destinations/paths.ts";

const event = {
  type: "track",
  traits: { "first name": "Ada", "it's": 1, "a.b": 2, address: { city: "London" } },
  properties: { items: [{ sku: "x" }], empty: null },
};

test("every path that is offered leads to a value of the event", () => {
  const paths = pathsIn(event);
  expect(paths).toHaveLength(7);
  const values = paths.map((path) => valueAt(event, readPaths(path)));
  expect(values).toEqual(["track", "Ada", 1, 2, "London", [{ sku: "x" }], undefined]);
});

test("what is no event offers nothing", () => {
  expect([pathsIn(undefined), pathsIn("text"), pathsIn({})]).toEqual([[], [], []]);
});
