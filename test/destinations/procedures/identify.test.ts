import { describe, expect, test } from "vitest";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { destination } from "./ground.ts";

const ann = { email: "ann@acme.example", name: "Ann Lee", external_id: "u-1" };
const users = "/api/v2/users";

describe("who is meant", () => {
  test("an unknown user is created, unverified and without a mail (C-12, C-17, C-24, C-25, X-4, row 101)", async () => {
    const { world, run, valuesOf, effects } = await destination();
    const verdict = await run("upsert_user", { ...ann, phone: "+49 30 1", time_zone: "Europe/Berlin" });
    const [created] = [...world.users.byId.values()].filter(({ email }) => email === ann.email);
    expect(verdict).toEqual({ state: "done", result: { kind: "user", id: created?.id } });
    expect(valuesOf("user.created")).toMatchObject([
      {
        name: "Ann Lee",
        email: ann.email,
        external_id: "u-1",
        phone: "+49 30 1",
        time_zone: "Berlin",
        verified: false,
      },
    ]);
    expect(effects()).toEqual(["user.created"]);
  });

  test("a name may come in its parts, and the verified flag and the mail are as set (C-14, C-26, C-27, R-7, R-14)", async () => {
    const { run, valuesOf, effects } = await destination({ settings: { createVerified: true } });
    await run("upsert_user", { email: ann.email, first_name: "Ann", last_name: "Lee" });
    expect(valuesOf("user.created")).toMatchObject([{ name: "Ann Lee", verified: true }]);
    await run(
      "upsert_user",
      { email: "bo@acme.example", name: "Bo" },
      { settings: { createVerified: false, skipVerifyEmail: false } },
    );
    expect(effects()).toEqual(["user.created", "user.created", "verification_mail.sent"]);
  });

  test.each([
    ["an e-mail", { external_id: "u-1", name: "Ann" }, "missing_email"],
    ["a name", { email: ann.email }, "missing_name"],
  ])("without %s nobody is created, and the reason says what to send (C-13, C-14)", async (_what, fields, code) => {
    const { run, effects } = await destination();
    expect(await run("upsert_user", fields)).toMatchObject({
      state: "failed",
      code,
      fix: expect.stringContaining("traits."),
    });
    expect(effects()).toEqual([]);
  });

  test("a Zendesk id comes before all, and is checked (C-29, X-4)", async () => {
    const { world, run, valuesOf } = await destination();
    const user = world.users.create({ name: "Old", email: "old@acme.example" });
    world.users.create({ name: "Other", email: ann.email });
    expect(await run("upsert_user", { id: user.id, name: "New" })).toMatchObject({
      state: "done",
      result: { id: user.id },
    });
    expect(valuesOf("user.updated")).toEqual([{ name: "New" }]);
    expect(await run("upsert_user", { id: "999", name: "New" })).toMatchObject({
      state: "failed",
      code: "user_not_found",
    });
    world.users.delete(user.id);
    expect(await run("upsert_user", { id: user.id, name: "X" })).toMatchObject({
      state: "failed",
      code: "user_not_found",
    });
  });

  test("external id and e-mail are compared exactly but for the case; the search's first hit is not taken (C-15, C-30, row 101)", async () => {
    const { world, run, valuesOf } = await destination();
    world.users.create({ name: "Joanna", email: "joann@acme.example.org" });
    world.users.create({ name: "Not her", email: "ann@acme.example.org" });
    const user = world.users.create({ name: "Ann", email: "Ann@Acme.Example", externalId: "U-1" });
    await run("upsert_user", { email: "ann@ACME.example", phone: "1" });
    await run("upsert_user", { external_id: "u-1", phone: "2" });
    expect(valuesOf("user.updated")).toEqual([{ phone: "1" }, { phone: "2" }]);
    expect(user.phone).toBe("2");
  });

  test("a further e-mail of a user names them too, and their first one stays (C-16, row 101)", async () => {
    const { world, run, valuesOf, effects } = await destination();
    const user = world.users.create({ name: "Ann", email: ann.email });
    world.users.addEmail(user.id, "ann.private@mail.example", { verified: true, searchableFrom: 0 });
    const verdict = await run("upsert_user", { email: "ann.private@mail.example", name: "Ann", external_id: "u-1" });
    expect(verdict).toMatchObject({ state: "done", notes: [expect.stringContaining("stays ann@acme.example")] });
    expect(valuesOf("user.updated")).toEqual([{ external_id: "u-1" }]);
    expect(effects()).toEqual(["user.updated"]);
  });

  test("a further e-mail that nobody has verified names its user only on a person's word (row 101)", async () => {
    const { world, begin, effects } = await destination();
    const user = world.users.create({ name: "Mallory", email: "mallory@else.example" });
    world.users.addEmail(user.id, ann.email, { verified: false, searchableFrom: 0 });
    const delivery = begin("upsert_user", { email: ann.email, name: "Ann" });
    expect(await delivery.again()).toMatchObject({ state: "held", code: "unverified_email" });
    expect(effects()).toEqual([]);
    expect(await delivery.again({ approvedFor: ["unknown_traits"] })).toMatchObject({ state: "held" });
    expect(await delivery.again({ approvedFor: ["unverified_email"] })).toMatchObject({ state: "done" });
  });

  test("an e-mail that differs is neither added nor made the first one (C-15, RudderStack's later setting)", async () => {
    const { world, run, effects } = await destination();
    world.users.create({ name: "Ann Lee", email: "old@acme.example", externalId: "u-1" });
    const verdict = await run("upsert_user", ann);
    expect(verdict).toMatchObject({ state: "done", notes: [expect.stringContaining("stays old@acme.example")] });
    expect(effects()).toEqual([]);
  });

  test("an external id and an e-mail of two users are held, naming both (row 101, C-15)", async () => {
    const { world, run, effects } = await destination();
    const first = world.users.create({ name: "First", email: "first@acme.example", externalId: "u-1" });
    const second = world.users.create({ name: "Second", email: ann.email });
    const verdict = await run("upsert_user", ann);
    expect(verdict).toMatchObject({ state: "held", code: "ambiguous_user" });
    expect((verdict as { reason: string }).reason).toMatch(new RegExp(`${first.id}.*${second.id}`));
    expect(effects()).toEqual([]);
  });

  test("an e-mail whose user has another external id is held until somebody says that they are one (row 102)", async () => {
    const { world, begin, valuesOf, effects } = await destination();
    world.users.create({ name: "Ann Lee", email: ann.email, externalId: "u-0" });
    const delivery = begin("upsert_user", ann);
    expect(await delivery.again()).toMatchObject({
      state: "held",
      code: "external_id_differs",
      reason: expect.stringContaining("u-0"),
    });
    expect(effects()).toEqual([]);
    expect(await delivery.again({ approvedFor: ["external_id_differs"] })).toMatchObject({ state: "done" });
    expect(valuesOf("user.updated")).toEqual([{ external_id: "u-1" }]);
  });

  test("a user named by the Zendesk id is the one, and keeps another external id, which is noted (C-29, row 102)", async () => {
    const { world, run, valuesOf } = await destination();
    const user = world.users.create({ name: "Ann Lee", email: "old@acme.example", externalId: "u-0" });
    const other = await run("upsert_user", { id: user.id, name: "Bob", external_id: "u-1" });
    expect(other).toMatchObject({ state: "done", notes: [expect.stringMatching(/^The external id stays u-0: .*u-1/)] });
    expect(valuesOf("user.updated")).toEqual([{ name: "Bob" }]);
    expect(await run("upsert_user", { id: user.id, name: "Ann", external_id: "U-0" })).not.toHaveProperty("notes");
  });

  test("agents and administrators are left alone (row 101)", async () => {
    const { world, run, effects } = await destination();
    world.users.create({ name: "Agent", email: ann.email, role: "agent" });
    expect(await run("upsert_user", { ...ann, name: "Customer" })).toMatchObject({
      state: "failed",
      code: "user_is_agent",
    });
    expect(effects()).toEqual([]);
  });

  test("where the search is late, the user that Zendesk knows is waited for, not doubled (row 101)", async () => {
    const { world, begin, effects } = await destination({ world: { searchLag: 60_000 } });
    await begin("upsert_user", { email: ann.email, name: "Ann" }).again();
    const second = begin("upsert_user", { email: ann.email, name: "Ann", phone: "1" });
    expect(await second.again()).toMatchObject({
      state: "waits",
      code: "user_not_searchable",
      until: new Date(world.now() + 30_000),
    });
    world.advance(61_000);
    expect(await second.again()).toMatchObject({ state: "done" });
    expect(effects()).toEqual(["user.created", "user.updated"]);
  });

  test("an e-mail that Zendesk never shows is a person's at last (row 101)", async () => {
    const { zendesk, begin } = await destination();
    const taken = {
      error: "RecordInvalid",
      details: { email: [{ description: "is already being used by another user", error: "DuplicateValue" }] },
    };
    zendesk.faults.add({ method: "POST", path: users }, fault.status(422, taken));
    const delivery = begin("upsert_user", ann);
    for (let look = 0; look < 20; look++) expect(await delivery.again()).toMatchObject({ state: "waits" });
    expect(await delivery.again()).toMatchObject({
      state: "held",
      code: "user_taken",
      reason: expect.stringContaining(ann.email),
    });
  });
});

