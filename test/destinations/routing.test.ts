import pg from "pg";
import { expect, test } from "vitest";
import { PUT as putActions } from "#app/api/v1/destinations/[id]/actions/route.ts";
import {
  PATCH as changeDestination,
  DELETE as deleteDestination,
  GET as getDestination,
} from "#app/api/v1/destinations/[id]/route.ts";
import { POST as stopDestination } from "#app/api/v1/destinations/[id]/stop/route.ts";
import { DELETE as removeSource } from "#app/api/v1/sources/[id]/route.ts";
import type { Command } from "#lib/destinations/attempt.ts";
import { holdSources, lockDestination } from "#lib/destinations/store/destinations.ts";
import { lockLanes } from "#lib/destinations/store/lanes.ts";
import { lockRouting } from "#lib/destinations/store/routing.ts";
import { processIntake } from "#lib/sources/intake.ts";
import { forgetOldIntake } from "#lib/sources/retention.ts";
import { type Place, receivedAt, useDestinations } from "#test/destinations/ground.ts";
import { slowTemplate } from "#test/destinations/slow-template.ts";

const ground = useDestinations();
const { database, api } = ground;

async function asOwner(statement: string): Promise<pg.QueryResult> {
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  return owner.query(statement).finally(() => owner.end());
}

const identify = (userId: string, traits: object = {}) => ({
  type: "identify",
  userId,
  traits: { name: `User ${userId}`, email: `${userId}@example.com`, ...traits },
});
const group = (groupId: string, userId?: string) => ({ type: "group", groupId, userId, traits: { name: groupId } });
const storedEvent = ({ sourceId }: Place, { type, userId, ...rest }: ReturnType<typeof identify>) => ({
  ...{ sourceId: Number(sourceId), messageId: userId, isNamed: true, type, name: null, userId, email: null },
  ...{ anonymousId: null, groupId: null, occurredAt: receivedAt, receivedAt, rejection: null },
  payload: JSON.stringify({ type, userId, ...rest }),
});
const track = (event: string, userId?: string) => ({ type: "track", event, userId, properties: {} });

test("one event triggers several actions, and deliveries keep the order in which events came", async () => {
  const place = await ground.place();
  const destinationId = await ground.destination(place);
  const events = await ground.receive(
    place,
    identify("ann", { company: { id: "77" } }),
    group("giants", "ann"),
    { type: "page", userId: "ann" },
    track("Article Read", "ann"),
  );
  expect(await ground.route(place)).toEqual({
    routed: 4,
    connections: expect.arrayContaining([Number(place.connectionId)]),
  });
  const deliveries = await ground.deliveries(place);
  expect(deliveries.map(({ action, event_id, state }) => [action, event_id, state])).toEqual([
    ["upsert_user", events[0], "queued"],
    ["update_membership", events[0], "queued"],
    ["upsert_organization", events[1], "queued"],
    ["track_event", events[3], "queued"],
  ]);
  expect(deliveries.map(({ lanes }) => lanes)).toEqual([
    ["u:ann", "m:ann@example.com"],
    ["u:ann", "m:ann@example.com", "o:77"],
    ["u:ann", "o:giants"],
    ["u:ann"],
  ]);
  expect(deliveries.map((delivery) => [delivery.destination_id, delivery.action_version])).toEqual(
    deliveries.map(() => [Number(destinationId), 1]),
  );
  expect((JSON.parse(deliveries[2]?.command ?? "") as Command).fields).toMatchObject({
    external_id: "giants",
    name: "giants",
  });
  expect(await ground.route(place)).toEqual({ routed: 0, connections: [] });
  expect(await ground.deliveries(place)).toHaveLength(4);
});

test("processes that route at the same time make every delivery once, in order", async () => {
  const place = await ground.place();
  await ground.destination(place);
  const events = await ground.receive(place, ...Array.from({ length: 1300 }, (_, n) => track("Read", `user-${n % 7}`)));
  const done = await Promise.all([ground.route(place), ground.route(place), ground.route(place)]);
  expect(done.reduce((sum, { routed }) => sum + routed, 0)).toBe(1300);
  expect((await ground.deliveries(place)).map(({ event_id }) => event_id)).toEqual(events);
});

