import { expect, test } from "vitest";
import { actionDefinitions } from "#lib/destinations/actions.ts";
import { routeEvents } from "#lib/destinations/route-events.ts";
import { actionKeys, type Profile } from "#lib/destinations/shapes.ts";
import { journalOf, type Line } from "#test/destinations/journal.ts";
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
    journal: journalOf(world, queue.zendesk.effects.entries),
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

const field = (owner: "user" | "organization", key: string, type: string, title: string): Line => [
  `${owner}_field.created`,
  { key, type, title, description: `From the trait ${key}` },
];
const email = "ann@giants.example";

/** Of an attribute that Zendesk has no field for Customer.io tells that it is discarded (C-18); RudderStack makes one. */
test.each<[Profile, Line[], object]>([
  ["customerio", [], {}],
  ["rudderstack", [field("user", "plan", "text", "Plan")], { user_fields: { plan: "gold" } }],
])(
  "a customer's journey by %s comes to one user, one organization, one membership, one ticket and one event",
  async (profile, userFields, ofUser) => {
    const { world, ended, deliveries, journal } = await sent(profile, () => journey);
    expect(journal).toEqual({
      account: [...userFields, field("organization", "seats", "integer", "Seats")],
      ann: [
        ["user.created", { name: "Ann Ames", email, external_id: "ann", role: "end-user", verified: false, ...ofUser }],
        ["membership.created", { organization_id: "SF Giants" }],
        [
          "profile.created",
          {
            ...{ source: "bellwether", type: "customer", name: "Ann Ames", attributes: {} },
            identifiers: [
              { type: "external_id", value: "ann" },
              { type: "email", value: email },
            ],
          },
        ],
        [
          "customer_event.received",
          {
            ...{ source: "bellwether", type: "Article Read", description: "Article Read" },
            properties: { title: "How to", messageId: "message-4" },
          },
        ],
      ],
      "SF Giants": [
        ["organization.created", { name: "SF Giants", external_id: "giants", organization_fields: { seats: 5 } }],
      ],
      "T-1": [
        [
          "ticket.created",
          {
            ...{ subject: "Help", priority: "high", tags: ["bug"], external_id: "T-1", requester_id: "ann" },
            comment: { body: "It broke", public: false },
          },
        ],
        ["ticket.updated", { status: "solved" }],
        ["ticket.updated", { tags: ["bug", "fixed"] }],
        ["ticket.updated", { tags: ["fixed"] }],
      ],
    });
    expect([ended, deliveries.filter(({ state }) => state !== "done")]).toEqual([
      ["upsert_user", "upsert_organization", "create_ticket", "update_ticket", "track_event"].map((action) => [
        action,
        "done",
        null,
      ]),
      [],
    ]);
    expect(world.users.list((user) => user.email === email)).toHaveLength(1);
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
  const customerio = await sent("customerio", events);
  expect(customerio.ended).toEqual([
    ["track_event", "failed", "user_not_found"],
    ["upsert_organization", "done", null],
    ["upsert_user", "done", null],
    ["update_membership", "held", "removal"],
  ]);
  expect(customerio.journal).toEqual({ Alone: [["organization.created", { name: "Alone", external_id: "alone" }]] });
  const rudderstack = await sent("rudderstack", events);
  expect(rudderstack.ended).toEqual([
    ["track_event", "done", null],
    ["upsert_organization", "failed", "group_without_user"],
    ["upsert_user", "done", null],
    ["update_membership", "failed", "removals_off"],
  ]);
  const unknown = { name: "new@giants.example", email: "new@giants.example", external_id: "new" };
  expect(rudderstack.journal).toMatchObject({
    new: [
      ["user.created", { ...unknown, role: "end-user", verified: false }],
      ["profile.created", {}],
      ["customer_event.received", {}],
    ],
  });
  expect(Object.keys(rudderstack.journal)).toEqual(["new"]);
});
