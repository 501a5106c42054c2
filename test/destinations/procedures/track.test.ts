import { describe, expect, test } from "vitest";
import { registerSecrets } from "#lib/log.ts";
import { accountTimeline } from "#lib/timeline/list.ts";
import { timelineQuery } from "#lib/timeline/shapes.ts";
import { useDatabase } from "#test/support/database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { commitsThen } from "#test/support/zendesk/write-faults.ts";
import { putConnection } from "#test/timeline/ticket.ts";
import { destination } from "./ground.ts";

const database = useDatabase();
const read = { type: "Article Read", properties: { title: "How to", course: { id: 7 } }, "user.external_id": "u-1" };
const events = /\/users\/\d+\/events$/;

async function known(told: Parameters<typeof destination>[0] = {}) {
  const ground = await destination(told);
  const ann = ground.world.users.create({ name: "Ann", email: "ann@acme.example", externalId: "u-1" });
  return { ...ground, ann };
}

describe("an event of a known user", () => {
  test("is filed under them with its properties and the message's id, and brings nobody a new address (C-8, C-33, R-19, X-4)", async () => {
    const { run, ann, valuesOf } = await known();
    const fields = { ...read, created_at: "2026-03-01T10:00:00Z" };
    expect(await run("track_event", fields, { messageId: "m-1" })).toEqual({
      state: "done",
      result: { kind: "user", id: ann.id },
    });
    expect(valuesOf("customer_event.received")).toMatchObject([
      {
        user_id: ann.id,
        source: "bellwether",
        type: "Article Read",
        properties: { title: "How to", course: { id: 7 }, messageId: "m-1" },
      },
    ]);
    expect(valuesOf("identity.created")).toEqual([]);
  });

  test("a Zendesk id given with it comes first, and is checked (C-29)", async () => {
    const { world, run, valuesOf } = await known();
    const other = world.users.create({ name: "Other" });
    await run("track_event", { ...read, "user.id": other.id });
    expect(valuesOf("customer_event.received")).toMatchObject([{ user_id: other.id }]);
    expect(await run("track_event", { ...read, "user.id": "4242" })).toMatchObject({
      state: "failed",
      code: "user_not_found",
    });
  });

  test("its e-mail finds the user where the external id does not (C-30, C-33)", async () => {
    const { world, run, valuesOf } = await known();
    const bo = world.users.create({ name: "Bo", email: "bo@acme.example" });
    await run("track_event", { ...read, "user.external_id": "u-9", "user.email": "Bo@acme.example" });
    expect(valuesOf("customer_event.received")).toMatchObject([{ user_id: bo.id }]);
  });
});

describe("an event of nobody", () => {
  const stranger = { ...read, "user.external_id": "u-2", "user.email": "new@acme.example", "user.name": "New" };

  test("is a dead letter by default (C-28, C-31, X-1)", async () => {
    const { run, effects } = await known({ profile: "customerio" });
    expect(await run("track_event", stranger)).toMatchObject({
      state: "failed",
      code: "user_not_found",
      fix: expect.stringContaining("Identify"),
    });
    expect(effects()).toEqual([]);
  });

  test("creates the user where the settings say so (X-1, RudderStack's code)", async () => {
    const { run, effects } = await known({ profile: "rudderstack" });
    expect(await run("track_event", stranger)).toMatchObject({ state: "done" });
    expect(effects().filter((kind) => kind !== "profile.created")).toEqual(["user.created", "customer_event.received"]);
  });

  test("who was created in the same moment keeps their name: the e-mail stands in for a new one's only", async () => {
    const { world, zendesk, run, effects } = await known({ profile: "rudderstack" });
    const meanwhile = fault.inTheMoment("an identify", () => {
      if (world.identities.ownerOf("new@acme.example") === undefined)
        world.users.create({ name: "New Person", email: "new@acme.example", externalId: "u-2" });
    });
    zendesk.faults.add({ method: "POST", path: "/api/v2/users" }, meanwhile);
    const verdict = await run("track_event", { ...stranger, "user.name": undefined });
    expect(verdict).toMatchObject({ state: "done" });
    expect(verdict).not.toHaveProperty("notes");
    expect(world.identities.ownerOf("new@acme.example")?.name).toBe("New Person");
    expect(effects()).not.toContain("user.updated");
  });

  test("in a dry run says that each command is looked at alone (row 103)", async () => {
    const { run } = await known({ profile: "customerio" });
    expect(await run("track_event", stranger, { isDryRun: true })).toMatchObject({
      code: "user_not_found",
      reason: expect.stringContaining("another one of the same event"),
    });
  });
});

