import { expect, test } from "vitest";
import { POST as approve } from "#app/api/v1/deliveries/[id]/approve/route.ts";
import { GET as readDelivery } from "#app/api/v1/deliveries/[id]/route.ts";
import { POST as replay } from "#app/api/v1/deliveries/replay/route.ts";
import { GET as listDeliveries } from "#app/api/v1/deliveries/route.ts";
import { PATCH as changeDestination } from "#app/api/v1/destinations/[id]/route.ts";
import { POST as createDestination } from "#app/api/v1/destinations/route.ts";
import { drainConnection } from "#lib/destinations/drain.ts";
import { procedures } from "#lib/destinations/procedures/index.ts";
import { routeEvents } from "#lib/destinations/route-events.ts";
import { type Profile, profiles } from "#lib/destinations/shapes.ts";
import { journalOf, type Line } from "#test/destinations/journal.ts";
import { type Client, clients } from "#test/sources/clients.ts";
import { useDoors } from "#test/sources/ground.ts";
import { HOUR, MINUTE, SECOND } from "#test/support/zendesk/world/clock.ts";
import { World } from "#test/support/zendesk/world/world.ts";
import { connect } from "#test/zendesk/account.ts";
import { configFor, silentLog } from "#test/zendesk/account-config.ts";

/*
 * The whole way, through nothing but what a customer's program has: a published SDK as it is, the doors over HTTP, the
 * destination that the API makes of a profile, Zendesk. What is expected of a profile is what mission.md says of it (rows
 * C-*, R-*, X-*), in the order of each user, organization and ticket, with every value that came to be.
 */

const doors = useDoors();
const timestamp = new Date(Date.now() - HOUR);

/** An account with two organizations and fields of its own, a source that an SDK sends to, and a destination of the profile. */
async function open(profile: Profile) {
  const world = new World({ clock: new Date().toISOString() });
  const { definitions, organizations } = world;
  definitions.createGroup({ name: "Second Line" });
  definitions.createField("user", { key: "city", type: "text" });
  definitions.createField("organization", { key: "url", type: "text" });
  const partners = organizations.create({ name: "Partners" });
  const friends = organizations.create({ name: "Friends" });
  const { zendesk, workspaceId, connectionId } = await connect(doors.database, world, { access: "read_write" });
  const { key, sourceId, writeKey } = await doors.source(workspaceId);
  const body = { connectionId: String(connectionId), sourceIds: [sourceId], profile, enabled: true };
  const { id } = (await doors.api.call(createDestination, "/api/v1/destinations", { key, body })).body;
  const ctx = { config: configFor(zendesk), db: doors.database.db, log: silentLog };
  const clock = () => new Date(world.now());
  const working = { holder: "here@test/1/aa", procedures, clock, isEnding: () => false };
  let received = 0;
  const events = () => doors.stored(workspaceId);
  const place = {
    ...{ world, zendesk, writeKey, partners, friends, events, destination: `/api/v1/destinations/${id}` },
    call: ((route, path, options) => doors.api.call(route, path, { key, ...options })) as typeof doors.api.call,
    /** What a program says to the SDK; everything has arrived when it is over. */
    async say(client: Client, calls: readonly Call[]) {
      for (const { type, ...call } of calls) client.analytics[type]({ timestamp, ...call });
      await client.flush();
      received += calls.length;
      await expect.poll(async () => (await events()).length, { timeout: 20_000 }).toBe(received);
      await place.deliver();
    },
    /** Everything that is due within some minutes, and what Zendesk does by itself meanwhile. */
    async deliver() {
      // What a person decides has the machine's time.
      world.advance(MINUTE);
      await routeEvents(ctx, workspaceId, clock());
      const sleep = async (milliseconds: number) => void world.advance(milliseconds);
      for (let round = 0; round < 4; round++) {
        await drainConnection(ctx, { workspaceId, connectionId }, { ...working, client: { sleep } });
        world.advance(30 * SECOND);
      }
    },
    async deliveries() {
      const names = new Map((await events()).map((event) => [event.message_id, event]));
      const { items } = (await place.call(listDeliveries, "/api/v1/deliveries?limit=100")).body;
      return items.toReversed().map((delivery) => {
        const event = names.get(delivery.messageId ?? "");
        const about = event?.name ?? event?.group_id ?? "";
        return { ...delivery, words: `${delivery.action} ${event?.user_id ?? "nobody"} ${about}`.trim() };
      });
    },
  };
  return place;
}
type Place = Awaited<ReturnType<typeof open>>;

interface Call {
  type: "identify" | "group" | "track";
  [field: string]: unknown;
}

const ann = { userId: "ann" };
const annsEmail = "ann@giants.example";

