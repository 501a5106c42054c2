import { describe, expect, test } from "vitest";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import type { World } from "#test/support/zendesk/world/world.ts";
import { destination } from "./ground.ts";

const acme = { external_id: "g-1", name: "Acme" };
const ann = { "user.email": "ann@acme.example", "user.external_id": "u-1", "user.name": "Ann Lee" };
const organizations = "/api/v2/organizations";
const membersOf = (world: World, name: string) => {
  const organization = world.organizations.list().find((one) => one.name === name);
  return [...world.users.memberships.values()]
    .filter(({ organizationId }) => organizationId === organization?.id)
    .map(({ userId }) => world.users.byId.get(userId)?.email);
};

describe("the organization", () => {
  test("is created with its external id, its domains cleaned, free mail refused (C-11, C-34, C-36, R-21, R-23, X-14)", async () => {
    const { run, valuesOf, effects } = await destination();
    const fields = {
      ...acme,
      domain_names: ["https://www.Acme.example/about", "gmail.com", "no domain"],
      tags: ["Key Account"],
    };
    const verdict = await run("upsert_organization", fields);
    expect(valuesOf("organization.created")).toMatchObject([
      { name: "Acme", external_id: "g-1", domain_names: ["acme.example"], tags: ["key_account"] },
    ]);
    expect(effects()).toEqual(["organization.created"]);
    expect(verdict).toMatchObject({ state: "done", result: { kind: "organization" } });
    expect((verdict as { notes: string[] }).notes).toEqual(
      expect.arrayContaining([expect.stringContaining("gmail.com belongs to free mail")]),
    );
  });

  test("is found by its external id in any case, and only what differs is written, domains and tags added (C-34, R-27, row 98)", async () => {
    const { world, run, valuesOf, effects } = await destination();
    const organization = world.organizations.create({
      name: "Old",
      externalId: "G-1",
      domainNames: ["old.example"],
      tags: ["old"],
    });
    const fields = { ...acme, domain_names: ["acme.example", "old.example"], tags: ["new"] };
    await run("upsert_organization", fields);
    expect(valuesOf("organization.updated")[0]).toEqual({
      name: "Acme",
      domain_names: ["old.example", "acme.example"],
    });
    expect(organization.tags).toEqual(["old", "new"]);
    const written = effects().length;
    expect(await run("upsert_organization", fields)).toMatchObject({ state: "done" });
    expect(effects()).toHaveLength(written);
  });

  test("a domain that an agent adds after our look is kept (row 98)", async () => {
    const { world, zendesk, run } = await destination();
    const organization = world.organizations.create({ name: "Acme", externalId: "g-1", domainNames: ["acme.example"] });
    zendesk.faults.after({ method: "GET", path: `${organizations}/show_many` }, () => {
      world.organizations.update(organization.id, { domainNames: ["acme.example", "agents.example"] });
    });
    expect(await run("upsert_organization", { ...acme, domain_names: ["new.example"] })).toMatchObject({
      state: "done",
    });
    expect(organization.domainNames).toEqual(["acme.example", "agents.example", "new.example"]);
  });

  test("where the search is late, the one that Zendesk knows is found by the list, or waited for, and not doubled (row 102)", async () => {
    const { world, zendesk, begin, effects } = await destination({ world: { searchLag: 60_000 } });
    await begin("upsert_organization", acme).again();
    expect(await begin("upsert_organization", { ...acme, details: "Gold" }).again()).toMatchObject({ state: "done" });
    expect(effects()).toEqual(["organization.created", "organization.updated"]);
    zendesk.faults.add({ path: `${organizations}/show_many` }, fault.status(404, { error: "InvalidEndpoint" }));
    await begin("upsert_organization", { ...acme, external_id: "g-2", name: "Second" }).again();
    const second = begin("upsert_organization", { external_id: "g-2", name: "Second", details: "New" });
    expect(await second.again()).toMatchObject({ state: "waits", code: "organization_not_searchable" });
    world.advance(61_000);
    expect(await second.again()).toMatchObject({ state: "done" });
    expect(effects().slice(2)).toEqual(["organization.created", "organization.updated"]);
  });

  test("without a name none is created (C-36)", async () => {
    const { run, effects } = await destination();
    expect(await run("upsert_organization", { external_id: "g-1" })).toMatchObject({
      state: "failed",
      code: "missing_name",
    });
    expect(effects()).toEqual([]);
  });

  test("a name that another organization has is held, with its id and the fix; approved, it is the one (X-3, row 102)", async () => {
    const { world, begin, effects, valuesOf } = await destination();
    const other = world.organizations.create({ name: "ACME" });
    const delivery = begin("upsert_organization", acme);
    expect(await delivery.again()).toMatchObject({
      state: "held",
      code: "name_taken",
      reason: expect.stringContaining(other.id),
      fix: expect.stringContaining("approve"),
    });
    expect(effects()).toEqual([]);
    expect(await delivery.again({ approvedFor: ["name_taken"] })).toMatchObject({
      state: "done",
      result: { id: other.id },
    });
    expect(valuesOf("organization.updated")).toEqual([{ external_id: "g-1", name: "Acme" }]);
  });

  test("of a name whose organization has another external id nobody makes one (row 102)", async () => {
    const { world, begin, run, effects } = await destination();
    world.organizations.create({ name: "Acme", externalId: "g-0" });
    const delivery = begin("upsert_organization", acme);
    expect(await delivery.again()).toMatchObject({ state: "held", code: "name_taken" });
    expect(await delivery.again({ approvedFor: ["name_taken"] })).toMatchObject({ state: "held", code: "name_taken" });
    world.organizations.create({ name: "Mine", externalId: "g-2" });
    const renamed = await run("upsert_organization", { external_id: "g-2", name: "Acme" });
    expect(renamed).toMatchObject({ state: "failed", code: "name_taken", reason: expect.stringContaining("g-0") });
    expect(effects()).toEqual([]);
  });

  test("`deleted` deletes nothing and says so (C-36)", async () => {
    const { world, run, effects } = await destination();
    world.organizations.create({ name: "Acme", externalId: "g-1" });
    expect(await run("upsert_organization", { ...acme, deleted: true })).toMatchObject({
      state: "failed",
      code: "deletion_not_done",
    });
    expect(effects()).toEqual([]);
    expect(await run("upsert_organization", { ...acme, deleted: false })).toMatchObject({ state: "done" });
  });

  test("traits go to its fields, new ones by the settings; url has no place but a field of that name (C-37, C-38, R-24, X-3)", async () => {
    const { world, run, valuesOf } = await destination({ settings: { unknownOrganizationTraits: "create" } });
    const told = await run(
      "upsert_organization",
      { ...acme, url: "https://acme.example" },
      { unmapped: { groupPlan: "trial" } },
    );
    expect(valuesOf("organization_field.created")).toMatchObject([{ key: "group_plan", type: "text" }]);
    expect(valuesOf("organization.created")).toMatchObject([{ organization_fields: { group_plan: "trial" } }]);
    expect(told).toMatchObject({ notes: expect.arrayContaining([expect.stringContaining("url was left out")]) });
    world.definitions.createField("organization", { key: "url", type: "text", title: "Site" });
    world.advance(120_000);
    await run("upsert_organization", { ...acme, url: "https://acme.example" });
    const [organization] = world.organizations.list();
    expect(Object.fromEntries(organization?.fields ?? [])).toEqual({
      group_plan: "trial",
      url: "https://acme.example",
    });
  });

  test("a lost answer creates no second one (row 96)", async () => {
    const { zendesk, begin, effects } = await destination();
    zendesk.faults.add({ method: "POST", path: organizations }, fault.reset("headers"), { times: 1 });
    const delivery = begin("upsert_organization", acme);
    await expect(delivery.again()).rejects.toMatchObject({ code: "outcome_unknown" });
    expect(await delivery.again()).toMatchObject({ state: "done" });
    expect(effects()).toEqual(["organization.created"]);
  });
});