test("what the mapping refuses is listed at once with what to send, and holds nobody up (C-13, R-8, R-19)", async () => {
  const place = await ground.place();
  await ground.destination(place, { profile: "rudderstack" });
  await ground.receive(
    place,
    { type: "identify", traits: { name: "Nobody" } },
    identify("bob", { email: "bob at example" }),
    group("giants"),
    { type: "group", userId: "ann", traits: {} },
    track("Read"),
  );
  await ground.route(place);
  const deliveries = await ground.deliveries(place);
  expect(deliveries.map(({ state, code, due_at }) => [state, code, due_at])).toEqual(
    ["missing_email", "invalid_email", "group_without_user", "missing_group_id", "missing_user"].map((code) => [
      "failed",
      code,
      null,
    ]),
  );
  for (const { reason, fix } of deliveries)
    expect([reason, fix]).toEqual([expect.stringMatching(/\.$/), expect.stringMatching(/[Ss]end /)]);
  const lanes = await database.inWorkspace(place.workspace, (trx) =>
    trx.selectFrom("delivery_lane").selectAll().where("state", "=", "open").execute(),
  );
  expect(lanes).toEqual([]);
});

test("every destination of a source gets its own, and others, or those that are off, get nothing", async () => {
  const place = await ground.place();
  const [first, second, off] = [
    await ground.destination(place),
    await ground.destination(place, { connectionId: await ground.connection(place), profile: "rudderstack" }),
    await ground.destination(place, { connectionId: await ground.connection(place), enabled: false }),
  ];
  await ground.destination(place, { sourceIds: [await ground.source(place.workspace)] });
  await ground.receive(place, identify("ann"));
  await ground.route(place);
  const named = async () => (await ground.deliveries(place)).map(({ destination_id }) => String(destination_id));
  expect(await named()).toEqual([first, second]);
  // What came while it was off is not made up for later: it was said to take no events.
  await api.call(changeDestination, `/api/v1/destinations/${off}`, { key: place.key, body: { enabled: true } });
  await ground.route(place);
  expect(await named()).toEqual([first, second]);
});

const lanesAndStates = async (place: Place) =>
  (await ground.deliveries(place)).map(({ lanes, state }) => [lanes[0], state]);

/** How many transactions of the database wait for a lock. */
async function waiting(): Promise<number> {
  const { rowCount } = await asOwner(
    "select from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()",
  );
  return rowCount ?? 0;
}

test.each([
  ["its source is taken from the destination", changeDestination, { sourceIds: [] }, "queued"],
  ["the destination is switched off", changeDestination, { enabled: false }, "queued"],
  ["the destination is deleted", deleteDestination, undefined, "failed"],
])("what was acknowledged before %s has its delivery all the same, though it came meanwhile", async (...given) => {
  const [, change, body, state] = given;
  const place = await ground.place();
  const id = await ground.destination(place);
  await ground.receive(place, identify("ann"));
  let changing: ReturnType<typeof api.call> | undefined;
  await database.inWorkspace(place.workspace, async (trx) => {
    // As the deliverer in the middle of a batch.
    await lockRouting(trx, place.workspace);
    changing = api.call(change, `/api/v1/destinations/${id}`, { key: place.key, ...(body && { body }) });
    await expect.poll(waiting, { timeout: 30_000 }).toBe(1);
    await ground.receive(place, identify("bob"));
  });
  expect([200, 204]).toContain((await changing)?.status);
  await ground.receive(place, identify("cid"));
  await ground.route(place);
  expect(await lanesAndStates(place)).toEqual([
    ["u:ann", state],
    ["u:bob", state],
  ]);
});

test("while a destination is changed no event is acknowledged: it comes before the change, or after it", async () => {
  const place = await ground.place();
  const id = await ground.destination(place);
  await ground.receive(place, identify("ann"));
  const order: string[] = [];
  const ended = (what: string) => () => order.push(what);
  let both: Promise<unknown> | undefined;
  await database.inWorkspace(place.workspace, async (trx) => {
    await holdSources(trx, place.workspace, [Number(place.sourceId)]);
    const body = { sourceIds: [place.sourceId], enabled: false };
    const changing = api.call(changeDestination, `/api/v1/destinations/${id}`, { key: place.key, body });
    await expect.poll(waiting, { timeout: 30_000 }).toBe(1);
    const storing = processIntake(api.context).take(place.workspace, [storedEvent(place, identify("bob"))]);
    both = Promise.all([changing.then(ended("changed")), storing.then(ended("stored"))]);
    await expect.poll(waiting, { timeout: 30_000 }).toBe(2);
    expect(order).toEqual([]);
  });
  await both;
  await ground.route(place);
  expect(await lanesAndStates(place)).toEqual([["u:ann", "queued"]]);
});