describe("what is written", () => {
  test("only differences; the same identify again writes nothing (R-27, X-5)", async () => {
    const { world, zendesk, run, valuesOf, effects } = await destination();
    world.users.create({ name: "Ann", email: ann.email, externalId: "u-1", phone: "1" });
    const fields = { ...ann, phone: "2", time_zone: "America/New_York", tags: ["Big Fish"] };
    await run("upsert_user", fields);
    expect(valuesOf("user.updated")[0]).toEqual({
      name: "Ann Lee",
      phone: "2",
      time_zone: "Eastern Time (US & Canada)",
      iana_time_zone: expect.any(String),
    });
    const written = effects().length;
    expect(await run("upsert_user", fields)).toMatchObject({ state: "done" });
    expect(effects()).toHaveLength(written);
    expect(zendesk.journal.entries.some(({ body }) => /organization_id|"role"/.test(String(body)))).toBe(false);
  });

  test.each(["an account with", "an account without"])(
    "tags are added to those there are, in %s tags of their own address (row 98)",
    async (which) => {
      const { world, zendesk, run } = await destination();
      const user = world.users.create({ name: "Ann Lee", email: ann.email, externalId: "u-1", tags: ["vip"] });
      world.settings.tagsOfPeople = which === "an account with";
      const meanwhile = fault.inTheMoment("an agent", () => world.users.update(user.id, { tags: ["vip", "agent's"] }));
      if (world.settings.tagsOfPeople) zendesk.faults.add({ path: /\/tags$/ }, meanwhile);
      expect(await run("upsert_user", { ...ann, tags: ["Big Fish", "vip"] })).toMatchObject({ state: "done" });
      expect([...user.tags].sort()).toEqual(
        which === "an account without" ? ["big_fish", "vip"] : ["agent's", "big_fish", "vip"],
      );
    },
  );

  test.each([["America/Springfield"], ["nowhere"], ["Australia/Eucla"]])(
    "the time zone %s is left out with a note, and the rest is kept (X-13)",
    async (zone) => {
      const { run, valuesOf } = await destination();
      expect(await run("upsert_user", { ...ann, time_zone: zone })).toMatchObject({
        state: "done",
        notes: [expect.stringContaining(zone)],
      });
      expect(valuesOf("user.created")).toMatchObject([{ name: "Ann Lee" }]);
    },
  );

  test("an organization id makes a member, and drops no other membership (C-17, R-13, row 42)", async () => {
    const { world, run, effects } = await destination();
    const [first, second] = [world.organizations.create({ name: "A" }), world.organizations.create({ name: "B" })];
    const user = world.users.create({ name: "Ann Lee", email: ann.email, externalId: "u-1", organizationId: first.id });
    await run("upsert_user", { ...ann, organization_id: second.id });
    expect(world.users.membershipsOf(user.id).map(({ organizationId }) => organizationId)).toEqual([
      first.id,
      second.id,
    ]);
    expect(effects()).toEqual(["membership.created"]);
    const verdict = await run("upsert_user", { ...ann, organization_id: "424242" });
    expect(verdict).toMatchObject({ state: "done", notes: [expect.stringContaining("424242")] });
  });

  test("a user without an e-mail gets the one of the event, without a mail from Zendesk (C-16, C-25)", async () => {
    const { world, run, effects } = await destination();
    const user = world.users.create({ name: "Ann Lee", externalId: "u-1" });
    await run("upsert_user", ann);
    expect(world.identities.ownerOf(ann.email)?.id).toBe(user.id);
    expect(effects()).not.toContain("verification_mail.sent");
  });

  test("characters that no text can hold go no further (rows 53, 54)", async () => {
    const { world, run, valuesOf } = await destination();
    world.definitions.createField("user", { key: "city", type: "text", title: "City" });
    const fields = { email: ann.email, name: "Ann\u0000 L\ud800ee", details: "\u0000" };
    expect(await run("upsert_user", fields, { unmapped: { city: "Ber\u0000lin" } })).toMatchObject({ state: "done" });
    expect(valuesOf("user.created")).toMatchObject([{ name: "Ann L\ufffdee", user_fields: { city: "Berlin" } }]);
  });

  test.each([
    ["external_id", "u".repeat(600)],
    ["organization_id", "o".repeat(600)],
  ])("an %s longer than any is refused before Zendesk is asked", async (name, id) => {
    const { zendesk, run } = await destination();
    expect(await run("upsert_user", { ...ann, [name]: id })).toMatchObject({ state: "failed", code: "id_too_long" });
    expect(zendesk.journal.entries).toEqual([]);
  });

  test("what Zendesk refuses fails in its words (row 100)", async () => {
    const { zendesk, run } = await destination();
    const refused = {
      error: "RecordInvalid",
      description: "Record validation errors",
      details: { phone: [{ description: "Phone: is not valid" }] },
    };
    zendesk.faults.add({ method: "POST", path: users }, fault.status(422, refused));
    await expect(run("upsert_user", ann)).rejects.toMatchObject({
      status: 422,
      details: [{ description: "Phone: is not valid" }],
    });
  });
});

