import { describe, expect, it } from "vitest";
import { HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { client, details, kindsOf, partOf, world, write, zendesk } from "./writer.ts";

const createOrganization = (organization: Record<string, unknown>) => write("POST", "/organizations", { organization });

describe("organizations", () => {
  it("are created or updated by external id, never by name", async () => {
    const upsert = (organization: Record<string, unknown>) =>
      write("POST", "/organizations/create_or_update", { organization });
    const first = await upsert({ name: "Acme", external_id: "G-1", domain_names: ["Acme.com"] });
    const again = await upsert({ name: "Acme Inc", external_id: "g-1" });
    expect([first.status, again.status]).toEqual([201, 200]);
    expect(partOf(again, "organization")).toMatchObject({
      name: "Acme Inc",
      external_id: "g-1",
      domain_names: ["acme.com"],
    });
    const clash = await upsert({ name: "ACME inc", external_id: "G-2" });
    expect([clash.status, details(clash).name?.[0]?.error]).toEqual([422, "DuplicateValue"]);
    expect((await createOrganization({ name: "Acme Inc" })).status).toBe(422);
    expect((await createOrganization({ external_id: "G-3" })).status).toBe(422);
    expect(kindsOf(zendesk)).toEqual(["organization.created", "organization.updated"]);
  });

  it("are found by external id or by name, exactly but for the case, one of the two", async () => {
    await createOrganization({ name: "Acme Inc", external_id: "G-1" });
    const search = (query: string) => client.get(`/api/v2/organizations/search?${query}`);
    expect((await search("external_id=g-1")).json.organizations).toHaveLength(1);
    expect((await search("name=acme%20inc")).json.organizations).toHaveLength(1);
    expect((await search("name=acme")).json.organizations).toHaveLength(0);
    expect((await search("name=acme&external_id=g-1")).status).toBe(400);
    expect((await client.get("/api/v2/organizations/show_many?external_ids=g-1")).json.organizations).toHaveLength(1);
  });
});

it("tags of organizations and users are added and removed at addresses of their own, where the account has them", async () => {
  const owners = [
    [`/organizations/${world.organizations.create({ name: "Acme", tags: ["old"] }).id}/tags`, "organization.updated"],
    [`/users/${world.users.create({ name: "Ann", tags: ["old"] }).id}/tags`, "user.updated"],
  ] as const;
  for (const [path, kind] of owners) {
    zendesk.effects.clear();
    expect(partOf(await write("PUT", path, { tags: ["New One", "old"] }), "tags")).toEqual(["old", "new_one"]);
    expect(partOf(await write("PUT", path, { tags: ["old"] }), "tags")).toEqual(["old", "new_one"]);
    expect(partOf(await write("DELETE", path, { tags: ["old"] }), "tags")).toEqual(["new_one"]);
    expect(partOf(await write("GET", path), "tags")).toEqual(["new_one"]);
    expect(kindsOf(zendesk)).toEqual([kind, kind]);
    world.settings.tagsOfPeople = false;
    expect((await write("PUT", path, { tags: ["x"] })).status).toBe(404);
    world.settings.tagsOfPeople = true;
  }
});

describe("memberships", () => {
  const join = (user_id: string, organization_id: string) =>
    write("POST", "/organization_memberships", { organization_membership: { user_id, organization_id } });

  it("are added beside those there are, once; the default one can be chosen", async () => {
    const [one, two] = ["One", "Two"].map((name) => world.organizations.create({ name }).id) as [string, string];
    const { id } = world.users.create({ name: "Ann", organizationId: one });
    const joined = await join(id, two);
    expect([joined.status, partOf(joined, "organization_membership")]).toMatchObject([201, { default: null }]);
    const again = await join(id, two);
    expect([again.status, details(again).user_id?.[0]?.error]).toEqual([422, "DuplicateValue"]);
    expect((await join(id, "1")).status).toBe(422);
    const membershipId = partOf(joined, "organization_membership").id;
    await write("PUT", `/users/${id}/organization_memberships/${membershipId}/make_default`);
    expect(world.users.existing(id).organizationId).toBe(two);
    const listed = await client.get(`/api/v2/users/${id}/organization_memberships`);
    expect(listed.json.organization_memberships.map((row) => row.default)).toEqual([null, true]);
    expect(kindsOf(zendesk)).toEqual(["membership.created", "membership.made_default"]);
    world.settings.multipleOrganizations = false;
    expect((await join(world.users.create({ name: "Bob", organizationId: one }).id, two)).status).toBe(422);
  });

  it("end at once, and a job takes the organization from the working tickets of that user there", async () => {
    const { id: organizationId } = world.organizations.create({ name: "One" });
    const { id } = world.users.create({ name: "Ann", organizationId });
    const working = world.tickets.create({ requesterId: id });
    const solved = world.tickets.create({ requesterId: id, status: "solved" });
    const another = world.tickets.create({ organizationId });
    const [membership] = world.users.membershipsOf(id);
    expect((await write("DELETE", `/organization_memberships/${membership?.id}`)).status).toBe(204);
    expect((await write("DELETE", `/organization_memberships/${membership?.id}`)).status).toBe(404);
    expect([world.users.existing(id).organizationId, working.organizationId]).toEqual([null, organizationId]);
    world.advance(MINUTE);
    const after = [working, solved, another].map((ticket) => ticket.organizationId);
    expect(after).toEqual([null, organizationId, organizationId]);
    expect(kindsOf(zendesk)).toEqual(["membership.removed", "ticket.updated"]);
  });
});

describe("custom fields", () => {
  it("are defined once, in the form that Zendesk takes, and never again after they were deleted", async () => {
    const define = (user_field: Record<string, unknown>) => write("POST", "/user_fields", { user_field });
    const plan = await define({ key: "plan", title: "Plan", type: "text" });
    expect([plan.status, partOf(plan, "user_field").key]).toEqual([201, "plan"]);
    const refusals = [
      { key: "Plan", title: "Plan", type: "text" },
      { key: "123", title: "T", type: "text" },
      { key: "a-b", title: "T", type: "text" },
      { key: "level", title: "Level", type: "dropdown" },
      { key: "shade", title: "Shade", type: "colour" },
      { key: "blank", type: "text" },
    ];
    const fields = [];
    for (const given of refusals) fields.push(...Object.keys(details(await define(given))));
    expect(fields).toEqual(["key", "key", "key", "custom_field_options", "type", "title"]);
    expect((await write("DELETE", `/user_fields/${partOf(plan, "user_field").id}`)).status).toBe(204);
    expect((await define({ key: "plan", title: "Plan", type: "text" })).status).toBe(422);
    expect(kindsOf(zendesk)).toEqual(["user_field.created", "user_field.deleted"]);
  });

  it("take values of their type, a date as its midnight, and ignore keys that nobody defined", async () => {
    const types = { seats: "integer", rate: "decimal", vip: "checkbox", since: "date", note: "text" };
    for (const [key, type] of Object.entries(types)) world.definitions.createField("organization", { key, type });
    const options = [
      { id: "1", name: "Gold", value: "gold" },
      { id: "2", name: "Tin", value: "tin" },
    ];
    world.definitions.createField("organization", { key: "tier", type: "dropdown", options });
    const organization_fields = {
      seats: 5,
      rate: "1.5",
      vip: true,
      since: "2026-03-01",
      note: 7,
      tier: "gold",
      nope: 1,
    };
    const created = await createOrganization({ name: "Acme", organization_fields });
    const organization = partOf(created, "organization");
    const stored = { seats: 5, rate: 1.5, vip: true, since: "2026-03-01T00:00:00+00:00", note: "7", tier: "gold" };
    expect(organization).toMatchObject({ organization_fields: stored, tags: ["gold"] });
    expect(organization.organization_fields).not.toHaveProperty("nope");
    const bad = { seats: "five", rate: "x", vip: "perhaps", since: "01.03.2026", tier: "lead" };
    const refused = await write("PUT", `/organizations/${organization.id}`, {
      organization: { organization_fields: bad },
    });
    expect([refused.status, Object.keys(details(refused)).sort()]).toEqual([422, Object.keys(bad).sort()]);
    const moved = await write("PUT", `/organizations/${organization.id}`, {
      organization: { organization_fields: { tier: "tin", since: "2026-03-01" } },
    });
    expect(partOf(moved, "organization").tags).toEqual(["tin"]);
    expect(zendesk.effects.of("organization.updated")).toMatchObject([
      { values: { organization_fields: { tier: "tin" }, tags: ["tin"] } },
    ]);
    expect(zendesk.effects.of("organization.updated")[0]?.values.organization_fields).toEqual({ tier: "tin" });
  });
});

describe("jobs", () => {
  it("write what is given in bulk, later, each row with its own result, and are forgotten after a day", async () => {
    world.organizations.create({ name: "Taken" });
    const organizations = [{ name: "New" }, { name: "taken" }];
    const job_status = partOf(await write("POST", "/organizations/create_many", { organizations }), "job_status");
    const status = async () => partOf(await client.get(`/api/v2/job_statuses/${job_status.id}`), "job_status");
    expect([job_status.status, kindsOf(zendesk)]).toEqual(["queued", []]);
    world.advance(1000);
    expect(await status()).toMatchObject({ status: "working", results: null });
    world.advance(1000);
    const results = [
      { index: 0, status: "Created" },
      { index: 1, error: "RecordInvalid" },
    ];
    expect(await status()).toMatchObject({ status: "completed", total: 2, results });
    world.advance(24 * HOUR);
    expect((await client.get(`/api/v2/job_statuses/${job_status.id}`)).status).toBe(404);
  });

  it("are at most 30 at a time and 100 rows each, and import users only where that is on", async () => {
    const bulk = (count: number) =>
      write("PUT", "/organizations/update_many", { organizations: Array.from({ length: count }, () => ({ id: 1 })) });
    expect((await bulk(101)).json.error).toBe("TooManyValues");
    for (let i = 0; i < 30; i++) expect((await bulk(1)).status).toBe(200);
    const refused = await bulk(1);
    expect([refused.status, refused.json.error]).toEqual([429, "TooManyJobs"]);
    world.advance(MINUTE);
    const importUsers = () => write("POST", "/users/create_many", { users: [{ name: "Ann" }] });
    expect((await importUsers()).status).toBe(403);
    world.settings.bulkUserImport = true;
    expect((await importUsers()).status).toBe(200);
  });
});
