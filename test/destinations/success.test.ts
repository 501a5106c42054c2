import { describe, expect, test } from "vitest";
import { openQueue } from "#test/destinations/queue-ground.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import type { Fault } from "#test/support/zendesk/faults.ts";
import { SECOND } from "#test/support/zendesk/world/clock.ts";
import { answersOther } from "#test/support/zendesk/write-faults.ts";

const database = useDatabase();

/** An account with a customer, and commands to it as the queue does them. */
async function desk() {
  const queue = await openQueue(database);
  const { world, zendesk } = queue;
  const ann = world.users.create({ name: "Ann", email: "ann@acme.example", externalId: "u-1", tags: ["old"] });
  const acme = world.organizations.create({ name: "Acme", externalId: "g-1", domainNames: ["acme.example"] });
  const group = world.definitions.createGroup({ name: "Billing" });
  const ticket = world.tickets.create({ subject: "Broken", status: "open", priority: "low", requesterId: ann.id });
  world.advance(60 * SECOND);
  const run = async (
    action: "upsert_user" | "upsert_organization" | "create_ticket" | "update_ticket",
    fields: object,
  ) => {
    const [id = ""] = await queue.queue({ action, command: { fields: { ...fields }, unmapped: {} } });
    await queue.drain();
    return queue.delivery(id);
  };
  return {
    ...{ ...queue, ann, acme, group, ticket, run },
    /** What became of it after the look-up that is due. */
    again: async (id: string) => {
      world.advance(5 * SECOND);
      await queue.drain();
      return queue.delivery(id);
    },
    sent: (path: string) => zendesk.journal.to(path).filter(({ method }) => method !== "GET"),
  };
}

/** The account's answer to a write, with other values in its object. */
const shows = (key: string, values: object): Fault =>
  fault.changes("other values", (answer) => {
    const row = (answer.json as Record<string, object>)[key];
    return { ...answer, json: { ...(answer.json as object), [key]: { ...row, ...values } } };
  });

describe("a list counts as written only where the answer has all of it (row 97)", () => {
  const vip = { external_id: "u-1", tags: ["VIP"] };

  test("tags answered with an empty object are unknown, and written when nothing is there", async () => {
    const { ann, zendesk, run, again } = await desk();
    zendesk.faults.add({ method: "PUT", path: /\/tags$/ }, fault.answers("nothing", { status: 200, json: {} }), {
      times: 1,
    });
    const first = await run("upsert_user", vip);
    expect(first).toMatchObject({ state: "unknown", code: "outcome_unknown" });
    expect(await again(first.id)).toMatchObject({ state: "done" });
    expect(ann.tags).toEqual(["old", "vip"]);
  });

  test("tags that Zendesk leaves as they were each time have failed, and are named", async () => {
    const { zendesk, run, again } = await desk();
    zendesk.faults.add(
      { method: "PUT", path: /\/tags$/ },
      fault.answers("left", { status: 200, json: { tags: ["old"] } }),
    );
    const first = await run("upsert_user", vip);
    expect(first).toMatchObject({
      state: "unknown",
      reason: expect.stringContaining("tags is “old” where “vip” was sent"),
    });
    expect(await again(first.id)).toMatchObject({
      ...{ state: "failed", code: "not_taken" },
      reason: expect.stringContaining("left tags as it was"),
    });
  });

  test("tags that are still there after they were taken away are unknown", async () => {
    const { ticket, world, zendesk, run, again } = await desk();
    world.tickets.update(ticket.id, { tags: ["a", "b"] });
    const left = fault.answers("left", { status: 200, json: { tags: ["a", "b"] } });
    zendesk.faults.add({ method: "DELETE", path: /\/tags$/ }, left, { times: 1 });
    const first = await run("update_ticket", { id: ticket.id, remove_tags: ["a"] });
    expect(first).toMatchObject({ state: "unknown", reason: expect.stringContaining("none of a") });
    expect(await again(first.id)).toMatchObject({ state: "done" });
    expect(ticket.tags).toEqual(["b"]);
  });

  test("domains that the answer does not have are unknown, and looked up", async () => {
    const { acme, zendesk, run, again } = await desk();
    const put = { method: "PUT", path: `/api/v2/organizations/${acme.id}` };
    const row = { id: Number(acme.id), name: "Acme", external_id: "g-1", domain_names: [] };
    zendesk.faults.add(put, answersOther("organization", row), { times: 1 });
    const first = await run("upsert_organization", { external_id: "g-1", domain_names: ["new.example"] });
    expect(first).toMatchObject({ state: "unknown", reason: expect.stringContaining("domain_names") });
    expect(await again(first.id)).toMatchObject({ state: "done" });
    expect(acme.domainNames).toEqual(["acme.example", "new.example"]);
  });
});

test("a domain that goes lost when others are added is put back, and that is told (rows 97, 98)", async () => {
  const { acme, zendesk, run, again } = await desk();
  const drops = (request: { body: Buffer }) => {
    const { organization } = JSON.parse(request.body.toString("utf8")) as { organization: Record<string, unknown> };
    request.body = Buffer.from(JSON.stringify({ organization: { ...organization, domain_names: ["new.example"] } }));
  };
  zendesk.faults.before({ method: "PUT", path: `/api/v2/organizations/${acme.id}` }, drops, { times: 1 });
  const first = await run("upsert_organization", { external_id: "g-1", domain_names: ["new.example"] });
  expect([first.state, acme.domainNames]).toEqual(["unknown", ["new.example"]]);
  const { state, notes } = await again(first.id);
  expect({ state, notes }).toEqual({ state: "done", notes: [expect.stringContaining("acme.example")] });
  expect(acme.domainNames).toEqual(["new.example", "acme.example"]);
});

