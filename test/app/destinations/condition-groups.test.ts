import { expect, test } from "vitest";
import {
  conditionOf,
  conditionWords,
  groupOf,
  isComplete,
  type Joining,
  placesOf,
} from "#app/(dashboard)/destinations/[destinationId]/actions/condition-groups.ts";
import { actionDefinitions } from "#lib/destinations/actions.ts";
import type { Condition } from "#lib/destinations/shapes.ts";
import { conditionProblems, matches } from "#lib/destinations/triggers.ts";

const isTrack: Condition = { field: "type", operator: "equals", value: "track" };
const isGroup: Condition = { field: "type", operator: "equals", value: "group" };
const hasPlan: Condition = { field: "$.traits.plan", operator: "exists" };

const events = [
  { type: "track" },
  { type: "group" },
  { type: "track", traits: { plan: "Pro" } },
  { type: "group", traits: { plan: "Pro" } },
  { type: "page" },
];

test.for<[string, Condition]>([
  ["a comparison alone", isTrack],
  ["all", { all: [isTrack, hasPlan] }],
  ["any", { any: [isTrack, hasPlan] }],
  ["not a comparison", { not: isTrack }],
  ["not all", { not: { all: [isTrack, hasPlan] } }],
  ["not any", { not: { any: [isTrack, hasPlan] } }],
  ["not not", { not: { not: isTrack } }],
  ["groups in groups", { all: [{ any: [isTrack, isGroup] }, { not: { all: [isGroup, hasPlan] } }] }],
  ["nothing", { all: [] }],
])("what the editor makes of %s is for the same events", ([, condition]) => {
  const edited = conditionOf(groupOf(condition));
  expect(events.map((event) => matches(edited, event))).toEqual(events.map((event) => matches(condition, event)));
});

test.for<Joining>(["all", "any", "none", "not_all"])(
  "a group joined by %s is read back as it was chosen",
  (joining) => {
    const group = { joining, parts: [isTrack, hasPlan] };
    expect(groupOf(conditionOf(group))).toEqual(group);
  },
);

test("a condition reads as a sentence", () => {
  expect(conditionWords({ all: [isTrack, { any: [hasPlan, { not: isGroup }] }] })).toBe(
    "type is “track” and ($.traits.plan is there or (neither type is “group”))",
  );
  expect(conditionWords({ all: [] })).toBe("every event");
  expect(conditionWords({ any: [] })).toBe("no event");
});

test("every default trigger can be edited and said", () => {
  for (const { defaults } of Object.values(actionDefinitions)) {
    for (const { trigger } of Object.values(defaults)) {
      expect(conditionOf(groupOf(trigger))).toEqual(trigger);
      expect(isComplete(trigger)).toBe(true);
    }
  }
});

test("a comparison with nothing is not complete where its operator compares", () => {
  const empty = (operator: "equals" | "starts_with" | "exists", value?: string): Condition => ({
    field: "event",
    operator,
    value,
  });
  expect([empty("equals", ""), empty("starts_with", ""), empty("equals")].map(isComplete)).toEqual([
    false,
    false,
    false,
  ]);
  expect([empty("equals", "Read"), empty("exists")].map(isComplete)).toEqual([true, true]);
});

test("the parts of a group are found at the places that the API names", () => {
  const bad: Condition = { field: "plan", operator: "exists" };
  const placed: Condition[] = [
    bad,
    { all: [isTrack, bad] },
    { any: [bad] },
    { not: bad },
    { not: { any: [isTrack, bad] } },
  ];
  for (const condition of placed) {
    const places = conditionProblems(condition, "t").map(({ path }) => path);
    const parts = placesOf(condition).map((place) => ["t", place, "field"].filter(Boolean).join("."));
    expect(parts.filter((_, at) => groupOf(condition).parts[at] === bad)).toEqual(places);
  }
});

test("a condition without its field is not complete, however deep it stands", () => {
  expect(isComplete({ all: [isTrack, { not: { any: [{ field: " ", operator: "exists" }] } }] })).toBe(false);
});
