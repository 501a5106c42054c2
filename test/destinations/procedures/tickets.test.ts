import { describe, expect, test } from "vitest";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { HOUR } from "#test/support/zendesk/world/clock.ts";
import { destination } from "./ground.ts";

const tickets = "/api/v2/tickets";
const order = { subject: "Broken", comment: "It does not start.", external_id: "t-1", "requester.external_id": "u-1" };

async function desk(told: Parameters<typeof destination>[0] = {}) {
  const ground = await destination(told);
  const ann = ground.world.users.create({ name: "Ann", email: "ann@acme.example", externalId: "u-1" });
  return { ...ground, ann };
}

describe("creating a ticket", () => {
  test("writes every field, its comment private unless told, with its external id and an Idempotency-Key (C-7, X-12)", async () => {
    const { world, zendesk, run, ann, valuesOf } = await desk();
    const group = world.definitions.createGroup({ name: "Second Line" });
    const agent = world.users.create({ name: "Agent", role: "agent" });
    const organization = world.organizations.create({ name: "Acme" });
    world.users.join(ann.id, organization.id);
    const colour = world.definitions.createField("ticket", { key: "colour", title: "Colour", type: "text" });
    const serial = world.definitions.createField("ticket", { key: "serial", title: "Serial", type: "integer" });
    const verdict = await run("create_ticket", {
      ...order,
      priority: "High",
      type: "problem",
      status: "open",
      tags: ["Hard Ware"],
      group_id: "second line",
      assignee_id: agent.id,
      organization_id: organization.id,
      "custom_fields.colour": "red",
      [`custom_fields.${serial.id}`]: "17",
      "custom_fields.nowhere": "x",
    });
    expect(verdict).toMatchObject({
      state: "done",
      result: { kind: "ticket" },
      notes: [expect.stringContaining("nowhere")],
    });
    expect(valuesOf("ticket.created")).toMatchObject([
      {
        subject: "Broken",
        comment: { body: "It does not start.", public: false },
        requester_id: Number(ann.id),
        external_id: "t-1",
        priority: "high",
        type: "problem",
        status: "open",
        tags: ["hard_ware"],
        group_id: Number(group.id),
        organization_id: Number(organization.id),
      },
    ]);
    const [ticket] = [...world.tickets.byId.values()];
    expect([ticket?.customFields.get(colour.id), ticket?.customFields.get(serial.id)]).toEqual(["red", 17]);
    const [sent] = zendesk.journal.to(tickets).filter(({ method }) => method === "POST");
    expect(String(sent?.headers["idempotency-key"])).toMatch(/^key-/);
    await run("create_ticket", { ...order, external_id: "t-2", public: true });
    expect(valuesOf("ticket.created")[1]).toMatchObject({ comment: { public: true } });
  });

  test("with an external id that a ticket has creates no second one; without one it is the message's (C-7, X-12)", async () => {
    const { run, valuesOf } = await desk();
    await run("create_ticket", order);
    expect(await run("create_ticket", order)).toMatchObject({ state: "done", notes: [expect.stringContaining("t-1")] });
    const { external_id: _, ...unnamed } = order;
    await run("create_ticket", unnamed, { messageId: "m-7" });
    await run("create_ticket", unnamed, { messageId: "m-7" });
    expect(valuesOf("ticket.created").map(({ external_id }) => external_id)).toEqual(["t-1", "bellwether:m-7"]);
  });

  test("with the external id of a ticket that was closed long ago creates no second one: no list has it (X-12)", async () => {
    const { world, zendesk, run, valuesOf } = await desk();
    await run("create_ticket", order);
    const [ticket] = [...world.tickets.byId.values()];
    const id = String(ticket?.id);
    world.tickets.update(id, { status: "closed" });
    world.tickets.archive(id);
    world.advance(HOUR);
    expect(await run("create_ticket", order)).toMatchObject({
      ...{ state: "done", result: { kind: "ticket", id } },
      notes: [expect.stringMatching(new RegExp(`Ticket ${id}, which is closed, has the external id t-1 already`))],
    });
    // An id of ours nobody else can have used, and what may not be searched for keeps no ticket from being created.
    const { external_id: _, ...unnamed } = order;
    const searches = () => zendesk.journal.to("/api/v2/search").length;
    const before = searches();
    expect(await run("create_ticket", unnamed, { messageId: "m-8" })).toMatchObject({ state: "done" });
    expect(searches()).toBe(before);
    zendesk.faults.add({ path: "/api/v2/search" }, fault.forbidden("scope"));
    expect(await run("create_ticket", { ...order, external_id: "t-2" })).toMatchObject({
      ...{ state: "done", notes: [expect.stringMatching(/may not search.*t-2/)] },
    });
    expect(valuesOf("ticket.created").map(({ external_id }) => external_id)).toEqual(["t-1", "bellwether:m-8", "t-2"]);
  });

  test("an unknown requester is a dead letter, or is created without a mail (X-1, row 101)", async () => {
    const stranger = {
      ...order,
      "requester.external_id": "u-2",
      "requester.email": "bo@acme.example",
      "requester.name": "Bo",
    };
    const strict = await desk({ profile: "customerio" });
    expect(await strict.run("create_ticket", stranger)).toMatchObject({ state: "failed", code: "user_not_found" });
    expect(strict.effects()).toEqual([]);
    const open = await desk({ profile: "rudderstack" });
    expect(await open.run("create_ticket", stranger)).toMatchObject({ state: "done", result: { kind: "ticket" } });
    expect(open.effects()).toEqual(["user.created", "ticket.created"]);
  });

  test.each([
    ["a comment", { comment: undefined }, "missing_comment"],
    ["a requester", { "requester.external_id": undefined }, "missing_requester"],
    ["a group that exists", { group_id: "Nobody" }, "group_not_found"],
  ])("without %s there is none (C-28, X-12)", async (_what, change, code) => {
    const { run, effects } = await desk();
    expect(await run("create_ticket", { ...order, ...change })).toMatchObject({ state: "failed", code });
    expect(effects()).toEqual([]);
  });

  test("a group's name that several have is held (X-12)", async () => {
    const { world, run } = await desk();
    for (const name of ["Twins", "twins"]) world.definitions.createGroup({ name });
    expect(await run("create_ticket", { ...order, group_id: "Twins" })).toMatchObject({
      state: "held",
      code: "ambiguous_group",
    });
  });

  test("an assignee that is no id is Zendesk's to refuse, never somebody else's number", async () => {
    const { zendesk, run } = await desk();
    await run("create_ticket", { ...order, assignee_id: "1e3" }).catch(() => {});
    const [sent] = zendesk.journal.to(tickets).filter(({ method }) => method === "POST");
    expect(JSON.parse(String(sent?.body))).toMatchObject({ ticket: { assignee_id: "1e3" } });
  });

  test("of a suspended requester is refused in Zendesk's words (row 100)", async () => {
    const { ann, run } = await desk();
    ann.suspended = true;
    await expect(run("create_ticket", order)).rejects.toMatchObject({
      details: [{ description: expect.stringContaining("suspended") }],
    });
  });

  test.each([
    ["was committed", fault.reset("headers"), 1],
    ["was not", fault.status(502), 1],
  ] as const)("after a lost answer (it %s) is there once (row 96)", async (_what, kind, times) => {
    const { zendesk, begin, effects } = await desk();
    zendesk.faults.add({ method: "POST", path: tickets }, kind, { times });
    const delivery = begin("create_ticket", order);
    await expect(delivery.again()).rejects.toMatchObject({ code: "outcome_unknown" });
    expect(await delivery.again()).toMatchObject({ state: "done", result: { kind: "ticket" } });
    expect(effects()).toEqual(["ticket.created"]);
  });

  test("where the list does not show it yet, Zendesk knows the same request again by its key (row 96)", async () => {
    const { world, zendesk, begin, effects } = await desk();
    zendesk.faults.add({ method: "POST", path: tickets }, fault.reset("headers"), { times: 1 });
    zendesk.faults.add(
      { method: "GET", path: tickets },
      fault.changesRows("late", () => []),
    );
    const delivery = begin("create_ticket", { ...order, group_id: "support" });
    await expect(delivery.again()).rejects.toMatchObject({ code: "outcome_unknown" });
    world.advance(HOUR);
    expect(await delivery.again()).toMatchObject({ state: "done" });
    expect(effects()).toEqual(["ticket.created"]);
    const bodies = zendesk.journal.to(tickets).filter(({ method }) => method === "POST");
    expect(new Set(bodies.map(({ body }) => String(body))).size).toBe(1);
  });

  test("a corrected ticket, after a refusal, is another request with another key (row 96, replay)", async () => {
    const { ann, zendesk, begin, effects } = await desk();
    ann.suspended = true;
    const delivery = begin("create_ticket", order);
    await expect(delivery.again()).rejects.toMatchObject({ status: 422 });
    ann.suspended = false;
    expect(await delivery.again()).toMatchObject({ state: "done" });
    expect(effects()).toEqual(["ticket.created"]);
    const sent = zendesk.journal.to(tickets).filter(({ method }) => method === "POST");
    expect(new Set(sent.map(({ headers }) => headers["idempotency-key"])).size).toBe(2);
  });

  test("a request that Zendesk has done with other values is not done again: a person looks (row 96)", async () => {
    const { zendesk, run, effects } = await desk();
    zendesk.faults.add(
      { method: "POST", path: tickets },
      fault.status(400, { error: "IdempotentRequestError", description: "other" }),
    );
    expect(await run("create_ticket", order)).toMatchObject({ state: "unknown", code: "created_otherwise" });
    expect(effects()).toEqual([]);
  });
});

