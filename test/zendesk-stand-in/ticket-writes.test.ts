import { describe, expect, it } from "vitest";
import { HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { bearer } from "./client.ts";
import { client, details, kindsOf, partOf, world, write, zendesk } from "./writer.ts";

describe("tickets", () => {
  const create = (ticket: Record<string, unknown>, headers?: Record<string, string>) => {
    const own = Buffer.from(`${world.credentials.email}/token:${world.apiToken}`).toString("base64");
    return write("POST", "/tickets", { ticket }, { authorization: `Basic ${own}`, ...headers });
  };

  it("are created with a first comment, which is required, and are found by external id and in the export", async () => {
    const ann = world.users.create({ name: "Ann", email: "ann@acme.com" });
    const answer = await create({
      subject: "Broken",
      comment: { body: "It is broken", public: false },
      requester_id: ann.id,
      priority: "urgent",
      type: "incident",
      tags: ["VIP customer"],
      external_id: "T-1",
    });
    expect([answer.status, partOf(answer, "audit").author_id]).toEqual([201, Number(world.adminId)]);
    expect(answer.json.ticket).toMatchObject({
      status: "new",
      is_public: false,
      tags: ["vip_customer"],
      description: "It is broken",
    });
    expect((await client.get("/api/v2/tickets?external_id=T-1")).json.tickets).toHaveLength(1);
    const comments = partOf(await client.get(`/api/v2/tickets/${answer.json.ticket.id}/comments`), "comments");
    expect(comments).toMatchObject([{ body: "It is broken", public: false }]);
    expect((await client.get(`/api/v2/users/${ann.id}/tickets/requested`)).json.tickets).toHaveLength(1);
    world.advance(HOUR);
    expect((await client.get("/api/v2/incremental/tickets/cursor?start_time=0")).json.tickets).toHaveLength(1);
    expect(zendesk.effects.of("ticket")).toMatchObject([
      { kind: "ticket.created", values: { external_id: "T-1", comment: { body: "It is broken", public: false } } },
    ]);
  });

  it("have the requester that is named by address, who comes to be where there is none", async () => {
    const first = await create({ comment: { body: "A" }, requester: { name: "Ann", email: "ann@acme.com" } });
    const second = await create({ comment: { body: "B" }, requester: { email: "ANN@acme.com" } });
    expect(second.json.ticket.requester_id).toBe(first.json.ticket.requester_id);
    expect(kindsOf(zendesk)).toEqual(["user.created", "verification_mail.sent", "ticket.created", "ticket.created"]);
  });

  it.each([
    ["no comment", { subject: "S" }, "base"],
    ["a priority that does not exist", { comment: { body: "B" }, priority: "extreme" }, "priority"],
    ["a status that does not exist", { comment: { body: "B" }, status: "odd" }, "status"],
    ["a requester who does not exist", { comment: { body: "B" }, requester_id: 5 }, "requester"],
    ["a group that does not exist", { comment: { body: "B" }, group_id: 5 }, "group"],
  ])("are refused with %s", async (_what, ticket, field) => {
    const refused = await create(ticket);
    expect([refused.status, Object.keys(details(refused))]).toEqual([422, [field]]);
    expect(zendesk.effects.entries).toEqual([]);
  });

  it("refuse suspended requesters, bad values of their fields, and being solved without what that requires", async () => {
    const suspended = world.users.create({ name: "Ann", suspended: true });
    expect(details(await create({ comment: { body: "B" }, requester_id: suspended.id }))).toHaveProperty("requester");
    const options = [{ id: "1", name: "A", value: "a" }];
    const field = world.definitions.createField("ticket", { key: "k", type: "tagger", options, requiredToSolve: true });
    const bad = await create({ comment: { body: "B" }, custom_fields: [{ id: Number(field.id), value: "z" }] });
    expect(details(bad)).toHaveProperty(field.id);
    const { id } = (await create({ comment: { body: "B" }, custom_fields: [{ id: 99, value: "z" }] })).json.ticket;
    const solve = (custom_fields: unknown[]) =>
      write("PUT", `/tickets/${id}`, { ticket: { status: "solved", custom_fields } });
    expect(details(await solve([]))).toHaveProperty("base");
    expect((await solve([{ id: Number(field.id), value: "a" }])).json.ticket).toMatchObject({
      status: "solved",
      tags: ["a"],
    });
  });

  it("are created once for an Idempotency-Key, for two hours, and for one body", async () => {
    const key = { "idempotency-key": "k-1" };
    const [first, second] = [
      await create({ comment: { body: "A" } }, key),
      await create({ comment: { body: "A" } }, key),
    ];
    expect([first.status, first.headers.get("x-idempotency-lookup")]).toEqual([201, "miss"]);
    expect([second.status, second.headers.get("x-idempotency-lookup")]).toEqual([201, "hit"]);
    expect(second.json.ticket.id).toBe(first.json.ticket.id);
    const other = await create({ comment: { body: "B" } }, key);
    expect([other.status, other.json.error]).toEqual([400, "IdempotentRequestError"]);
    expect(zendesk.effects.entries).toMatchObject([{ kind: "ticket.created", idempotencyKey: "k-1" }]);
    world.advance(2 * HOUR);
    expect((await create({ comment: { body: "A" } }, key)).headers.get("x-idempotency-lookup")).toBe("miss");
    expect(zendesk.effects.repeated("ticket.created", (effect) => effect.idempotencyKey).size).toBe(1);
  });

  it("are updated only as they were read when that is asked for, and never once they are closed", async () => {
    const { id, updated_at } = (await create({ comment: { body: "A" } })).json.ticket;
    const update = (ticket: Record<string, unknown>) => write("PUT", `/tickets/${id}`, { ticket });
    world.advance(MINUTE);
    world.tickets.update(String(id), { priority: "high" });
    const guarded = { safe_update: false, updated_stamp: updated_at };
    const outdated = await update({ ...guarded, status: "open" });
    expect([outdated.status, outdated.json.error]).toEqual([409, "UpdateConflict"]);
    const changed = await update({ status: "pending", comment: { body: "Hm", public: true }, additional_tags: ["x"] });
    expect(changed.json.ticket).toMatchObject({ status: "pending", tags: [] });
    const stamp = changed.json.ticket.updated_at;
    expect((await update({ safe_update: true, updated_stamp: stamp, status: "closed" })).status).toBe(200);
    const closed = await update({ priority: "low" });
    expect(details(closed)).toEqual({ status: [{ description: "Status: closed prevents ticket update" }] });
    expect(zendesk.effects.of("ticket.updated").map(({ values }) => values)).toMatchObject([
      { status: "pending", comment: { body: "Hm", public: true } },
      { status: "closed" },
    ]);
  });

  it("leave the lists when they are archived, and are found by the search, which is late, and by id", async () => {
    const { id } = (await create({ comment: { body: "A" }, external_id: "T-1" })).json.ticket;
    world.settings.searchLag = MINUTE;
    world.tickets.update(String(id), { status: "closed" });
    world.tickets.archive(String(id));
    const search = async (query: string) => {
      const { json } = await client.get(`/api/v2/search?query=${encodeURIComponent(query)}`);
      return (json as unknown as { results: { id: number }[] }).results.map((row) => row.id);
    };
    expect(await search('type:ticket external_id:"T-1"')).toEqual([]);
    world.advance(2 * MINUTE);
    expect(await search('type:ticket external_id:"T-1"')).toEqual([id]);
    expect(await search('type:ticket external_id:"T-2"')).toEqual([]);
    expect((await client.get("/api/v2/tickets?external_id=T-1")).json.tickets).toEqual([]);
    expect((await client.get(`/api/v2/tickets/${id}`)).status).toBe(200);
    expect((await client.get("/api/v2/search?query=type:ticket&page[size]=5")).status).toBe(400);
  });

  it("get and lose tags one by one at an address of their own", async () => {
    const { id } = (await create({ comment: { body: "A" }, tags: ["one"] })).json.ticket;
    const tags = (method: string, list: string[]) => write(method, `/tickets/${id}/tags`, { tags: list });
    expect(partOf(await tags("PUT", ["two", "one"]), "tags")).toEqual(["one", "two"]);
    expect(partOf(await tags("DELETE", ["one"]), "tags")).toEqual(["two"]);
    expect((await tags("POST", ["three"])).status).toBe(201);
    expect((await tags("PUT", ["three"])).status).toBe(200);
    expect(zendesk.effects.of("ticket.updated").map(({ values }) => values.tags)).toEqual([
      ["one", "two"],
      ["two"],
      ["three"],
    ]);
  });
});

it("takes writes only with a scope for them", async () => {
  const oauth = world.access.clients.get(world.oauthClient.id);
  const withScopes = (...scopes: string[]) =>
    bearer(world.access.issueToken(oauth as NonNullable<typeof oauth>, { scopes, refreshable: false }).accessToken);
  const create = (headers: Record<string, string>) => write("POST", "/users", { user: { name: "Ann" } }, headers);
  const refused = await create(withScopes("read"));
  expect([refused.status, refused.json.description]).toEqual([403, expect.stringContaining("required scopes: write")]);
  expect((await create(withScopes("users:write"))).status).toBe(201);
  expect((await create(withScopes("tickets:write"))).status).toBe(403);
  expect((await create(withScopes("write"))).status).toBe(201);
});