describe("and its user", () => {
  const both = { ...acme, ...ann };

  test("new organization, new user: both are created and joined (R-26, R-28)", async () => {
    const { world, run, effects } = await destination({ profile: "rudderstack" });
    expect(await run("upsert_organization", both)).toMatchObject({ state: "done", result: { kind: "organization" } });
    expect(effects()).toEqual(["organization.created", "user.created", "membership.created"]);
    expect(membersOf(world, "Acme")).toEqual(["ann@acme.example"]);
  });

  test("new organization, known user (R-29)", async () => {
    const { world, run, effects } = await destination({ profile: "rudderstack" });
    const elsewhere = world.organizations.create({ name: "Elsewhere" });
    const user = world.users.create({
      name: "Ann Lee",
      email: "ann@acme.example",
      externalId: "u-1",
      organizationId: elsewhere.id,
    });
    await run("upsert_organization", both);
    expect(effects()).toEqual(["organization.created", "membership.created"]);
    expect(world.users.membershipsOf(user.id)).toHaveLength(2);
  });

  test("known organization, new user (R-30)", async () => {
    const { world, run, effects } = await destination({ profile: "rudderstack" });
    world.organizations.create({ name: "Acme", externalId: "g-1" });
    await run("upsert_organization", both);
    expect(effects()).toEqual(["user.created", "membership.created"]);
    expect(membersOf(world, "Acme")).toEqual(["ann@acme.example"]);
  });

  test("both known: what differs is written, they are joined once, and the same call again succeeds (X-5, R-27)", async () => {
    const { world, run, effects } = await destination({ profile: "rudderstack" });
    world.organizations.create({ name: "Acme", externalId: "g-1" });
    world.users.create({ name: "Ann", email: "ann@acme.example", externalId: "u-1" });
    await run("upsert_organization", both);
    await run("upsert_organization", both);
    expect(effects()).toEqual(["user.updated", "membership.created"]);
  });

  test("a member of many is no new member: all memberships count, not the first (RudderStack's code looks at one)", async () => {
    const { world, run, effects } = await destination();
    const user = world.users.create({ name: "Ann Lee", email: "ann@acme.example", externalId: "u-1" });
    for (let n = 0; n < 120; n++) world.users.join(user.id, world.organizations.create({ name: `O${n}` }).id);
    world.users.join(user.id, world.organizations.create({ name: "Acme", externalId: "g-1" }).id);
    expect(await run("upsert_organization", both)).toMatchObject({ state: "done" });
    expect(effects()).toEqual([]);
  });

  test("an unknown user is a dead letter where none may be created, and the organization is written (X-1, R-25, C-35)", async () => {
    const { run, effects } = await destination({ profile: "customerio" });
    const verdict = await run("upsert_organization", both);
    expect(verdict).toMatchObject({ state: "failed", code: "user_not_found", result: { kind: "organization" } });
    expect(effects()).toEqual(["organization.created"]);
  });

  test("two users are held, and the membership is not guessed (row 101)", async () => {
    const { world, run, effects } = await destination();
    world.users.create({ name: "A", email: "ann@acme.example" });
    world.users.create({ name: "B", email: "b@acme.example", externalId: "u-1" });
    expect(await run("upsert_organization", both)).toMatchObject({ state: "held", code: "ambiguous_user" });
    expect(effects()).toEqual(["organization.created"]);
  });

  test("the settings decide about the user: not joined, or not asked for (R-8, R-22, X-15)", async () => {
    const off = await destination({ settings: { associateOnGroup: false } });
    expect(await off.run("upsert_organization", both)).toMatchObject({
      state: "done",
      notes: [expect.stringContaining("not made a member")],
    });
    expect(off.effects()).toEqual(["organization.created"]);
    const strict = await destination({ settings: { acceptGroupWithoutUser: false } });
    expect(await strict.run("upsert_organization", acme)).toMatchObject({
      state: "failed",
      code: "group_without_user",
    });
    expect(strict.effects()).toEqual([]);
  });

  test("where each user has one organization, Zendesk's refusal is told (row 100)", async () => {
    const { world, run } = await destination({ world: { multipleOrganizations: false } });
    const elsewhere = world.organizations.create({ name: "Elsewhere" });
    world.users.create({ name: "Ann Lee", email: "ann@acme.example", externalId: "u-1", organizationId: elsewhere.id });
    await expect(run("upsert_organization", both)).rejects.toMatchObject({ status: 422 });
  });

  test("a lost answer to the membership is looked up (row 96)", async () => {
    const { zendesk, begin, effects } = await destination({ profile: "rudderstack" });
    zendesk.faults.add({ method: "POST", path: "/api/v2/organization_memberships" }, fault.status(502), { times: 1 });
    const delivery = begin("upsert_organization", both);
    await expect(delivery.again()).rejects.toMatchObject({ code: "outcome_unknown" });
    expect(await delivery.again()).toMatchObject({ state: "done" });
    expect(effects().filter((kind) => kind === "membership.created")).toHaveLength(1);
  });
});