describe("updating a ticket", () => {
  async function withTicket() {
    const ground = await desk();
    const ticket = ground.world.tickets.create({
      subject: "Broken",
      status: "open",
      priority: "normal",
      tags: ["a", "b"],
      requesterId: ground.ann.id,
    });
    ticket.externalId = "t-1";
    ground.world.advance(60_000);
    return { ...ground, ticket };
  }
  const put = { method: "PUT", path: /\/api\/v2\/tickets\/\d+$/ } as const;

  test.each(["id", "external_id"])(
    "found by its %s takes what differs and a comment, tags one by one (C-10, X-12, row 98)",
    async (by) => {
      const { run, ticket, zendesk, valuesOf } = await withTicket();
      const fields = {
        [by]: by === "id" ? ticket.id : "t-1",
        priority: "urgent",
        status: "open",
        comment: "Again",
        public: true,
        additional_tags: ["b", "c"],
        remove_tags: ["a", "z"],
      };
      expect(await run("update_ticket", fields)).toMatchObject({
        state: "done",
        result: { kind: "ticket", id: ticket.id },
      });
      expect(valuesOf("ticket.updated")[0]).toMatchObject({
        priority: "urgent",
        comment: { body: "Again", public: true },
      });
      expect(ticket.tags).toEqual(["b", "c"]);
      const sent = zendesk.journal.entries.filter(({ method }) => method !== "GET");
      expect(sent.map(({ method, path }) => `${method} ${path.replace(ticket.id, "T")}`)).toEqual([
        "PUT /api/v2/tickets/T",
        "PUT /api/v2/tickets/T/tags",
        "DELETE /api/v2/tickets/T/tags",
      ]);
      const { ticket: body } = JSON.parse(String(sent[0]?.body));
      expect(body).toMatchObject({ safe_update: true, updated_stamp: expect.any(String) });
      expect(body).not.toHaveProperty("status");
    },
  );

  test("that has everything already is not written (R-27)", async () => {
    const { run, ticket, effects } = await withTicket();
    expect(await run("update_ticket", { id: ticket.id, priority: "normal", additional_tags: ["a"] })).toMatchObject({
      state: "done",
    });
    expect(effects()).toEqual([]);
  });

  test("gives it to another requester, found or made as that of a new one; a late call to nobody (X-12)", async () => {
    const { world, run, ticket, effects, valuesOf } = await withTicket();
    const bo = world.users.create({ name: "Bo", email: "bo@acme.example", externalId: "u-2" });
    const given = { id: ticket.id, "requester.email": "BO@acme.example" };
    expect(await run("update_ticket", { ...given, "requester.external_id": "u-1" })).toMatchObject({
      state: "held",
      code: "ambiguous_user",
    });
    expect(await run("update_ticket", given, { isOvertaken: true })).toMatchObject({
      state: "done",
      notes: [expect.stringContaining("the requester stayed as it is")],
    });
    expect(effects()).toEqual([]);
    expect(await run("update_ticket", given)).toMatchObject({
      state: "done",
      result: { kind: "ticket", id: ticket.id },
    });
    expect(valuesOf("ticket.updated")).toEqual([{ requester_id: Number(bo.id) }]);
    expect(await run("update_ticket", given)).toMatchObject({ state: "done" });
    expect(effects()).toEqual(["ticket.updated"]);
    const stranger = { id: ticket.id, "requester.external_id": "u-3", "requester.email": "cy@acme.example" };
    expect(await run("update_ticket", stranger)).toMatchObject({ state: "failed", code: "user_not_found" });
    const settings = { unknownUserOnTrack: "create" } as const;
    expect(await run("update_ticket", stranger, { settings })).toMatchObject({ state: "done" });
    expect(effects()).toEqual(["ticket.updated", "user.created", "ticket.updated"]);
    expect(world.users.byId.get(ticket.requesterId ?? "")?.email).toBe("cy@acme.example");
  });

  test("custom fields that differ are written, by id or title (X-12)", async () => {
    const { world, run, ticket } = await withTicket();
    const field = world.definitions.createField("ticket", { key: "seats", title: "Seats", type: "integer" });
    await run("update_ticket", { id: ticket.id, "custom_fields.seats": "4" });
    expect(ticket.customFields.get(field.id)).toBe(4);
  });

  test("nobody's, or several tickets' external id changes nothing (C-10, row 102)", async () => {
    const { world, run, effects } = await withTicket();
    world.tickets.create({ subject: "Twin" }).externalId = "t-1";
    expect(await run("update_ticket", { external_id: "t-1", priority: "low" })).toMatchObject({
      state: "held",
      code: "ambiguous_ticket",
    });
    expect(await run("update_ticket", { external_id: "t-9", priority: "low" })).toMatchObject({
      state: "failed",
      code: "ticket_not_found",
    });
    expect(await run("update_ticket", { id: "424242", priority: "low" })).toMatchObject({
      state: "failed",
      code: "ticket_not_found",
    });
    expect(effects()).toEqual([]);
  });

  test("a closed one is refused in Zendesk's words (row 100)", async () => {
    const { world, run, ticket } = await withTicket();
    world.tickets.update(ticket.id, { status: "closed", tags: ["old"] });
    await expect(run("update_ticket", { id: ticket.id, comment: "Hello?" })).rejects.toMatchObject({
      status: 422,
      details: [{ description: "Status: closed prevents ticket update" }],
    });
    const told = { state: "failed", code: "refused", reason: expect.stringContaining(`ticket ${ticket.id} is closed`) };
    expect(await run("update_ticket", { id: ticket.id, comment: "Hello?" }, { isDryRun: true })).toMatchObject(told);
    expect(await run("update_ticket", { id: ticket.id, status: "closed" }, { isDryRun: true })).toMatchObject({
      state: "done",
    });
    for (const tags of [{ additional_tags: ["new"] }, { remove_tags: ["old"] }]) {
      await expect(run("update_ticket", { id: ticket.id, ...tags })).rejects.toMatchObject({ status: 422 });
      expect(await run("update_ticket", { id: ticket.id, ...tags }, { isDryRun: true })).toMatchObject(told);
    }
    const asItIs = { id: ticket.id, additional_tags: ["old"], remove_tags: ["new"] };
    expect(await run("update_ticket", asItIs, { isDryRun: true })).toMatchObject({ state: "done" });
  });

  test.each(["id", "external_id"])(
    "so is one that was closed long ago, by its %s: no list has it (row 100)",
    async (by) => {
      const { world, run, ticket } = await withTicket();
      const archived = (id: string) => {
        world.tickets.update(id, { status: "closed" });
        world.tickets.archive(id);
      };
      archived(ticket.id);
      // The search goes by words.
      const alike = world.tickets.create({ subject: "Alike" });
      alike.externalId = "t-1-2";
      archived(alike.id);
      world.advance(60_000);
      const fields = { [by]: by === "id" ? ticket.id : "t-1", comment: "Hello?" };
      await expect(run("update_ticket", fields)).rejects.toMatchObject({
        status: 422,
        details: [{ description: "Status: closed prevents ticket update" }],
      });
    },
  );

  test("an archived one that the login may not search for is not said to be absent (row 100)", async () => {
    const { world, zendesk, run, ticket } = await withTicket();
    world.tickets.update(ticket.id, { status: "closed" });
    world.tickets.archive(ticket.id);
    zendesk.faults.add({ path: "/api/v2/search" }, fault.forbidden("scope"));
    expect(await run("update_ticket", { external_id: "t-1", comment: "Hello?" })).toMatchObject({
      state: "failed",
      code: "ticket_not_found",
      reason: expect.stringMatching(/may not search.*closed/),
      fix: expect.stringMatching(/scope “read”/),
    });
  });

  test("an agent's change between our look and our write is not overwritten unseen (row 98)", async () => {
    const { world, zendesk, begin, ticket } = await withTicket();
    const meanwhile = fault.inTheMoment("an agent", () => {
      world.advance(2000);
      world.tickets.update(ticket.id, { priority: "high" });
    });
    zendesk.faults.add(put, meanwhile, { times: 1 });
    const delivery = begin("update_ticket", { id: ticket.id, status: "pending", comment: "Waiting" });
    await expect(delivery.again()).rejects.toMatchObject({ status: 409 });
    expect(await delivery.again()).toMatchObject({
      state: "done",
      notes: [expect.stringContaining("Somebody else changed the ticket")],
    });
    expect([ticket.priority, ticket.status]).toEqual(["high", "pending"]);
  });

  test.each([
    ["was committed", fault.reset("headers")],
    ["was not", fault.status(502)],
  ] as const)("after a lost answer (it %s) has the comment once, and the tags (rows 96, 98)", async (_what, kind) => {
    const { world, zendesk, begin, ticket, valuesOf } = await withTicket();
    zendesk.faults.add(put, kind, { times: 1 });
    const delivery = begin("update_ticket", {
      id: ticket.id,
      status: "pending",
      comment: "Waiting",
      additional_tags: ["c"],
    });
    await expect(delivery.again()).rejects.toMatchObject({ code: "outcome_unknown" });
    world.advance(30_000);
    world.tickets.update(ticket.id, { priority: "high" }, { comment: { body: "An agent's", isPublic: true } });
    expect(await delivery.again()).toMatchObject({ state: "done" });
    expect(valuesOf("ticket.updated").filter(({ comment }) => comment)).toHaveLength(1);
    expect([ticket.status, ticket.tags.includes("c")]).toEqual(["pending", true]);
  });

  test("behind a later call fills what is empty, and writes over no field and no tag of that one's (replay)", async () => {
    const { world, run, ticket, valuesOf } = await withTicket();
    const [seats, colour] = [
      world.definitions.createField("ticket", { key: "seats", title: "Seats", type: "integer" }),
      world.definitions.createField("ticket", { key: "colour", title: "Colour", type: "text" }),
    ];
    ticket.customFields.set(seats.id, 9);
    const late = {
      priority: "low",
      "custom_fields.seats": 4,
      "custom_fields.colour": "red",
      additional_tags: ["late"],
      remove_tags: ["a"],
    };
    expect(await run("update_ticket", { id: ticket.id, ...late }, { isOvertaken: true })).toMatchObject({
      state: "done",
      notes: [expect.stringContaining(`priority, custom_fields.${seats.id}`), expect.stringContaining("late, a")],
    });
    expect([ticket.priority, ticket.customFields.get(seats.id), ticket.customFields.get(colour.id)]).toEqual([
      "normal",
      9,
      "red",
    ]);
    expect(ticket.tags).toEqual(["a", "b"]);
    expect(valuesOf("ticket.updated")).toHaveLength(1);
  });

  test("whose comment was written by a try that a restored database has forgotten is not commented again (row 85)", async () => {
    const { zendesk, begin, ticket, valuesOf } = await withTicket();
    const delivery = begin("update_ticket", { id: ticket.id, comment: "Once" });
    await delivery.again();
    const [sent] = zendesk.journal.entries.filter(({ method }) => method === "PUT");
    const { metadata: custom } = JSON.parse(String(sent?.body)).ticket;
    const withMetadata = fault.changesRows("metadata", (rows) => rows.map((row) => ({ ...row, metadata: { custom } })));
    zendesk.faults.add({ method: "GET", path: /audits$/ }, withMetadata);
    delivery.earlier.length = 0;
    expect(await delivery.again()).toMatchObject({ state: "done" });
    expect(valuesOf("ticket.updated").filter(({ comment }) => comment)).toHaveLength(1);
  });

  test.each(["0x10", "1e3", "12/merge", "9".repeat(600)])(
    "an id that is none (%s) never stands in a path",
    async (id) => {
      const { zendesk, run } = await withTicket();
      expect(await run("update_ticket", { id, comment: "?" })).toMatchObject({ state: "failed" });
      expect(zendesk.journal.entries).toEqual([]);
    },
  );

  test("whose comment was written is not commented again when its tags are tried again (row 96)", async () => {
    const { zendesk, begin, ticket, valuesOf } = await withTicket();
    zendesk.faults.add({ method: "PUT", path: /tags$/ }, fault.tooManyRequests({ retryAfter: "30" }), { times: 1 });
    const delivery = begin("update_ticket", { id: ticket.id, comment: "Once", additional_tags: ["c"] });
    await expect(delivery.again()).rejects.toMatchObject({ name: "WaitNeeded" });
    expect(await delivery.again()).toMatchObject({ state: "done" });
    expect(valuesOf("ticket.updated").filter(({ comment }) => comment)).toHaveLength(1);
    expect(ticket.tags).toContain("c");
  });
});