describe("a second try", () => {
  test("finds the event that was taken, also one that shows late, and files it once (rows 96, 104)", async () => {
    const { world, zendesk, begin, valuesOf } = await known({ world: { eventLag: 40_000 } });
    zendesk.faults.add({ method: "POST", path: events }, fault.reset("headers"), { times: 1 });
    const delivery = begin("track_event", read);
    await expect(delivery.again()).rejects.toMatchObject({ code: "outcome_unknown" });
    world.advance(10_000);
    expect(await delivery.again()).toMatchObject({ state: "unknown", code: "event_not_visible" });
    world.advance(35_000);
    expect(await delivery.again()).toMatchObject({ state: "done" });
    expect(valuesOf("customer_event.received")).toHaveLength(1);
  });

  test.each(["408", "503", "503 told"] as const)(
    "looks for what was taken behind a %s, and files it once (row 96)",
    async (lost) => {
      const { world, zendesk, begin, valuesOf } = await known();
      zendesk.faults.add({ method: "POST", path: events }, commitsThen(lost), { times: 1 });
      const delivery = begin("track_event", read);
      await expect(delivery.again()).rejects.toMatchObject({ code: "outcome_unknown" });
      world.advance(10_000);
      expect(await delivery.again()).toMatchObject({ state: "done" });
      expect(valuesOf("customer_event.received")).toHaveLength(1);
    },
  );

  test("looks where it was filed, though a later call has given the user another name since (row 96, X-1)", async () => {
    const { world, zendesk, begin, ann, valuesOf } = await known({ settings: { unknownUserOnTrack: "create" } });
    zendesk.faults.add({ method: "POST", path: events }, fault.reset("headers"), { times: 1 });
    const delivery = begin("track_event", read);
    await expect(delivery.again()).rejects.toMatchObject({ code: "outcome_unknown" });
    world.users.update(ann.id, { externalId: "u-2" });
    world.advance(60_000);
    const people = world.users.list().length;
    expect(await delivery.again()).toMatchObject({ state: "done", result: { id: ann.id } });
    expect(valuesOf("customer_event.received")).toHaveLength(1);
    expect(world.users.list()).toHaveLength(people);
  });

  test("of a delivery that has waited finds what a restored database has forgotten, and files it once (row 85)", async () => {
    const { world, begin, valuesOf } = await known();
    const delivery = begin("track_event", read);
    await delivery.again();
    delivery.earlier.length = 0;
    world.advance(10 * 60_000);
    expect(await delivery.again()).toMatchObject({ state: "done" });
    expect(valuesOf("customer_event.received")).toHaveLength(1);
  });

  test("sends again what is not there after every lag (row 104)", async () => {
    const { world, zendesk, begin, valuesOf } = await known();
    zendesk.faults.add({ method: "POST", path: events }, fault.status(502), { times: 1 });
    const delivery = begin("track_event", read);
    await expect(delivery.again()).rejects.toMatchObject({ code: "outcome_unknown" });
    expect(await delivery.again()).toMatchObject({ state: "unknown" });
    world.advance(6 * 60_000);
    expect(await delivery.again()).toMatchObject({ state: "done" });
    expect(valuesOf("customer_event.received")).toHaveLength(1);
  });
});