test("what came before its source was removed has its delivery, whenever it is routed; what came later says so", async () => {
  const place = await ground.place();
  const id = await ground.destination(place);
  const source = `/api/v1/sources/${place.sourceId}`;
  await ground.receive(place, identify("ann"));
  await database.inWorkspace(place.workspace, async (trx) => {
    await lockRouting(trx, place.workspace);
    expect((await api.call(removeSource, source, { key: place.key })).status).toBe(204);
  });
  const [, late] = await ground.receive(place, identify("bob"), identify("cid"));
  await asOwner(`update event set received_at = now() + interval '1 second' where id = ${late}`);
  await ground.route(place);
  expect(await lanesAndStates(place)).toEqual([
    ["u:ann", "queued"],
    ["u:bob", "queued"],
  ]);
  const rejections = await database.inWorkspace(place.workspace, (trx) =>
    trx.selectFrom("event").select("rejection").orderBy("id").execute(),
  );
  const removed = "The source was removed before this event came: no destination takes it.";
  expect(rejections.map(({ rejection }) => rejection)).toEqual([null, null, removed]);
  const { body } = await api.call(getDestination, `/api/v1/destinations/${id}`, { key: place.key });
  expect(body.sources).toEqual([]);
});

test("a removed source leaves nothing once its events are forgotten", async () => {
  const place = await ground.place();
  await ground.destination(place);
  await api.call(removeSource, `/api/v1/sources/${place.sourceId}`, { key: place.key });
  await forgetOldIntake(database.db, place.workspace, new Date(), () => false);
  const left = await database.inWorkspace(place.workspace, async (trx) => [
    await trx.selectFrom("source").select("id").execute(),
    await trx.selectFrom("destination_source").select("source_id").execute(),
  ]);
  expect(left).toEqual([[], []]);
});

test("a change makes the deliveries of all that waited, a batch at a time, before it locks anything (rows 103, 82)", async () => {
  const place = await ground.place();
  const taker = await ground.destination(place);
  const off = await ground.destination(place, { enabled: false, sourceIds: [await ground.source(place.workspace)] });
  await ground.receive(place, ...Array.from({ length: 1100 }, (_, n) => track("Read", `user-${n}`)));
  let changing: ReturnType<typeof api.call> | undefined;
  await database.inWorkspace(place.workspace, async (trx) => {
    // As whoever deletes the connection does: its destinations first, then its lanes.
    await lockDestination(trx, place.workspace, Number(off));
    changing = api.call(changeDestination, `/api/v1/destinations/${off}`, { key: place.key, body: { enabled: true } });
    await expect.poll(waiting, { timeout: 30_000 }).toBe(1);
    await lockLanes(trx, { workspaceId: place.workspace, connectionId: Number(place.connectionId) });
    // Committed, and nothing of it is kept from others.
    expect(await ground.deliveries(place)).toHaveLength(1100);
    const stop = await api.call(stopDestination, `/api/v1/destinations/${taker}/stop`, { key: place.key });
    expect(stop.status).toBe(200);
  });
  expect((await changing)?.status).toBe(200);
  const { rows } = await asOwner(`select distinct xmin from event where workspace_id = ${place.workspace}`);
  expect(rows).toHaveLength(3);
});

test("a change waits for what came before it and for no more, however fast events come", async () => {
  const place = await ground.place();
  const id = await ground.destination(place);
  await ground.receive(place, ...Array.from({ length: 500 }, (_, n) => track("Read", `user-${n}`)));
  await asOwner(`create function one_more() returns trigger language plpgsql as $$ begin
      insert into event (workspace_id, source_id, message_id, type, occurred_at, received_at, payload)
        values (new.workspace_id, new.source_id, 'after ' || new.id, new.type, new.occurred_at, new.received_at, new.payload);
      return null; end $$;
    create trigger one_more after update of routed_at on event for each row execute function one_more()`);
  const body = { enabled: false };
  const answer = await api
    .call(changeDestination, `/api/v1/destinations/${id}`, { key: place.key, body })
    .finally(() => asOwner("drop trigger one_more on event; drop function one_more"));
  expect(answer).toMatchObject({ status: 200, body: { enabled: false } });
  // Two rounds, of which the second has found no less than the first, and the one batch of the change itself.
  expect(await ground.deliveries(place)).toHaveLength(1500);
  // What came with the change is taken as it stands after it.
  expect(await ground.route(place)).toMatchObject({ routed: 500 });
  expect(await ground.deliveries(place)).toHaveLength(1500);
}, 60_000);

