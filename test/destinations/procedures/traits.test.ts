import { describe, expect, test } from "vitest";
import { changesOf } from "#lib/destinations/procedures/changes.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import type { World } from "#test/support/zendesk/world/world.ts";
import { destination } from "./ground.ts";

const ann = { email: "ann@acme.example", name: "Ann Lee", external_id: "u-1" };

function defineUserFields(world: World) {
  const options = (...values: string[]) =>
    values.map((value, id) => ({ id: String(id + 1), name: value.toUpperCase(), value }));
  for (const [key, type, values] of [
    ["plan", "dropdown", ["free", "pro"]],
    ["interests", "multiselect", ["a", "b"]],
    ["seats", "integer", []],
    ["score", "decimal", []],
    ["trial_ends", "date", []],
    ["is_owner", "checkbox", []],
    ["homePage", "text", []],
    ["zip", "regexp", []],
  ] as const) {
    world.definitions.createField("user", { key, type, title: key, options: options(...values) });
  }
}

const fieldsOf = (world: World) =>
  Object.fromEntries([...world.users.byId.values()].find(({ email }) => email === ann.email)?.fields ?? []);

describe("known fields", () => {
  test("traits find fields as they are, in snake_case and in camelCase, and the other name is told (C-37, C-39)", async () => {
    const { world, run } = await destination();
    defineUserFields(world);
    const verdict = await run("upsert_user", ann, {
      unmapped: { seats: 5, trialEnds: "2026-04-01T10:00:00Z", "is owner": true, home_page: "x" },
    });
    expect(fieldsOf(world)).toMatchObject({ seats: 5, is_owner: true, homePage: "x" });
    expect(String(fieldsOf(world).trial_ends)).toMatch(/^2026-04-01/);
    expect(verdict).toMatchObject({
      state: "done",
      notes: [
        expect.stringContaining("trialEnds is written to the user field trial_ends"),
        expect.stringContaining("is owner is written to the user field is_owner"),
        expect.stringContaining("home_page is written to the user field homePage"),
      ],
    });
  });

  test("values are turned into what the field takes; options go by value or name (C-37, R-12)", async () => {
    const { world, run } = await destination();
    defineUserFields(world);
    const unmapped = {
      plan: "Pro",
      interests: "a, B",
      seats: "7",
      score: "1.5",
      is_owner: "yes",
      zip: 10115,
      trial_ends: 1_772_000_000,
    };
    expect(await run("upsert_user", ann, { unmapped })).not.toHaveProperty("notes");
    expect(fieldsOf(world)).toMatchObject({
      plan: "pro",
      interests: ["a", "b"],
      seats: 7,
      score: 1.5,
      is_owner: true,
      zip: "10115",
    });
    expect(String(fieldsOf(world).trial_ends)).toMatch(/^2026-02-25/);
  });

  test("a value that the field does not take is left out with its reason, and the rest is written (X-13)", async () => {
    const { world, run } = await destination();
    defineUserFields(world);
    const unmapped = {
      plan: "platinum",
      interests: ["a", "z"],
      seats: "many",
      score: 2,
      trial_ends: "2026-02-30",
      is_owner: "perhaps",
    };
    const verdict = await run("upsert_user", ann, { unmapped });
    expect(fieldsOf(world)).toEqual({ interests: ["a"], score: 2 });
    const { notes = [] } = verdict as { notes?: string[] };
    expect(notes.map((note) => note.replace(/ .*/, "")).sort()).toEqual([
      "Of",
      "is_owner",
      "plan",
      "seats",
      "trial_ends",
    ]);
  });

  test("values that Zendesk keeps in another form are no differences (R-27)", async () => {
    const { world, run, effects } = await destination();
    defineUserFields(world);
    const unmapped = { seats: "7", trial_ends: "2026-04-01", is_owner: false, interests: "b,a", plan: "PRO" };
    await run("upsert_user", ann, { unmapped });
    const written = effects().length;
    await run("upsert_user", ann, { unmapped });
    expect(effects()).toHaveLength(written);
  });

  test("objects are named, never dropped without a word (RudderStack's code drops them)", async () => {
    const { run } = await destination({ settings: { unknownUserTraits: "create" } });
    const verdict = await run("upsert_user", ann, { unmapped: { address: { city: "Berlin" }, list: [{ a: 1 }] } });
    expect(verdict).toMatchObject({ notes: [expect.stringContaining("address"), expect.stringContaining("list")] });
  });
});