/** Everything but the removal. The calls of both profiles are the same. */
const story = ({ partners, friends }: Place): Call[] => [
  {
    ...{ type: "identify", ...ann },
    traits: {
      ...{ email: annsEmail, first_name: "Ann", last_name: "Ames", phone: "+49 30 1" },
      ...{ timezone: "Europe/Berlin", city: "Berlin", planName: "gold" },
    },
  },
  {
    ...{ type: "group", ...ann, groupId: "giants", context: { traits: { email: annsEmail } } },
    traits: {
      ...{ name: "SF Giants", domainNames: ["giants.example", "gmail.com"], tags: ["Key Account"] },
      ...{ url: "https://giants.example", seatCount: 5 },
    },
  },
  {
    ...{ type: "group", ...ann, groupId: "giants", context: { traits: { email: annsEmail } } },
    traits: { name: "SF Giants", seatCount: 6 },
  },
  { type: "identify", ...ann, traits: { email: annsEmail, name: "Ann Lee", organizationId: partners.id } },
  { type: "identify", ...ann, traits: { email: annsEmail, name: "Ann Lee", company: { id: friends.id } } },
  {
    ...{ type: "track", ...ann, event: "Ticket Created" },
    properties: {
      ...{ subject: "Help", comment: "It broke", priority: "high", status: "open", type: "problem" },
      ...{ tags: ["Bug"], group: "second line", external_id: "T-1" },
    },
  },
  {
    ...{ type: "track", ...ann, event: "Ticket Updated" },
    properties: {
      ...{ external_id: "T-1", comment: "It still does not work", priority: "urgent", status: "pending" },
      ...{ tags: ["escalated"], remove_tags: ["bug"] },
    },
  },
  { type: "track", ...ann, event: "Article Read", properties: { title: "How to" } },
  { type: "track", userId: "bea", event: "Trial Started", properties: { email: "bea@giants.example", days: 14 } },
  { type: "identify", userId: "bea", traits: { email: "bea@giants.example", name: "Bea Bo" } },
  { type: "group", anonymousId: "somebody", groupId: "alone", traits: { name: "Alone Ltd" } },
  {
    ...{ type: "group", userId: "cat", groupId: "giants", traits: {} },
    context: { traits: { email: "cat@giants.example", name: "Cat Coe" } },
  },
];

/** Customer.io reads the traits of an identify, RudderStack those of its context. */
const leaving = (profile: Profile, organizationId: string): Call => {
  const traits = { email: annsEmail, name: "Ann Lee", company: { id: organizationId, remove: true } };
  return { type: "identify", ...ann, ...(profile === "customerio" ? { traits } : { context: { traits } }) };
};

/** Unverified and without a mail (C-24 … C-27, R-7), an end user by `userId` as the external id (C-17, R-11 as X-4 has it). */
const newUser = (externalId: string, email: string, name: string, more: object = {}): Line => [
  "user.created",
  { name, email, external_id: externalId, role: "end-user", verified: false, ...more },
];
const joins = (organization: string): Line => ["membership.created", { organization_id: organization }];
/** C-32 … C-33: filed under the user, known by what Zendesk has of them. */
const filed = (externalId: string, email: string, name: string, type: string, properties: object): Line[] => [
  [
    "profile.created",
    {
      ...{ source: "bellwether", type: "customer", name, attributes: {} },
      identifiers: [
        { type: "external_id", value: externalId },
        { type: "email", value: email },
      ],
    },
  ],
  [
    "customer_event.received",
    { source: "bellwether", type, description: type, properties: { ...properties, messageId: type } },
  ],
];
const newField = (key: string, type: string, title: string, trait: string) => ({
  ...{ key, type, title },
  description: `From the trait ${trait}`,
});

const annsTicket: Line[] = [
  // C-7, X-12: comments are private unless told.
  [
    "ticket.created",
    {
      ...{ subject: "Help", priority: "high", status: "open", type: "problem", tags: ["bug"] },
      ...{ external_id: "T-1", requester_id: "ann", group_id: "Second Line" },
      comment: { body: "It broke", public: false },
    },
  ],
  // C-10, row 98: fields at once, tags one by one.
  [
    "ticket.updated",
    {
      ...{ priority: "urgent", status: "pending" },
      comment: { body: "It still does not work", public: false },
    },
  ],
  ["ticket.updated", { tags: ["bug", "escalated"] }],
  ["ticket.updated", { tags: ["escalated"] }],
  // C-23: what Zendesk does when its requester leaves the organization.
  ["ticket.updated by itself", { organization_id: null }],
];

/** C-34, R-21; C-36, R-23 (free mail is nobody's domain); C-37: a known field first; C-38, R-24 and C-39: another is made. */
const giants: Line[] = [
  [
    "organization.created",
    {
      ...{ name: "SF Giants", external_id: "giants", domain_names: ["giants.example"], tags: ["key_account"] },
      organization_fields: { url: "https://giants.example", seat_count: 5 },
    },
  ],
  // Only what differs; the repeated call succeeds.
  ["organization.updated", { organization_fields: { seat_count: 6 } }],
];
const seatCount: Line = ["organization_field.created", newField("seat_count", "integer", "Seat count", "seatCount")];

/** After her creation: C-35 and R-22; C-17 and R-13 beside the first; C-9 and C-21; C-8, R-19; C-22, R-18, and no other. */
const annAfterwards: Line[] = [
  joins("SF Giants"),
  ["user.updated", { name: "Ann Lee" }],
  joins("Partners"),
  joins("Friends"),
  ...filed("ann", annsEmail, "Ann Lee", "Article Read", { title: "How to" }),
  ["membership.removed", { organization_id: "SF Giants" }],
];
const annCreated = { phone: "+49 30 1", time_zone: "Berlin" };

