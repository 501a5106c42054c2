import { describe, expect, test } from "vitest";
import type { CommandKind } from "#lib/destinations/shapes.ts";
import { openQueue, type Queue } from "#test/destinations/queue-ground.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { userRow } from "#test/support/zendesk/wire/people.ts";
import { DAY, SECOND } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";

const database = useDatabase();
const annsEmail = "ann@acme.example";

/** An account with a customer, a ticket of hers and another one. */
async function open() {
  const world = new World({ clock: "2026-03-02T09:00:00Z" });
  world.definitions.createField("user", { key: "plan", type: "text" });
  const ann = world.users.create({ name: "Ann", email: annsEmail, externalId: "u-1", fields: { plan: "free" } });
  const asks = (subject: string) => world.tickets.create({ subject, status: "open", requesterId: ann.id });
  const [ticket, other] = [asks("First"), asks("Second")];
  ticket.externalId = "t-1";
  world.advance(DAY);
  return { ...(await openQueue(database, world)), ann, ticket, other };
}

const writesOf = ({ zendesk }: Queue) =>
  zendesk.journal.entries
    .filter(({ method, path }) => method !== "GET" && path.startsWith("/api/"))
    .map(({ method, path }) => `${method} ${path}`);

/** A command to its end, and some days on: how it ended, and what was written by then. */
async function ended(queue: Queue, action: CommandKind, fields: Record<string, unknown>) {
  const [id = ""] = await queue.queue({ action, command: { fields, unmapped: {} }, lanes: ["u:u-1"] });
  await queue.drain();
  queue.world.advance(5 * SECOND);
  await queue.drain();
  const writes = writesOf(queue);
  queue.world.advance(2 * DAY);
  await queue.drain();
  expect(writesOf(queue)).toEqual(writes);
  return { ...(await queue.delivery(id)), writes };
}

describe("what Zendesk will never take is final, in its words, and is not tried again (row 100)", () => {
  const comment = { comment: "Hello?" };

  test.each(["id", "external_id"])("a comment on a merged ticket, named by its %s", async (by) => {
    const queue = await open();
    const { world, ticket, other, zendesk } = queue;
    world.tickets.merge(other.id, [ticket.id]);
    const fields = { [by]: by === "id" ? ticket.id : "t-1", ...comment };
    const delivery = await ended(queue, "update_ticket", fields);
    expect(delivery).toMatchObject({ state: "failed", code: "refused", attempts: 1, due_at: null });
    expect(delivery.reason).toContain("closed prevents ticket update");
    expect(delivery.fix).toMatch(/closed ticket cannot be changed/);
    expect(delivery.writes).toEqual([`PUT /api/v2/tickets/${ticket.id}`]);
    expect(zendesk.effects.entries).toEqual([]);
  });

  test.each(["id", "external_id"])("a comment on a deleted ticket, named by its %s", async (by) => {
    const queue = await open();
    queue.world.tickets.delete(queue.ticket.id);
    const fields = { [by]: by === "id" ? queue.ticket.id : "t-1", ...comment };
    const delivery = await ended(queue, "update_ticket", fields);
    expect(delivery).toMatchObject({ state: "failed", code: "ticket_not_found", attempts: 1, writes: [] });
  });

  test("a ticket that is deleted in the very moment", async () => {
    const queue = await open();
    const { world, ticket, zendesk } = queue;
    const gone = fault.inTheMoment("an agent", () => world.tickets.delete(ticket.id));
    zendesk.faults.add({ method: "PUT", path: /tickets\/\d+$/ }, gone);
    const delivery = await ended(queue, "update_ticket", { id: ticket.id, ...comment });
    expect(delivery).toMatchObject({ state: "failed", code: "not_found", attempts: 1 });
    expect(delivery.reason).toMatch(/does not exist in Zendesk any more/);
    expect(delivery.writes).toHaveLength(1);
    expect(zendesk.effects.entries).toEqual([]);
  });

  test("a user who was merged into another, named by the former id", async () => {
    const queue = await open();
    const { world, ann, zendesk } = queue;
    world.users.merge(ann.id, world.users.create({ name: "Ann Lee", email: "lee@acme.example" }).id);
    const fields = { id: ann.id, name: "Ann L." };
    const delivery = await ended(queue, "upsert_user", fields);
    expect(delivery).toMatchObject({ state: "failed", code: "user_not_found", attempts: 1, writes: [] });
    expect(zendesk.effects.entries).toEqual([]);
  });

  test("a user who is merged in the very moment; taken up again, it is the other's", async () => {
    const queue = await open();
    const { world, ann, zendesk } = queue;
    const winner = world.users.create({ name: "Ann Lee", email: "lee@acme.example" });
    const merged = fault.inTheMoment("an agent", () => world.users.merge(ann.id, winner.id));
    zendesk.faults.add({ method: "PUT", path: /users\/\d+$/ }, merged, { times: 1 });
    const fields = { external_id: "u-1", email: annsEmail, "user_fields.plan": "gold" };
    const delivery = await ended(queue, "upsert_user", fields);
    expect(delivery).toMatchObject({ state: "failed", code: "not_found", attempts: 1 });
    expect(zendesk.effects.entries).toEqual([]);
    expect(await ended(queue, "upsert_user", fields)).toMatchObject({ state: "done", result_id: winner.id });
    expect([winner.externalId, winner.email, winner.fields.get("plan")]).toEqual(["u-1", "lee@acme.example", "gold"]);
  });

  test("a field that cannot be written, which Zendesk refuses", async () => {
    const queue = await open();
    const words = { plan: [{ description: "Plan: is read-only", error: "ReadOnly" }] };
    const refusal = fault.status(422, {
      error: "RecordInvalid",
      description: "Record validation errors",
      details: words,
    });
    queue.zendesk.faults.add({ method: "PUT", path: /users\/\d+$/ }, refusal);
    const fields = { external_id: "u-1", email: annsEmail, "user_fields.plan": "gold" };
    const delivery = await ended(queue, "upsert_user", fields);
    expect(delivery).toMatchObject({ state: "failed", code: "refused", attempts: 1 });
    expect(delivery.reason).toBe("Zendesk refuses it (422): plan: is read-only (ReadOnly).");
    expect(delivery.fix).toMatch(/^Correct plan /);
    expect(delivery.writes).toHaveLength(1);
  });

  test("a field that Zendesk says yes to and leaves as it was: looked up once, then told", async () => {
    const queue = await open();
    const { ann, zendesk } = queue;
    zendesk.faults.add(
      { method: "PUT", path: /users\/\d+$/ },
      fault.changes("keeps its own", (answer) => {
        ann.fields.set("plan", "free");
        const { user } = answer.json as { user: object };
        return { ...answer, json: { user: { ...user, user_fields: { plan: "free" } } } };
      }),
    );
    const fields = { external_id: "u-1", email: annsEmail, "user_fields.plan": "gold" };
    const delivery = await ended(queue, "upsert_user", fields);
    expect(delivery).toMatchObject({ state: "failed", code: "not_taken", attempts: 2 });
    expect(delivery.reason).toContain("left user_fields.plan as it was");
    expect(delivery.writes).toHaveLength(2);
  });
});

