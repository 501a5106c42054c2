import { expect, test } from "vitest";
import { actionDefinitions } from "#lib/destinations/actions.ts";
import { routeEvents } from "#lib/destinations/route-events.ts";
import { actionKeys, type Profile } from "#lib/destinations/shapes.ts";
import { openQueue } from "#test/destinations/queue-ground.ts";
import { useDatabase } from "#test/support/database.ts";
import { World } from "#test/support/zendesk/world/world.ts";

const database = useDatabase();

/** A destination as its profile sets it up, whose source has sent these events; what Zendesk was made to do, and how each delivery ended. */
async function sent(profile: Profile, events: (world: World) => Record<string, unknown>[]) {
  const world = new World({ clock: "2026-03-02T09:00:00Z" });
  const queue = await openQueue(database, world, { profile });
  const own = { workspace_id: queue.scope.workspaceId, destination_id: queue.destinationId };
  const now = queue.clock();
  await queue.read(async (trx) => {
    const source = { name: "Shop", created_by: null, created_at: now, updated_at: now };
    const { id } = await trx
      .insertInto("source")
      .values({ workspace_id: own.workspace_id, ...source })
      .returning("id")
      .executeTakeFirstOrThrow();
    await trx
      .insertInto("destination_source")
      .values({ ...own, source_id: id })
      .execute();
    await trx
      .insertInto("destination_action")
      .values(
        actionKeys.map((action, position) => {
          const { trigger, mapping } = actionDefinitions[action].defaults[profile];
          const set = { trigger: JSON.stringify(trigger), mapping: JSON.stringify(mapping), enabled: true };
          return { ...own, action, version: 1, position, ...set, created_by: null, created_at: now };
        }),
      )
      .execute();
    await trx
      .insertInto("event")
      .values(
        events(world).map((event, index) => ({
          workspace_id: own.workspace_id,
          source_id: id,
          message_id: `message-${index}`,
          type: String(event.type),
          occurred_at: now,
          received_at: now,
          payload: JSON.stringify(event),
        })),
      )
      .execute();
  });
  await routeEvents(queue.ctx, own.workspace_id, now);
  for (let round = 0; round < 20; round++) {
    await queue.drain();
    world.advance(30_000);
  }
  const deliveries = await queue.read((trx) =>
    trx.selectFrom("delivery").select(["action", "state", "code", "reason"]).orderBy("id").execute(),
  );
  return {
    world,
    effects: queue.zendesk.effects.entries.map(({ kind }) => kind),
    ended: deliveries.map(({ action, state, code }) => [action, state, code]),
    deliveries,
  };
}

const journey = [
  {
    type: "identify",
    userId: "ann",
    traits: { email: "ann@giants.example", first_name: "Ann", last_name: "Ames", plan: "gold" },
  },
  {
    type: "group",
    groupId: "giants",
    userId: "ann",
    traits: { name: "SF Giants", seats: 5 },
    context: { traits: { email: "ann@giants.example" } },
  },
  {
    type: "track",
    event: "Ticket Created",
    userId: "ann",
    properties: { subject: "Help", comment: "It broke", priority: "high", tags: ["bug"], external_id: "T-1" },
  },
  {
    type: "track",
    event: "Ticket Updated",
    userId: "ann",
    properties: { external_id: "T-1", status: "solved", tags: ["fixed"], remove_tags: ["bug"] },
  },
  { type: "track", event: "Article Read", userId: "ann", properties: { title: "How to" } },
];

test.each<[Profile, string[]]>([
  ["customerio", []],
  ["rudderstack", ["plan"]],
])(
  "a customer's journey by %s comes to one user, one organization, one membership, one ticket and one event",
  async (profile, userFields) => {
    const { world, ended, deliveries, effects } = await sent(profile, () => journey);
    const whole = [
      "user.created",
      "organization.created",
      "membership.created",
      "ticket.created",
      "profile.created",
      "customer_event.received",
    ];
    const fields = ["organization_field.created", ...userFields.map(() => "user_field.created")];
    expect(effects.filter((kind) => !kind.endsWith(".updated")).toSorted()).toEqual([...whole, ...fields].toSorted());
    expect([ended, deliveries.filter(({ state }) => state !== "done")]).toEqual([
      ["upsert_user", "upsert_organization", "create_ticket", "update_ticket", "track_event"].map((action) => [
        action,
        "done",
        null,
      ]),
      [],
    ]);
    const users = world.users.list(({ email }) => email === "ann@giants.example");
    expect(users.map(({ name, externalId }) => [name, externalId])).toEqual([["Ann Ames", "ann"]]);
    expect(world.organizations.list().map(({ name, externalId }) => [name, externalId])).toEqual([
      ["SF Giants", "giants"],
    ]);
    const keys = (owner: "user" | "organization") =>
      [...world.definitions.fields[owner].values()].map(({ key }) => key);
    expect([keys("user"), keys("organization")]).toEqual([userFields, ["seats"]]);
  },
);

test("the profiles differ in what becomes of an unknown user, a group call without one, and a removal (X-1, R-8, R-15)", async () => {
  const events = (world: World) => {
    const { id: organizationId } = world.organizations.create({ name: "Giants" });
    world.users.create({ name: "Bob", email: "bob@giants.example", externalId: "bob", organizationId });
    return [
      { type: "track", event: "Article Read", userId: "new", properties: { email: "new@giants.example" } },
      { type: "group", groupId: "alone", traits: { name: "Alone" } },
      {
        type: "identify",
        userId: "bob",
        traits: { email: "bob@giants.example", company: { id: organizationId, remove: true } },
      },
    ];
  };
  expect((await sent("customerio", events)).ended).toEqual([
    ["track_event", "failed", "user_not_found"],
    ["upsert_organization", "done", null],
    ["upsert_user", "done", null],
    ["update_membership", "held", "removal"],
  ]);
  expect((await sent("rudderstack", events)).ended).toEqual([
    ["track_event", "done", null],
    ["upsert_organization", "failed", "group_without_user"],
    ["upsert_user", "done", null],
    ["update_membership", "failed", "removals_off"],
  ]);
});