describe("a time zone that Zendesk refuses", () => {
  const refused = fault.status(422, {
    error: "RecordInvalid",
    details: { time_zone: [{ description: "Time zone: Europe/Berlin is not valid", error: "InvalidValue" }] },
  });
  const given = { ...ann, time_zone: "Europe/Berlin" };
  const left = [expect.stringMatching(/^The time zone was left out: Zendesk refuses /)];

  test("is left out of a new user, who is created (X-13)", async () => {
    const { world, zendesk, run } = await destination();
    zendesk.faults.add({ method: "POST", path: users }, refused, { times: 1 });
    expect(await run("upsert_user", given)).toMatchObject({ state: "done", notes: left });
    expect(world.identities.ownerOf(ann.email)).toMatchObject({ name: ann.name, externalId: ann.external_id });
  });

  test("is left out of what differs of a user, and the rest is written (X-13)", async () => {
    const { world, zendesk, run } = await destination();
    const { id } = world.users.create({ name: "Ann", email: ann.email, externalId: ann.external_id });
    zendesk.faults.add({ method: "PUT", path: `${users}/${id}` }, refused, { times: 1 });
    expect(await run("upsert_user", given)).toMatchObject({ state: "done", notes: left });
    expect(world.users.byId.get(id)).toMatchObject({ name: ann.name });
  });

  test("that is all that differs is not written, and nothing else is (X-13)", async () => {
    const { world, zendesk, run, effects } = await destination();
    const { id } = world.users.create({ name: ann.name, email: ann.email, externalId: ann.external_id });
    zendesk.faults.add({ method: "PUT", path: `${users}/${id}` }, refused);
    expect(await run("upsert_user", given)).toMatchObject({ state: "done", notes: left });
    expect(zendesk.journal.to(`${users}/${id}`).filter(({ method }) => method === "PUT")).toHaveLength(1);
    expect(effects()).toEqual([]);
  });

  test("does not hide what else is refused (row 100)", async () => {
    const { zendesk, run } = await destination();
    const details = { time_zone: [{ description: "no" }], phone: [{ description: "Phone: is not valid" }] };
    zendesk.faults.add({ method: "POST", path: users }, fault.status(422, { details }));
    await expect(run("upsert_user", given)).rejects.toMatchObject({ status: 422 });
  });
});