test("what came while a destination was off is not its own when it is switched on", async () => {
  const place = await ground.place();
  const id = await ground.destination(place, { enabled: false });
  await ground.receive(place, identify("ann"));
  await api.call(changeDestination, `/api/v1/destinations/${id}`, { key: place.key, body: { enabled: true } });
  await ground.receive(place, identify("bob"));
  await ground.route(place);
  expect((await ground.deliveries(place)).map(({ lanes }) => lanes[0])).toEqual(["u:bob"]);
});

test("an event that cannot be read is rejected with the reason, and those behind it go on", async () => {
  const place = await ground.place();
  await ground.destination(place);
  const [broken, good] = await ground.receive(place, "{nonsense", identify("ann"));
  await ground.route(place);
  expect((await ground.deliveries(place)).map(({ event_id }) => event_id)).toEqual([good]);
  const event = await database.inWorkspace(place.workspace, (trx) =>
    trx
      .selectFrom("event")
      .selectAll()
      .where("id", "=", broken ?? "")
      .executeTakeFirstOrThrow(),
  );
  expect(event.rejection).toContain("could not make anything of this event");
});

test("texts that a database does not take hold nothing up", async () => {
  const place = await ground.place();
  await ground.destination(place);
  await ground.receive(
    place,
    identify("a\u0000\ud83d", { email: "ann\u0000@host" }),
    identify("x".repeat(10_000), { email: "x@example.com" }),
  );
  await ground.route(place);
  expect((await ground.deliveries(place)).map(({ state, code }) => [state, code])).toEqual([
    ["failed", "invalid_email"],
    ["queued", null],
  ]);
});

test("neither do those that a template makes, nor names with them (row 53)", async () => {
  const place = await ground.place();
  const id = await ground.destination(place);
  const trigger = { field: "type", operator: "equals", value: "group" };
  const mapping = [
    { to: "external_id", template: "{{ groupId | url_decode }}" },
    { to: "deleted", from: "$.traits.deleted" },
  ];
  const actions = [{ key: "upsert_organization", enabled: true, trigger, mapping }];
  expect(
    await api.call(putActions, `/api/v1/destinations/${id}/actions`, { key: place.key, body: actions }),
  ).toMatchObject({ status: 200 });
  await ground.receive(
    place,
    { type: "group", groupId: "a%00b", traits: { deleted: true } },
    identify("ann", { "pl\u0000an": { of: ["more"] } }),
  );
  await ground.route(place);
  expect(await ground.deliveries(place)).toMatchObject([
    { state: "failed", code: "deletion_not_done", reason: expect.stringContaining("external id ab.") },
    { state: "queued", notes: [expect.stringMatching(/^plan: /)] },
  ]);
});

test("an event whose delivery the database refuses is rejected with its words, and those around it go on (row 55)", async () => {
  const place = await ground.place();
  await ground.destination(place);
  const refused = "alter table delivery add constraint refuse check (command not like '%Poison%')";
  const [, poison] = await ground.receive(
    place,
    identify("ann"),
    identify("bob", { name: "Poison", company: { id: "77" } }),
    identify("cid"),
  );
  await asOwner(refused);
  await ground.route(place).finally(() => asOwner("alter table delivery drop constraint refuse"));
  expect((await ground.deliveries(place)).map(({ lanes }) => lanes[0])).toEqual(["u:ann", "u:cid"]);
  const rejected = await database.inWorkspace(place.workspace, (trx) =>
    trx.selectFrom("event").select(["id", "rejection"]).where("rejection", "is not", null).execute(),
  );
  expect(rejected).toEqual([{ id: poison, rejection: expect.stringContaining("refuse") }]);
});

test("a database that takes nothing for now rejects no event", async () => {
  const place = await ground.place();
  await ground.destination(place);
  await ground.receive(place, identify("ann"));
  await asOwner(`create function disk_is_full() returns boolean language plpgsql as
    $$ begin raise exception 'could not extend file: No space left on device' using errcode = '53100'; end $$;
    alter table delivery add constraint refuse check (disk_is_full()) not valid`);
  await expect(
    ground
      .route(place)
      .finally(() => asOwner("alter table delivery drop constraint refuse; drop function disk_is_full")),
  ).rejects.toThrow("No space left");
  expect(await ground.route(place)).toMatchObject({ routed: 1 });
  expect(await ground.deliveries(place)).toMatchObject([{ state: "queued" }]);
});