const promised: Record<Profile, Record<string, Line[]>> = {
  customerio: {
    account: [seatCount],
    // C-18: what Zendesk has no field for is discarded.
    ann: [newUser("ann", annsEmail, "Ann Ames", { ...annCreated, user_fields: { city: "Berlin" } }), ...annAfterwards],
    "T-1": annsTicket,
    "SF Giants": giants,
    // C-31: the event of an unknown user is an error; R-25's identify behind it takes it up.
    bea: [
      newUser("bea", "bea@giants.example", "Bea Bo"),
      ...filed("bea", "bea@giants.example", "Bea Bo", "Trial Started", { days: 14, email: "bea@giants.example" }),
    ],
    // C-34: a group needs no user.
    "Alone Ltd": [["organization.created", { name: "Alone Ltd", external_id: "alone" }]],
  },
  rudderstack: {
    // an attribute without a field gets one.
    account: [["user_field.created", newField("plan_name", "text", "Plan name", "planName")], seatCount],
    ann: [
      newUser("ann", annsEmail, "Ann Ames", { ...annCreated, user_fields: { city: "Berlin", plan_name: "gold" } }),
      ...annAfterwards,
    ],
    "T-1": annsTicket,
    "SF Giants": giants,
    // an unknown user is created, by what the event has of them; the identify writes the rest.
    bea: [
      newUser("bea", "bea@giants.example", "bea@giants.example"),
      ...filed("bea", "bea@giants.example", "bea@giants.example", "Trial Started", {
        ...{ days: 14, email: "bea@giants.example" },
      }),
      ["user.updated", { name: "Bea Bo" }],
    ],
    // a new user of a known organization.
    cat: [newUser("cat", "cat@giants.example", "Cat Coe"), joins("SF Giants")],
  },
};

/** How each delivery ends that is not done: C-31 and X-1 of a user whom nobody knows; R-8 of a group without one. */
const endings: Record<Profile, string[]> = {
  customerio: ["upsert_organization cat giants: failed user_not_found"],
  rudderstack: ["upsert_organization nobody alone: failed group_without_user"],
};

for (const [name, start] of Object.entries(clients)) {
  test.each(profiles)(`${name}, unmodified, has Zendesk written as the profile %s promises`, async (profile) => {
    const place = await open(profile);
    const { world, zendesk, call } = place;
    await place.say(start(place.writeKey, doors.origin), story(place));

    const organization = world.organizations.list().find((one) => one.name === "SF Giants");
    await place.say(start(place.writeKey, doors.origin), [leaving(profile, organization?.id ?? "")]);
    const removal = async () => (await place.deliveries()).at(-1);
    if (profile === "rudderstack") {
      // off until somebody switches it on.
      expect(await removal()).toMatchObject({ state: "failed", code: "removals_off" });
      await call(changeDestination, place.destination, { body: { settings: { allowRemovals: true } } });
      await call(replay, "/api/v1/deliveries/replay", { body: { filter: { code: "removals_off" } } });
      await place.deliver();
    }
    // C-22, C-23: nothing is removed before somebody has seen what else goes with it.
    const held = await removal();
    const path = `/api/v1/deliveries/${held?.id}`;
    const { affectedTickets } = (await call(readDelivery, path)).body;
    const [ticket] = world.tickets.byId.values();
    expect([held?.state, held?.code, affectedTickets]).toEqual([
      "held",
      "removal",
      [
        {
          id: ticket?.id,
          subject: "Help",
          status: "pending",
          url: expect.stringMatching(`/agent/tickets/${ticket?.id}$`),
        },
      ],
    ]);
    expect(zendesk.effects.of("membership.removed")).toEqual([]);
    await call(approve, `${path}/approve`, { body: { code: "removal" } });
    await place.deliver();

    const messages = (await place.events()).map((event): [string, string] => [event.message_id, event.name ?? ""]);
    expect(journalOf(world, zendesk.effects.entries, new Map(messages))).toEqual(promised[profile]);
    const deliveries = await place.deliveries();
    const undone = deliveries.filter(({ state }) => state !== "done");
    expect(undone.map(({ words, state, code }) => `${words}: ${state} ${code}`)).toEqual(endings[profile]);
    expect(deliveries.map(({ words }) => words)).toEqual([
      "upsert_user ann",
      "upsert_organization ann giants",
      "upsert_organization ann giants",
      "upsert_user ann",
      "upsert_user ann",
      "update_membership ann",
      "create_ticket ann Ticket Created",
      "update_ticket ann Ticket Updated",
      "track_event ann Article Read",
      "track_event bea Trial Started",
      "upsert_user bea",
      "upsert_organization nobody alone",
      "upsert_organization cat giants",
      "upsert_user ann",
      "update_membership ann",
    ]);
    // C-8, C-33: they happened when the program says.
    expect(world.sunshine.events.map(({ createdAt }) => createdAt)).toEqual(Array(2).fill(timestamp.getTime()));
  });
}
