import { describe, expect, it } from "vitest";
import { HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { client, details, kindsOf, partOf, world, write, zendesk } from "./writer.ts";

const createUser = (user: Record<string, unknown>) => write("POST", "/users", { user });
const emailsOf = (id: string) => world.identities.of(id).map(({ value }) => value);

describe("users", () => {
  it("are created unverified, with a mail that asks to verify unless it is skipped, and are in the export", async () => {
    const first = await createUser({
      name: "Ann",
      email: "ann@acme.com",
      external_id: "U-1",
      time_zone: "Berlin",
    });
    expect(first.status).toBe(201);
    expect(first.json.user).toMatchObject({ name: "Ann", verified: false, role: "end-user", external_id: "U-1" });
    expect(first.headers.get("location")).toContain(`/api/v2/users/${first.json.user.id}.json`);
    await createUser({ name: "Bob", email: "bob@acme.com", verified: true, skip_verify_email: true });
    expect(kindsOf(zendesk)).toEqual(["user.created", "verification_mail.sent", "user.created"]);
    expect(zendesk.effects.of("user.created")[0]).toMatchObject({
      subdomain: "acme",
      id: String(first.json.user.id),
      values: { name: "Ann", email: "ann@acme.com", external_id: "U-1", time_zone: "Berlin" },
      by: world.adminId,
      requestId: first.headers.get("x-request-id"),
    });
    world.advance(HOUR);
    const exported = await client.get("/api/v2/incremental/users/cursor?start_time=0");
    expect(exported.json.users.map(({ name }) => name)).toEqual(expect.arrayContaining(["Ann", "Bob"]));
  });

  it.each([
    ["no name", { email: "new@acme.com" }, "name"],
    ["an address that is none", { name: "N", email: "new at acme" }, "email"],
    ["somebody else's address, in any case", { name: "N", email: "ANN@acme.com" }, "email"],
    ["somebody else's further address", { name: "N", email: "ann@home.example" }, "email"],
    ["somebody else's external id, in any case", { name: "N", external_id: "u-1" }, "external_id"],
    ["no time zone of this world", { name: "N", time_zone: "America/Springfield" }, "time_zone"],
    ["a time zone by a name that is not Zendesk's", { name: "N", time_zone: "Europe/Berlin" }, "time_zone"],
    ["an organization that does not exist", { name: "N", organization_id: 1 }, "organization_id"],
    ["a role that does not exist", { name: "N", role: "king" }, "role"],
  ])("are refused with %s, and nothing is done", async (_what, user, field) => {
    const ann = await createUser({ name: "Ann", email: "ann@acme.com", external_id: "U-1" });
    await write("PUT", `/users/${ann.json.user.id}`, { user: { email: "ann@home.example" } });
    zendesk.effects.clear();
    const refused = await createUser(user);
    expect([refused.status, refused.json.error, Object.keys(details(refused))]).toEqual([
      422,
      "RecordInvalid",
      [field],
    ]);
    expect(zendesk.effects.entries).toEqual([]);
  });

  it("keep their address when another is written: that one is added beside it, once", async () => {
    const { id } = (await createUser({ name: "Ann", email: "ann@acme.com" })).json.user;
    zendesk.effects.clear();
    for (let time = 0; time < 2; time++) {
      const answer = await write("PUT", `/users/${id}`, {
        user: { email: "ann@new.example", skip_verify_email: true },
      });
      expect(answer.json.user).toMatchObject({ email: "ann@acme.com" });
    }
    expect(kindsOf(zendesk)).toEqual(["identity.created"]);
    expect(emailsOf(String(id))).toEqual(["ann@acme.com", "ann@new.example"]);
    const listed = await client.get(`/api/v2/users/${id}/identities`);
    const identities = partOf<{ id: number; primary: boolean }[]>(listed, "identities");
    expect(identities.map(({ primary }) => primary)).toEqual([true, false]);
    await write("PUT", `/users/${id}/identities/${identities[1]?.id}/make_primary`);
    expect(world.users.existing(String(id)).email).toBe("ann@new.example");
    expect((await write("DELETE", `/users/${id}/identities/${identities[0]?.id}`)).status).toBe(204);
    expect(emailsOf(String(id))).toEqual(["ann@new.example"]);
  });

  it("lose all their organizations when one is written, and later their working tickets lose those", async () => {
    const [one, two, three] = ["One", "Two", "Three"].map((name) => world.organizations.create({ name }).id);
    const ann = world.users.create({ name: "Ann", organizationId: one ?? null });
    world.users.join(ann.id, two as string);
    const ticket = world.tickets.create({ requesterId: ann.id, organizationId: two ?? null });
    await write("PUT", `/users/${ann.id}`, { user: { organization_id: Number(three) } });
    expect(world.users.membershipsOf(ann.id).map(({ organizationId }) => organizationId)).toEqual([three]);
    expect(kindsOf(zendesk)).toEqual([
      "membership.removed",
      "membership.removed",
      "membership.created",
      "user.updated",
    ]);
    expect(ticket.organizationId).toBe(two);
    world.advance(MINUTE);
    expect(ticket.organizationId).toBeNull();
    expect(zendesk.effects.of("ticket")).toMatchObject([
      { id: ticket.id, values: { organization_id: null }, by: "job" },
    ]);
  });

  it("are created or updated by external id first, then by address, whatever the case", async () => {
    const upsert = (user: Record<string, unknown>) => write("POST", "/users/create_or_update", { user });
    const first = await upsert({ name: "Ann", email: "ann@acme.com", external_id: "u-1" });
    const { id } = first.json.user;
    const byExternalId = await upsert({ external_id: "U-1", phone: "+49 30 1" });
    const byEmail = await upsert({ email: "Ann@ACME.com", external_id: "u-2" });
    expect([first.status, byExternalId.status, byEmail.status]).toEqual([201, 200, 200]);
    expect([byExternalId.json.user.external_id, byEmail.json.user.external_id]).toEqual(["U-1", "u-2"]);
    expect([byExternalId.json.user.id, byEmail.json.user.id]).toEqual([id, id]);
    const other = await createUser({ name: "Bob", email: "bob@acme.com" });
    expect(other.status).toBe(201);
    const torn = await upsert({ external_id: "u-2", email: "bob@acme.com" });
    expect([torn.status, Object.keys(details(torn))]).toEqual([422, ["email"]]);
  });

  it("do not change, and leave no effect, when the same is written again", async () => {
    const { id } = (await createUser({ name: "Ann", email: "ann@acme.com", tags: ["Big Fish"] })).json.user;
    const before = world.users.existing(String(id)).updatedAt;
    zendesk.effects.clear();
    world.advance(HOUR);
    const again = await write("PUT", `/users/${id}`, {
      user: { name: "Ann", email: "ANN@acme.com", tags: ["big_fish"] },
    });
    expect([again.status, world.users.existing(String(id)).updatedAt]).toEqual([200, before]);
    expect(zendesk.effects.entries).toEqual([]);
    expect(zendesk.journal.to(`/api/v2/users/${id}`)).toHaveLength(1);
  });

  it("are searched in an index of words that is behind; the lists by external id are not", async () => {
    world.settings.searchLag = MINUTE;
    world.users.create({ name: "Mary", email: "mary.ann@acme.com.au" });
    await createUser({ name: "Ann", email: "ann@acme.com", external_id: "U-1" });
    const search = async (query: string) =>
      (await client.get(`/api/v2/users/search?${query}`)).json.users.map(({ name }) => name);
    expect(await search("query=email:ann@acme.com")).toEqual(["Mary"]);
    expect(await search("external_id=u-1")).toEqual([]);
    expect((await client.get("/api/v2/users?external_id=u-1")).json.users).toHaveLength(1);
    expect((await client.get("/api/v2/users/show_many?external_ids=u-1,u-2")).json.users).toHaveLength(1);
    world.advance(MINUTE);
    expect(await search("query=email:ann@acme.com")).toEqual(["Mary", "Ann"]);
    expect(await search(`query=${encodeURIComponent('type:user external_id:"U-1"')}`)).toEqual(["Ann"]);
    expect(await search("query=email:nobody@acme.com")).toEqual([]);
  });

  it("that are deleted give their address back; shared ones cannot be written", async () => {
    const { id } = (await createUser({ name: "Ann", email: "ann@acme.com" })).json.user;
    expect((await write("DELETE", `/users/${id}`)).json.user).toMatchObject({ active: false });
    expect((await write("PUT", `/users/${id}`, { user: { name: "A" } })).status).toBe(404);
    expect((await createUser({ name: "Ann", email: "ann@acme.com" })).status).toBe(201);
    const shared = world.users.create({ name: "Shared", shared: true });
    expect((await write("PUT", `/users/${shared.id}`, { user: { name: "A" } })).status).toBe(403);
  });
});