test("a destination that is deleted leaves what was not sent as failed, and is never sent to again", async () => {
  const place = await ground.place();
  const id = await ground.destination(place);
  await ground.receive(place, identify("ann"), identify("bob"), identify("cid"));
  await ground.route(place);
  const [queued, unknown, held] = await ground.deliveries(place);
  const set = (deliveryId: string | undefined, state: string) =>
    database.inWorkspace(place.workspace, (trx) =>
      trx
        .updateTable("delivery")
        .set({ state })
        .where("id", "=", deliveryId ?? "")
        .execute(),
    );
  await set(unknown?.id, "unknown");
  await set(held?.id, "held");
  const answer = await api.call(deleteDestination, `/api/v1/destinations/${id}`, { key: place.key });
  expect(answer.status).toBe(204);
  await ground.receive(place, identify("dan"));
  await ground.route(place);
  const after = await ground.deliveries(place);
  expect(after.map((row) => [row.id, row.state, row.code, row.due_at])).toEqual([
    [queued?.id, "failed", "destination_deleted", null],
    [unknown?.id, "unknown", null, null],
    [held?.id, "failed", "destination_deleted", null],
  ]);
  expect(after[1]?.fix).toMatch(/^Look in Zendesk.*Nothing more is sent/);
  const lanes = await database.inWorkspace(place.workspace, (trx) =>
    trx.selectFrom("delivery_lane").selectAll().where("state", "=", "open").execute(),
  );
  expect(lanes).toEqual([]);
});

test("a destination with more waiting than one transaction ends is deleted whole, and is stopped first", async () => {
  const place = await ground.place();
  const id = await ground.destination(place);
  await ground.receive(place, ...Array.from({ length: 1010 }, (_, n) => identify(`user-${n}`)));
  await ground.route(place);
  expect(await api.call(deleteDestination, `/api/v1/destinations/${id}`, { key: place.key })).toMatchObject({
    status: 204,
  });
  const after = await ground.deliveries(place);
  expect(after).toHaveLength(1010);
  expect(after.filter(({ state, code }) => state !== "failed" || code !== "destination_deleted")).toEqual([]);
  const { stopped_at, deleted_at } = await database.inWorkspace(place.workspace, (trx) =>
    trx.selectFrom("destination").selectAll().where("id", "=", Number(id)).executeTakeFirstOrThrow(),
  );
  expect([stopped_at, deleted_at]).toEqual([expect.any(Date), expect.any(Date)]);
});

test("a stop is honoured while templates keep routing busy: a transaction ends by time as well (row 103)", async () => {
  const place = await ground.place();
  const id = await ground.destination(place);
  const mapping = [
    { to: "email", from: "$.traits.email" },
    // Each runs into the time that one template has; both together into that of an event, 800 ms.
    ...["name", "notes"].map((to) => ({ to, template: `${slowTemplate} ${to}` })),
  ];
  const trigger = { field: "type", operator: "equals", value: "identify" };
  const actions = [{ key: "upsert_user", enabled: true, trigger, mapping }];
  expect(
    await api.call(putActions, `/api/v1/destinations/${id}/actions`, { key: place.key, body: actions }),
  ).toMatchObject({ status: 200 });
  await ground.receive(place, ...Array.from({ length: 20 }, (_, n) => identify(`user-${n}`)));
  const routing = ground.route(place);
  await expect.poll(async () => (await ground.deliveries(place)).length, { timeout: 30_000 }).toBeGreaterThan(0);
  const before = (await ground.deliveries(place)).length;
  expect(await api.call(stopDestination, `/api/v1/destinations/${id}/stop`, { key: place.key })).toMatchObject({
    status: 200,
  });
  const after = (await ground.deliveries(place)).length;
  // Of events that take 800 ms each, no more than 5 s hold.
  expect(after - before).toBeLessThanOrEqual(5);
  expect(after).toBeLessThan(20);
  // The others need not be waited for.
  await database.inWorkspace(place.workspace, (trx) =>
    trx.updateTable("event").set({ rejection: "not this time" }).where("routed_at", "is", null).execute(),
  );
  const { routed } = await routing;
  expect(await ground.deliveries(place)).toHaveLength(routed);
}, 60_000);