describe("whom a write means (row 101)", () => {
  const calls = [
    { email: annsEmail, name: "Ann", external_id: "u-9" },
    { email: annsEmail.toUpperCase(), name: "Ann Lee" },
  ];

  test.each([
    ["one after the other", ["m:ann@acme.example"]],
    ["at the same time", []],
  ])("two rows are one person, in whatever case the mail is written: %s", async (_when, lanes) => {
    const world = new World({ clock: "2026-03-02T09:00:00Z", settings: { searchLag: 20_000 } });
    const queue = await openQueue(database, world);
    const ids = await queue.queue(
      ...calls.map((fields) => ({ action: "upsert_user" as const, command: { fields, unmapped: {} }, lanes })),
    );
    for (let round = 0; round < 4; round++) {
      await Promise.all(["one@test/1/aa", "two@test/2/bb"].map((holder) => queue.drain({ holder })));
      queue.world.advance(30 * SECOND);
    }
    const deliveries = await Promise.all(ids.map((id) => queue.delivery(id)));
    expect(deliveries.map(({ state }) => state)).toEqual(["done", "done"]);
    expect(new Set(deliveries.map(({ result_id }) => result_id)).size).toBe(1);
    const [user, ...others] = world.users.list(({ role }) => role === "end-user");
    expect([user?.email?.toLowerCase(), user?.externalId, others]).toEqual([annsEmail, "u-9", []]);
    expect(queue.zendesk.effects.of("verification_mail")).toEqual([]);
  });

  test("the mail of a deleted user is a new person's: the deleted one stays as it is", async () => {
    const queue = await open();
    const { world, ann, zendesk } = queue;
    world.users.delete(ann.id);
    const before = JSON.stringify([...ann.fields, ann.name, ann.phone, ann.updatedAt]);
    // Lists that tell of deleted users as their own address does.
    const deleted = { ...userRow(world, "", ann), email: annsEmail };
    const shown = fault.changesRows("deleted ones too", (rows) => [deleted, ...rows]);
    zendesk.faults.add({ method: "GET", path: /^\/api\/v2\/users(\/search)?$/ }, shown);
    const fields = { external_id: "u-1", email: annsEmail, name: "Ann Lee" };
    const delivery = await ended(queue, "upsert_user", fields);
    expect(delivery).toMatchObject({ state: "done", result_kind: "user" });
    expect(delivery.result_id).not.toBe(ann.id);
    expect(JSON.stringify([...ann.fields, ann.name, ann.phone, ann.updatedAt])).toBe(before);
    expect(zendesk.effects.entries.map(({ kind, id }) => [kind, id])).toEqual([["user.created", delivery.result_id]]);
  });

  test("where Zendesk keeps the mail for the deleted user, a person is told where to look; nobody is doubled", async () => {
    const queue = await open();
    const { world, ann, zendesk } = queue;
    world.users.delete(ann.id);
    const words = {
      email: [{ description: "Email: ann@acme.example is already being used", error: "DuplicateValue" }],
    };
    zendesk.faults.add(
      { method: "POST", path: "/api/v2/users" },
      fault.status(422, { error: "RecordInvalid", details: words }),
    );
    const fields = { external_id: "u-1", email: annsEmail, name: "Ann Lee" };
    const [id = ""] = await queue.queue({ action: "upsert_user", command: { fields, unmapped: {} } });
    for (let look = 0; look < 25; look++) {
      await queue.drain();
      queue.world.advance(30 * SECOND);
    }
    expect(await queue.delivery(id)).toMatchObject({
      ...{ state: "held", code: "user_taken", due_at: null },
      fix: expect.stringMatching(/deleted or suspended user/),
    });
    expect(zendesk.effects.entries).toEqual([]);
  });
});