describe("a second try", () => {
  test.each([
    ["reset", fault.reset("headers")],
    ["502", fault.status(502)],
    ["HTML with 200", fault.notAPage("html")],
  ] as const)(
    "after a lost answer (%s) finds what the first has done, and creates nobody twice (row 96)",
    async (_name, kind) => {
      const { zendesk, begin, effects } = await destination();
      const once = zendesk.faults.add({ method: "POST", path: users }, kind, { times: 1 });
      const delivery = begin("upsert_user", ann);
      await expect(delivery.again()).rejects.toMatchObject({ code: "outcome_unknown" });
      once.remove();
      expect(await delivery.again()).toMatchObject({ state: "done" });
      expect(effects().filter((kind) => kind === "user.created")).toHaveLength(1);
    },
  );
});

test("a dry run asks, says what it would do, and writes nothing (row 102)", async () => {
  const { world, begin, effects } = await destination();
  world.users.create({ name: "Ann", email: ann.email, externalId: "u-1" });
  const change = begin("upsert_user", ann, { isDryRun: true });
  expect(await change.again()).toMatchObject({ state: "done" });
  expect(change.intents).toMatchObject([{ verb: "change", changes: [{ field: "name", from: "Ann", to: "Ann Lee" }] }]);
  const create = begin("upsert_user", { email: "new@acme.example", name: "New" }, { isDryRun: true });
  await create.again();
  expect(create.intents).toMatchObject([{ verb: "create", zendeskId: null }]);
  expect(effects()).toEqual([]);
});
