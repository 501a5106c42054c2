import { expect, test } from "vitest";
import { upsertAccounts } from "#lib/accounts/upsert.ts";
import { putWriteBack } from "#lib/destinations/write-back.ts";
import { writeBackChanges } from "#lib/jobs/write-back.ts";
import { putMatchKeys } from "#lib/matching/store.ts";
import { openQueue, type Queue } from "#test/destinations/queue-ground.ts";
import { useDatabase } from "#test/support/database.ts";
import { MINUTE } from "#test/support/zendesk/world/clock.ts";
import type { EventSubject } from "#test/support/zendesk/world/event-types.ts";
import type { World } from "#test/support/zendesk/world/world.ts";
import { type Linked, linkAccount, smallWorld } from "#test/webhooks/linked.ts";

const database = useDatabase();

interface Place {
  queue: Queue;
  linked: Linked;
  world: World;
  /** Of the one organization, which has all tickets. */
  organizationId: string;
}

/** Read, with its webhook in place, an account for its organization, and a destination that writes back its unsolved tickets. */
async function place(): Promise<Place> {
  const world = smallWorld();
  world.definitions.createField("organization", { key: "unsolved", type: "integer" });
  const queue = await openQueue(database, world);
  const { workspaceId } = queue.scope;
  await queue.read(async (trx) => {
    await upsertAccounts(trx, workspaceId, [{ externalId: "N", name: "Northwind" }], queue.clock());
    await putMatchKeys(trx, queue.scope, [{ organizationField: "name", accountField: "name", normalize: "exact" }]);
  });
  const linked = await linkAccount(database, queue);
  await linked.check();
  await queue.sync();
  const rules = [{ organizationField: "unsolved", measure: "ticketsUnsolved", enabled: true }];
  await queue.read((trx) =>
    putWriteBack(trx, workspaceId, String(queue.destinationId), { rules }, "Ann", queue.clock()),
  );
  queue.zendesk.journal.clear();
  return { queue, linked, world, organizationId: world.organizations.list()[0]?.id as string };
}

/** All that follows from anything by itself, as the schedule has it. Gives how many deliveries came in. */
async function goRound({ queue, linked, world }: Place): Promise<number> {
  await writeBackChanges(queue.ctx, queue.clock());
  await queue.drain();
  const delivered = await linked.zendesk.webhooks.deliver();
  expect(delivered.filter(({ status }) => status !== 200)).toEqual([]);
  await linked.drain();
  world.advance(MINUTE);
  return delivered.length;
}

const asked = ({ queue }: Place) => queue.zendesk.journal.entries.length;
const writes = ({ queue }: Place) => queue.zendesk.journal.entries.filter(({ method }) => method !== "GET");

const identify = {
  ...{ action: "upsert_user" as const, lanes: ["u:u-1"] },
  command: { fields: { email: "ada@northwind.example", external_id: "u-1", name: "Ada L." }, unmapped: {} },
};
const ticket = { subject: "Broken", comment: "It does not start.", external_id: "t-1" };
const order = {
  ...{ action: "create_ticket" as const, lanes: ["t:t-1"], messageId: "m-1" },
  command: { fields: { ...ticket, "requester.email": "ada@northwind.example" }, unmapped: {} },
};

type Rule = (world: World, changed: { subject: EventSubject; id: string }, time: number) => void;
const echoes: [string, Rule][] = [
  ["changes nothing", () => {}],
  [
    "changes other fields as well",
    (world, { subject, id }, time) => {
      if (subject === "organization") world.organizations.update(id, { details: `Echo ${time}` });
      else if (subject === "user") world.users.update(id, { details: `Echo ${time}` });
      else world.tickets.update(id, { tags: [`echo_${time}`] });
    },
  ],
  [
    "overwrites what was written back",
    (world, { subject, id }, time) => {
      if (subject === "organization") world.organizations.update(id, { fields: { unsolved: 1000 + time } });
    },
  ],
];

test.each(echoes)(
  "a rule that answers every update with another delivery and %s comes to rest with our own writes: each is made for its command, none for a delivery (row 95)",
  async (_what, change) => {
    const here = await place();
    const { queue, linked, world, organizationId } = here;
    world.webhooks.echoUpdates((subject, id) => change(world, { subject, id }, world.webhooks.echoed));
    await queue.queue(identify, order);
    let rounds = 0;
    // For longer than an organization rests after a write of it.
    for (let quiet = 0; quiet < 7; rounds++) {
      const before = asked(here);
      await goRound(here);
      quiet = asked(here) === before ? quiet + 1 : 0;
      expect(rounds, "rounds until nothing is asked any more").toBeLessThan(30);
    }
    const writtenTo = (path: string) => writes(here).filter((entry) => entry.path.startsWith(path)).length;
    expect(writtenTo("/api/v2/users")).toBe(1);
    expect(writtenTo("/api/v2/tickets")).toBe(1);
    // The number before the new ticket, and the one after it; of each, once more where the answer showed another.
    expect(writtenTo(`/api/v2/organizations/${organizationId}`)).toBeGreaterThanOrEqual(1);
    expect(writtenTo(`/api/v2/organizations/${organizationId}`)).toBeLessThanOrEqual(4);
    expect(writes(here).every(({ path }) => /^\/api\/v2\/(users|tickets|organizations)\b/.test(path))).toBe(true);
    expect(world.webhooks.echoed).toBeGreaterThanOrEqual(3);
    expect(await linked.hints()).toEqual([]);
    const states = await queue.read((trx) => trx.selectFrom("delivery").select("state").distinct().execute());
    expect(states).toEqual([{ state: "done" }]);

    // Nor do later comparisons take it up again, though the field may show another number than was written.
    const [made, echoed] = [asked(here), world.webhooks.echoed];
    for (let round = 0; round < 3; round++) {
      world.advance(20 * MINUTE);
      expect(await goRound(here)).toBe(0);
    }
    expect([asked(here), world.webhooks.echoed]).toEqual([made, echoed]);
  },
);

test("an organization whose number changes with every write of it, since a rule opens a ticket then, is written every five minutes at most (row 95)", async () => {
  const here = await place();
  const { queue, world, organizationId } = here;
  const requesterId = world.tickets.byId.get("1")?.requesterId as string;
  world.webhooks.echoUpdates((subject) => {
    if (subject === "organization") world.tickets.create({ subject: "It was changed", requesterId, organizationId });
  });
  const sent: number[] = [];
  queue.zendesk.faults.before({ path: `/api/v2/organizations/${organizationId}` }, ({ method }) => {
    if (method !== "GET") sent.push(world.now());
  });
  for (let round = 0; round < 30; round++) await goRound(here);
  expect(sent.length).toBeGreaterThanOrEqual(5);
  expect(sent.length).toBeLessThanOrEqual(6);
  const gaps = sent.slice(1).map((at, index) => at - (sent[index] ?? 0));
  expect(Math.min(...gaps)).toBeGreaterThanOrEqual(5 * MINUTE);
  // And the newest number gets there, when nothing changes it any more.
  world.webhooks.echoUpdates(() => {});
  for (let round = 0; round < 12; round++) await goRound(here);
  const unsolved = [...world.tickets.byId.values()].filter(({ status }) => !["solved", "closed"].includes(status));
  expect(world.organizations.byId.get(organizationId)?.fields.get("unsolved")).toBe(unsolved.length);
});