describe("a plan without customer events", () => {
  async function account(sunshine: 403 | 404, { isAlone = false } = {}) {
    const workspaceId = await database.workspace();
    const scope = await database.inWorkspace(workspaceId, (trx) => putConnection(trx, workspaceId, "acme"));
    const ground = await known({ world: { sunshine }, db: database.db, scope });
    const organization = ground.world.organizations.create({ name: "Acme" });
    if (!isAlone) ground.world.users.join(ground.ann.id, organization.id);
    const accountId = await database.inWorkspace(workspaceId, async (trx) => {
      const at = new Date("2026-01-01T00:00:00Z");
      const { id } = await trx
        .insertInto("account")
        .values({ workspace_id: workspaceId, external_id: "a", name: "Acme", created_at: at, updated_at: at })
        .returning("id")
        .executeTakeFirstOrThrow();
      const match = { account_id: id, match_state: "matched", content_hash: "0" };
      await trx
        .insertInto("organization")
        .values({ workspace_id: workspaceId, connection_id: scope.connectionId, id: organization.id, ...match })
        .execute();
      return id;
    });
    const timeline = (query: Record<string, unknown>) =>
      database.inWorkspace(workspaceId, (trx) =>
        accountTimeline(trx, workspaceId, accountId, timelineQuery.parse(query), "https://{subdomain}.zendesk.com"),
      );
    /** What the next run of the users stream leaves. */
    const joined = () =>
      database.inWorkspace(workspaceId, (trx) =>
        trx
          .insertInto("zendesk_user")
          .values({
            workspace_id: workspaceId,
            connection_id: scope.connectionId,
            id: ground.ann.id,
            organization_id: organization.id,
            content_hash: "0",
          })
          .execute(),
      );
    return { ...ground, timeline, joined };
  }

  test.each([403, 404] as const)(
    "(%i) keeps the event in the account's own timeline, once, with a note (C-32, R-20)",
    async (sunshine) => {
      const { run, timeline, effects } = await account(sunshine);
      const fields = { ...read, created_at: "2026-03-01T10:00:00Z" };
      for (let time = 0; time < 2; time++) {
        const verdict = await run("track_event", fields, { eventId: "7", messageId: "m-1" });
        expect(verdict).toMatchObject({
          state: "done",
          notes: [expect.stringContaining("kept here, in the timeline of “Acme”")],
        });
      }
      expect(effects()).toEqual([]);
      const { items } = await timeline({ kinds: "customer_event" });
      expect(items).toMatchObject([
        {
          kind: "customer_event",
          occurredAt: "2026-03-01T10:00:00.000Z",
          ticket: null,
          event: { name: "Article Read", properties: { title: "How to" } },
        },
      ]);
    },
  );

  test.each([403, 404] as const)(
    "(%i) is told also of a delivery that has waited, and of an event that is not stored any more: it fails (C-32, row 85)",
    async (sunshine) => {
      const { world, begin, timeline } = await account(sunshine);
      const delivery = begin("track_event", read);
      world.advance(10 * 60_000);
      expect(await delivery.again()).toMatchObject({
        state: "failed",
        code: "event_gone",
        fix: expect.stringContaining("Send the call again"),
      });
      expect((await timeline({ kinds: "customer_event" })).items).toEqual([]);
      expect(await delivery.again({ eventId: "8" })).toMatchObject({ state: "done" });
      expect((await timeline({ kinds: "customer_event" })).items).toHaveLength(1);
    },
  );

  test("is kept without any secret that its properties had brought (row 115)", async () => {
    registerSecrets(["canary-0123456789", "3141592653"]);
    const { run, timeline } = await account(404);
    await run(
      "track_event",
      { ...read, properties: { title: "How to", token: "canary-0123456789", total: 3141592653 } },
      { eventId: "7" },
    );
    const { items } = await timeline({ kinds: "customer_event" });
    expect(items).toMatchObject([{ event: { properties: { title: "How to", token: "[secret]", total: "[secret]" } } }]);
  });

  test("of a user without an organization it says that it is of no account yet, and shows when the user is in one (R-20)", async () => {
    const { run, timeline, joined } = await account(404, { isAlone: true });
    const verdict = await run("track_event", read, { eventId: "7" });
    expect(verdict).toMatchObject({
      state: "done",
      notes: [expect.stringMatching(/kept here, and is of no account yet/)],
    });
    expect((await timeline({ kinds: "customer_event" })).items).toEqual([]);
    await joined();
    expect((await timeline({ kinds: "customer_event" })).items).toMatchObject([{ event: { name: "Article Read" } }]);
    const after = await run("track_event", read, { eventId: "8" });
    expect(after).toMatchObject({ notes: [expect.stringContaining("in the timeline of “Acme”")] });
  });

  test("a missing scope is no missing plan: it fails (row 100)", async () => {
    const { zendesk, run } = await known();
    const body = { error: "Forbidden", description: "You are missing the following required scopes: write" };
    zendesk.faults.add({ method: "POST", path: events }, fault.status(403, body));
    await expect(run("track_event", read, { eventId: "7" })).rejects.toMatchObject({ code: "missing_scope" });
  });
});
