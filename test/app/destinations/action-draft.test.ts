import { expect, test } from "vitest";
import {
  bodyOf,
  canBeAsked,
  changesOf,
  takenOver,
} from "#app/(dashboard)/destinations/[destinationId]/actions/action-draft.ts";
import { actionDefinitions } from "#lib/destinations/actions.ts";
import { type Action, actionBody, actionKeys } from "#lib/destinations/shapes.ts";

const version = (more: Partial<Action> = {}): Action => ({
  key: "upsert_user",
  enabled: true,
  trigger: { field: "type", operator: "equals", value: "identify" },
  mapping: [
    { to: "email", from: "$.traits.email" },
    { to: "name", from: "$.traits.name" },
  ],
  name: "Create or update user",
  description: "",
  position: 0,
  version: 2,
  changedAt: "2026-11-22T09:00:00Z",
  changedBy: null,
  ...more,
});

test("a version says what it changed against the one before", () => {
  const before = version({ version: 1 });
  const mapping = [
    { to: "email", from: "$.context.traits.email", default: "nobody@example.com" },
    { to: "phone", from: "$.traits.phone" },
  ];
  expect(changesOf(version({ enabled: false, mapping }), before)).toEqual([
    "switched off",
    "removed name: $.traits.name",
    'email: $.traits.email → $.context.traits.email, else "nobody@example.com"',
    "added phone: $.traits.phone",
  ]);
  expect(changesOf(version({ trigger: { any: [] } }), before)).toEqual(["trigger: type is “identify” → no event"]);
  expect(changesOf(version(), before)).toEqual(["another place in the order"]);
  expect(changesOf(before, undefined)).toEqual(["as it was first"]);
});

test("a version that is taken over has its mapping and its place in the order again", () => {
  const [user, track, group] = (["upsert_user", "track_event", "upsert_organization"] as const).map((key) =>
    bodyOf(version({ key })),
  );
  if (!user || !track || !group) throw new Error("there are three");
  const former = version({ key: "upsert_organization", position: 1, enabled: false });
  expect(takenOver([user, track, group], former)).toEqual([user, { ...group, enabled: false }, track]);
  expect(takenOver([user, track, group], { ...former, position: 2 })).toEqual([
    user,
    track,
    { ...group, enabled: false },
  ]);
});

test("sources that were opened and left empty are not sent", () => {
  const body = bodyOf(version({ mapping: [{ to: "email", from: "$.traits.email", template: "", default: "" }] }));
  expect(body.mapping).toEqual([{ to: "email", from: "$.traits.email" }]);
});

test("a rule without field or source waits until it has both", () => {
  expect(canBeAsked([version()])).toBe(true);
  expect(canBeAsked([version({ mapping: [{ to: "", from: "$.userId" }] })])).toBe(false);
  expect(canBeAsked([version({ mapping: [{ to: "email", from: "" }] })])).toBe(false);
});

test("the default actions pass through the editor as they are", () => {
  for (const key of actionKeys) {
    for (const defaults of Object.values(actionDefinitions[key].defaults)) {
      const action = { key, enabled: true, ...defaults };
      expect(bodyOf(action)).toEqual(action);
      expect(actionBody.parse(bodyOf(action))).toEqual(action);
    }
  }
});