describe("a ticket that the answer shows otherwise (row 97)", () => {
  test("has its status and priority told, which a trigger of the account may have changed", async () => {
    const { ticket, zendesk, run, sent } = await desk();
    const path = `/api/v2/tickets/${ticket.id}`;
    const row = { id: Number(ticket.id), subject: "Broken", status: "open", priority: null };
    zendesk.faults.add({ method: "PUT", path }, answersOther("ticket", row));
    const { state, notes } = await run("update_ticket", { id: ticket.id, status: "solved", priority: "high" });
    expect({ state, notes }).toEqual({
      state: "done",
      notes: [
        expect.stringContaining("status is “open” where “solved” was sent; priority is “” where “high” was sent"),
      ],
    });
    expect(sent(path)).toHaveLength(1);
  });

  test.each([
    ["its group", "group_id", (group: string) => ({ group_id: group }), { group_id: null }],
    ["its type", "type", () => ({ type: "incident" }), { type: null }],
    ["a custom field", "custom_fields", () => ({ "custom_fields.Seats": 4 }), { custom_fields: "as before" }],
  ])("has failed where %s stays as it was; a comment is there once", async (_what, name, fields, kept) => {
    const { ticket, group, world, zendesk, run, again } = await desk();
    const seats = world.definitions.createField("ticket", { key: "seats", title: "Seats", type: "integer" });
    const values = name === "custom_fields" ? { custom_fields: [{ id: Number(seats.id), value: null }] } : kept;
    zendesk.faults.before({ method: "PUT", path: /tickets\/\d+$/ }, (request) => {
      // What an app of the account keeps from being changed.
      const { ticket: given } = JSON.parse(request.body.toString("utf8")) as { ticket: Record<string, unknown> };
      delete given[name];
      request.body = Buffer.from(JSON.stringify({ ticket: given }));
    });
    zendesk.faults.add({ method: "PUT", path: /tickets\/\d+$/ }, shows("ticket", values));
    const first = await run("update_ticket", { id: ticket.id, comment: "Hello", ...fields(group.id) });
    expect(first).toMatchObject({ state: "unknown", reason: expect.stringContaining(name) });
    const { state, code, reason } = await again(first.id);
    expect({ state, code }).toEqual({ state: "failed", code: "not_taken" });
    expect(reason).toContain(`left ${name}`);
    expect(ticket.audits.filter(({ comment }) => comment?.body === "Hello")).toHaveLength(1);
  });

  test("and is a new one is there, however a trigger has filed it, and tells", async () => {
    const { group, ann, zendesk, run } = await desk();
    zendesk.faults.add(
      { method: "POST", path: "/api/v2/tickets" },
      shows("ticket", { group_id: 7, tags: [], priority: "urgent" }),
    );
    const { state, notes } = await run("create_ticket", {
      ...{ subject: "S", comment: "C", external_id: "t-1", "requester.id": ann.id },
      ...{ group_id: group.id, tags: ["Hard ware"], priority: "low" },
    });
    expect(state).toBe("done");
    expect(notes).toEqual([expect.stringMatching(/^Zendesk shows priority is “urgent”.*group_id is “7”.*tags is “”/)]);
    expect(zendesk.effects.of("ticket.created")).toHaveLength(1);
  });
});

describe("what Zendesk keeps in a form of its own is as it was sent (row 97)", () => {
  test("phone, e-mail, time zone, tags, domains and dates", async () => {
    const { ann, acme, world, zendesk, run } = await desk();
    world.definitions.createField("user", { key: "since", title: "Since", type: "date" });
    world.definitions.createField("user", { key: "gone", title: "Gone", type: "checkbox" });
    const asKept = {
      phone: "+49301234567",
      email: "bo@acme.example",
      time_zone: "Berlin",
      iana_time_zone: "Europe/Berlin",
    };
    const user = shows("user", {
      ...asKept,
      tags: ["old", "key_account"],
      user_fields: { since: "2026-01-02T00:00:00+00:00" },
    });
    zendesk.faults.add({ method: "POST", path: "/api/v2/users" }, user);
    const created = await run("upsert_user", {
      ...{ email: "Bo@Acme.example", name: "Bo", phone: "(030) 123 45 67", time_zone: "Europe/Berlin" },
      ...{ tags: ["Key Account"], "user_fields.since": "2026-01-02", "user_fields.gone": "no" },
    });
    expect(created).toMatchObject({ state: "done", notes: [] });
    const shown = shows("organization", { domain_names: ["acme.example", "xn--mnchen-3ya.example"] });
    zendesk.faults.add({ method: "PUT", path: `/api/v2/organizations/${acme.id}` }, shown);
    const written = await run("upsert_organization", { external_id: "g-1", domain_names: ["München.example"] });
    expect(written).toMatchObject({ state: "done", notes: [] });
    expect(ann.tags).toEqual(["old"]);
  });

  test.each([
    ["phone", { phone: "+49 30 1234567" }, { phone: "+49 30 7654321" }],
    ["time_zone", { time_zone: "Europe/Berlin" }, { time_zone: "Hawaii", iana_time_zone: "Pacific/Honolulu" }],
    ["email", { email: "bo@acme.example" }, { email: "al@acme.example" }],
  ])("another %s is none", async (field, sent, shown) => {
    const { zendesk, run } = await desk();
    zendesk.faults.add({ method: "POST", path: "/api/v2/users" }, shows("user", shown));
    const delivery = await run("upsert_user", { email: "bo@acme.example", name: "Bo", ...sent });
    expect(delivery).toMatchObject({ state: "unknown", reason: expect.stringContaining(`${field} is “`) });
  });
});