describe("traits without a field", () => {
  const unmapped = { favouriteColour: "red", logins: 3, joined: "2026-01-02", isBeta: true, ratio: 0.5 };

  test("discard: the user is written without them, and they are named (C-18, X-2)", async () => {
    const { run, effects } = await destination({ settings: { unknownUserTraits: "discard" } });
    const verdict = await run("upsert_user", ann, { unmapped });
    expect(verdict).toMatchObject({
      state: "done",
      notes: [expect.stringContaining("favouriteColour, logins, joined, isBeta, ratio")],
    });
    expect(effects()).toEqual(["user.created"]);
  });

  test("create: each gets a field of the type that its value has, and a value (R-12, R-24, C-38, X-3)", async () => {
    const { world, run, valuesOf } = await destination({ settings: { unknownUserTraits: "create" } });
    const verdict = await run("upsert_user", ann, { unmapped });
    expect(valuesOf("user_field.created").map(({ key, type }) => [key, type])).toEqual([
      ["favourite_colour", "text"],
      ["logins", "integer"],
      ["joined", "date"],
      ["is_beta", "checkbox"],
      ["ratio", "decimal"],
    ]);
    expect(fieldsOf(world)).toMatchObject({ favourite_colour: "red", logins: 3, is_beta: true, ratio: 0.5 });
    expect((verdict as { notes: string[] }).notes.filter((note) => note.startsWith("Created"))).toHaveLength(5);
    const [again] = [await run("upsert_user", ann, { unmapped })];
    expect(again).toMatchObject({ state: "done" });
    expect(valuesOf("user_field.created")).toHaveLength(5);
  });

  test("ask: held with their names, and after a person's word created and written (X-2, C-38)", async () => {
    const { world, begin, effects } = await destination({ settings: { unknownUserTraits: "ask" } });
    const delivery = begin("upsert_user", ann, { unmapped });
    expect(await delivery.again()).toMatchObject({
      state: "held",
      code: "unknown_traits",
      reason: expect.stringContaining("favouriteColour"),
    });
    expect(effects()).toEqual([]);
    expect(await delivery.again({ approvedFor: ["unknown_traits"] })).toMatchObject({ state: "done" });
    expect(fieldsOf(world)).toMatchObject({ logins: 3 });
  });

  test("more than twenty at once are held by name under any setting; approved, all are created, and the definitions read once more (X-2, X-3)", async () => {
    const { world, zendesk, begin, effects, valuesOf } = await destination({
      settings: { unknownUserTraits: "create" },
    });
    const many = Object.fromEntries(Array.from({ length: 21 }, (_, n) => [`trait_${n}`, n]));
    const delivery = begin("upsert_user", ann, { unmapped: many });
    expect(await delivery.again()).toMatchObject({
      state: "held",
      code: "unknown_traits",
      reason: expect.stringMatching(/trait_0, .*trait_20\. At most 20 fields/),
    });
    expect(effects()).toEqual([]);
    const reads = () => zendesk.journal.to("/api/v2/user_fields").filter(({ method }) => method === "GET").length;
    const before = reads();
    expect(await delivery.again({ approvedFor: ["unknown_traits"] })).toMatchObject({ state: "done" });
    expect(reads() - before).toBe(1);
    expect(valuesOf("user_field.created")).toHaveLength(21);
    expect(fieldsOf(world)).toMatchObject({ trait_0: 0, trait_20: 20 });
  });

  test("two that come down to one key get one field", async () => {
    const { world, run, valuesOf } = await destination({ settings: { unknownUserTraits: "create" } });
    expect(await run("upsert_user", ann, { unmapped: { teamName: "A", team_name: "B" } })).toMatchObject({
      state: "done",
      notes: expect.arrayContaining(["teamName was left out: for the user field team_name, team_name counts."]),
    });
    expect(valuesOf("user_field.created").map(({ key }) => key)).toEqual(["team_name"]);
    expect(fieldsOf(world)).toEqual({ team_name: "B" });
  });

  test("one whose field is refused takes no other's, though that has nearly its name", async () => {
    const { world, run } = await destination({ settings: { unknownUserTraits: "create" } });
    const gone = world.definitions.createField("user", { key: "team_name", type: "text", title: "Team" });
    world.definitions.deleteField("user", gone.id);
    const verdict = await run("upsert_user", ann, { unmapped: { teamname: "A", team_name: "B" } });
    expect(fieldsOf(world)).toEqual({ teamname: "A" });
    expect(verdict).toMatchObject({
      notes: expect.arrayContaining(["team_name was left out: the user field teamname is filled already."]),
    });
  });

  test("names in letters that a key cannot hold get a field each, found again later (X-3)", async () => {
    const { world, run, valuesOf } = await destination({ settings: { unknownUserTraits: "create" } });
    const unmapped = { 会社: "Acme", 部署: "Sales", 電話: "0123" };
    expect(await run("upsert_user", ann, { unmapped })).toMatchObject({ state: "done" });
    expect(valuesOf("user_field.created").map(({ title }) => title)).toEqual(["会社", "部署", "電話"]);
    expect(Object.values(fieldsOf(world))).toEqual(["Acme", "Sales", "0123"]);
    expect(await run("upsert_user", ann, { unmapped: { 部署: "Support" } })).toMatchObject({ state: "done" });
    expect(Object.values(fieldsOf(world))).toEqual(["Acme", "Support", "0123"]);
    expect(valuesOf("user_field.created")).toHaveLength(3);
  });

  test("one named as what every object has is a trait like any other, also by its value in Zendesk", async () => {
    const { world, run, valuesOf } = await destination({ settings: { unknownUserTraits: "create" } });
    const unmapped = JSON.parse('{"__proto__": "p", "constructor": "c", "toString": "t"}') as Record<string, unknown>;
    expect(await run("upsert_user", ann, { unmapped })).toMatchObject({ state: "done" });
    expect(valuesOf("user_field.created").map(({ key }) => key)).toEqual(["proto", "constructor", "to_string"]);
    expect(fieldsOf(world)).toEqual({ proto: "p", constructor: "c", to_string: "t" });
    const wanted = [{ field: "user_fields.constructor", value: "c", type: "text" }];
    expect(changesOf({ user_fields: {} }, wanted)).toMatchObject([{ from: null }]);
  });

  test("nothing is made for a user or an organization that cannot be written (C-13, C-38)", async () => {
    const { world, run, effects } = await destination({
      profile: "rudderstack",
      settings: { acceptGroupWithoutUser: true },
    });
    expect(await run("upsert_user", { external_id: "u-1" }, { unmapped })).toMatchObject({ state: "failed" });
    expect(await run("upsert_organization", { external_id: "g-1" }, { unmapped })).toMatchObject({ state: "failed" });
    world.users.create({ name: "Agent", email: ann.email, role: "agent" });
    expect(await run("upsert_user", ann, { unmapped })).toMatchObject({ code: "user_is_agent" });
    expect(effects()).toEqual([]);
  });

  test("a field that somebody made a moment ago is used, not made again (row 102)", async () => {
    const { world, run, valuesOf } = await destination({ settings: { unknownUserTraits: "create" } });
    await run("upsert_user", ann, { unmapped: { first: "x" } });
    world.definitions.createField("user", { key: "second", type: "text", title: "Second" });
    expect(await run("upsert_user", ann, { unmapped: { second: "y" } })).toMatchObject({ state: "done" });
    expect(fieldsOf(world)).toMatchObject({ first: "x", second: "y" });
    expect(valuesOf("user_field.created")).toHaveLength(1);
  });

  test("a key that Zendesk gives to nobody any more is told, and the rest is written (R-12; RudderStack's code only logs it)", async () => {
    const { world, run } = await destination({ settings: { unknownUserTraits: "create" } });
    const field = world.definitions.createField("user", { key: "gone", type: "text", title: "Gone" });
    world.definitions.deleteField("user", field.id);
    expect(await run("upsert_user", ann, { unmapped: { gone: "x", kept: "y" } })).toMatchObject({
      state: "done",
      notes: expect.arrayContaining([expect.stringContaining("cannot be used again")]),
    });
    expect(fieldsOf(world)).toEqual({ kept: "y" });
  });

  test("a lost answer to the creation of a field creates no second one (row 96)", async () => {
    const { zendesk, begin, valuesOf } = await destination({ settings: { unknownUserTraits: "create" } });
    zendesk.faults.add({ method: "POST", path: "/api/v2/user_fields" }, fault.reset("headers"), { times: 1 });
    const delivery = begin("upsert_user", ann, { unmapped });
    await expect(delivery.again()).rejects.toMatchObject({ code: "outcome_unknown" });
    expect(await delivery.again()).toMatchObject({ state: "done" });
    expect(new Set(valuesOf("user_field.created").map(({ key }) => key)).size).toBe(
      valuesOf("user_field.created").length,
    );
    expect(valuesOf("user_field.created")).toHaveLength(5);
  });
});
