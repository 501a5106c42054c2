import { createHash } from "node:crypto";
import { sql } from "kysely";
import pg from "pg";
import { expect, test } from "vitest";
import { GET as getEvent } from "#app/api/v1/events/[id]/route.ts";
import { GET as listEvents } from "#app/api/v1/events/route.ts";
import { POST as rotate } from "#app/api/v1/sources/[id]/rotate/route.ts";
import { PATCH as change, GET as getSource, DELETE as remove } from "#app/api/v1/sources/[id]/route.ts";
import { POST as create, GET as list } from "#app/api/v1/sources/route.ts";
import type { Trx } from "#db/client.ts";
import { concealValues, registerSecrets } from "#lib/log.ts";
import { forgetOldIntake } from "#lib/sources/retention.ts";
import { selectEvents } from "#lib/sources/store/events.ts";
import { KeyRing } from "#lib/sources/write-keys.ts";
import { type Sending, useDoors } from "./ground.ts";

const doors = useDoors();
const { api, database } = doors;
const event = { userId: "u1", event: "Paid" };
const sourcePath = ({ sourceId }: Sending) => `/api/v1/sources/${sourceId}`;
const statusOf = async (writeKey: string) => (await doors.send("track", writeKey, event)).status;

test("a source is made with a write key that is shown once and kept as a digest", async () => {
  const workspace = await database.workspace();
  const key = await api.key(workspace);
  const { status, body } = await api.call(create, "/api/v1/sources", { key, body: { name: "  Shop  " } });
  expect(status).toBe(201);
  expect(body).toMatchObject({ name: "Shop", enabled: true, eventsLastDay: 0, lastEventAt: null, destinations: [] });
  expect(body.keys).toMatchObject([{ hint: `…${body.writeKey.slice(-4)}`, endsAt: null, lastUsedAt: null }]);
  expect(await statusOf(body.writeKey)).toBe(200);

  const shown = await api.call(getSource, `/api/v1/sources/${body.id}`, { key });
  expect(shown.text).not.toContain(body.writeKey);
  expect(shown.body).toMatchObject({ eventsLastDay: 1, rejectedLastDay: 0, lastEventAt: expect.any(String) });
  expect(shown.body.keys[0]?.lastUsedAt).not.toBeNull();
  const kept = await database.db.selectFrom("write_key").selectAll().where("workspace_id", "=", workspace).execute();
  expect(JSON.stringify(kept)).not.toContain(body.writeKey.slice(4));
});

test("a key that was replaced is refused at once, or after the minutes that it was given", async () => {
  const sending = await doors.source();
  const { key } = sending;
  expect(await statusOf(sending.writeKey)).toBe(200);
  const second = (await api.call(rotate, `${sourcePath(sending)}/rotate`, { key, body: {} })).body;
  expect([await statusOf(sending.writeKey), await statusOf(second.writeKey)]).toEqual([401, 200]);

  const third = (await api.call(rotate, `${sourcePath(sending)}/rotate`, { key, body: { keepMinutes: 60 } })).body;
  expect([await statusOf(second.writeKey), await statusOf(third.writeKey)]).toEqual([200, 200]);
  expect(third.keys.map(({ endsAt }) => endsAt === null)).toEqual([true, false]);
  const ring = new KeyRing(api.context);
  const inMinutes = (minutes: number) => new Date(Date.now() + minutes * 60_000);
  expect(await ring.owner(second.writeKey, inMinutes(59))).not.toBeNull();
  expect(await ring.owner(second.writeKey, inMinutes(61))).toBeNull();
  expect(await ring.owner(third.writeKey, inMinutes(61))).not.toBeNull();
});

test("another process refuses a key two seconds after it ended, and asks the database no more often", async () => {
  const sending = await doors.source();
  const other = new KeyRing(api.context);
  const now = new Date();
  const at = (milliseconds: number) => new Date(now.getTime() + milliseconds);
  expect(await other.owner(sending.writeKey, now)).toMatchObject({ isEnabled: true });
  await api.call(rotate, `${sourcePath(sending)}/rotate`, { key: sending.key, body: {} });
  expect(await other.owner(sending.writeKey, at(1900))).not.toBeNull();
  expect(await other.owner(sending.writeKey, at(2000))).toBeNull();
});

test("a key that is shown is told in no line from then on, also by a process that has not made it (row 115)", async () => {
  const { workspace, sourceId } = await doors.source();
  // As another process, or an earlier one, has made it.
  const [known, unknown] = ["bwk_made-by-another-process", "bwk_of-nobody-at-all-0000"];
  const key_hash = createHash("sha256").update(known).digest();
  await database.inWorkspace(workspace, (trx) =>
    trx
      .insertInto("write_key")
      .values({ workspace_id: workspace, source_id: Number(sourceId), key_hash, hint: "…cess", created_at: new Date() })
      .execute(),
  );
  const ring = new KeyRing(api.context);
  for (const key of [known, unknown]) await ring.owner(key, new Date());
  expect(concealValues(`${known} ${unknown}`)).toBe(`[secret] ${unknown}`);
});

test("a look-up that was under way when a key ended is not remembered", async () => {
  const sending = await doors.source();
  const ring = new KeyRing(api.context);
  const now = new Date();
  const before = ring.owner(sending.writeKey, now);
  ring.forget();
  await before;
  await database.db.deleteFrom("write_key").where("workspace_id", "=", sending.workspace).execute();
  expect(await ring.owner(sending.writeKey, now)).toBeNull();
});

test("a source that is switched off refuses events with the reason, and takes them again", async () => {
  const sending = await doors.source();
  const { key } = sending;
  expect(await statusOf(sending.writeKey)).toBe(200);
  await api.call(change, sourcePath(sending), { key, body: { enabled: false, name: "Old shop" } });
  const refused = await doors.send("track", sending.writeKey, event);
  expect([refused.status, refused.body.error]).toEqual([
    403,
    { code: "forbidden", message: "The source of this write key is switched off: its events are not taken." },
  ]);
  const { body } = await api.call(change, sourcePath(sending), { key, body: { enabled: true } });
  expect(body).toMatchObject({ name: "Old shop", enabled: true, eventsLastDay: 1 });
  expect(await statusOf(sending.writeKey)).toBe(200);
});

test("a source that is removed is listed no more, its keys are refused, and its events keep its name", async () => {
  const sending = await doors.source();
  const { key, workspace } = sending;
  expect(await statusOf(sending.writeKey)).toBe(200);
  expect((await api.call(remove, sourcePath(sending), { key })).status).toBe(204);
  expect(await statusOf(sending.writeKey)).toBe(401);
  expect((await api.call(list, "/api/v1/sources", { key })).body.items).toEqual([]);
  for (const again of [remove, getSource, change]) {
    const body = again === change ? { body: { enabled: true } } : {};
    expect((await api.call(again as typeof remove, sourcePath(sending), { key, ...body })).status).toBe(404);
  }
  expect((await api.call(rotate, `${sourcePath(sending)}/rotate`, { key, body: {} })).status).toBe(404);
  const { items } = (await api.call(listEvents, "/api/v1/events", { key })).body;
  expect(items).toMatchObject([{ source: { id: sending.sourceId, name: "Shop" } }]);
  expect(await doors.stored(workspace)).toHaveLength(1);
});

test("sources are listed newest first, page by page", async () => {
  const first = await doors.source();
  const ids = [first.sourceId];
  for (let n = 0; n < 4; n++) ids.unshift((await doors.source(first.workspace)).sourceId);
  const one = (await api.call(list, "/api/v1/sources?limit=3", { key: first.key })).body;
  const two = (await api.call(list, `/api/v1/sources?limit=3&cursor=${one.nextCursor}`, { key: first.key })).body;
  expect([...one.items, ...two.items].map(({ id }) => id)).toEqual(ids);
  expect(two.nextCursor).toBeNull();
});

test("events are shown newest first, found by what they hold, with what became of them", async () => {
  const sending = await doors.source();
  const other = await doors.source(sending.workspace);
  const { key, workspace, sourceId, writeKey } = sending;
  await doors.send("batch", writeKey, {
    batch: [
      { type: "identify", userId: "u1", traits: { email: "Ann@example.com" }, messageId: "m1" },
      { type: "track", userId: "u1", event: "Ticket Created", messageId: "m2", properties: { subject: "Help" } },
      { type: "group", groupId: "g7", userId: "u2", messageId: "m3" },
      { type: "track", userId: "u3", messageId: "m4" },
    ],
  });
  await doors.send("track", other.writeKey, { userId: "u9", event: "Paid", messageId: "m5" });
  const ids = async (query: string) =>
    (await api.call(listEvents, `/api/v1/events${query}`, { key })).body.items.map(({ messageId }) => messageId);
  expect(await ids("")).toEqual(["m5", "m4", "m3", "m2", "m1"]);
  expect(await ids(`?sourceId=${sourceId}`)).toEqual(["m4", "m3", "m2", "m1"]);
  expect(await ids("?type=track")).toEqual(["m5", "m4", "m2"]);
  expect(await ids("?state=rejected")).toEqual(["m4"]);
  expect(await ids("?state=accepted&type=track")).toEqual(["m5", "m2"]);
  expect(await ids("?messageId=m3")).toEqual(["m3"]);
  expect(await ids("?q=ann@example.com")).toEqual(["m1"]);
  expect(await ids("?q=g7")).toEqual(["m3"]);
  expect(await ids("?q=Ticket%20Created")).toEqual(["m2"]);
  expect(await ids("?q=%20m4%20")).toEqual(["m4"]);
  expect(await ids("?q=u1")).toEqual(["m2", "m1"]);
  expect(await ids("?q=u1&type=track")).toEqual(["m2"]);
  expect(await ids("?q=%25")).toEqual([]);
  expect(await ids("?q=Ticket")).toEqual([]);
  const page = (await api.call(listEvents, "/api/v1/events?limit=2", { key })).body;
  expect(await ids(`?limit=2&cursor=${page.nextCursor}`)).toEqual(["m3", "m2"]);
  expect((await api.call(listEvents, "/api/v1/events?sourceId=x", { key })).status).toBe(422);
  expect((await api.call(listEvents, "/api/v1/events", { key: await api.key(workspace, "viewer") })).status).toBe(403);

  const { id } = (await api.call(listEvents, "/api/v1/events?messageId=m2", { key })).body.items[0] ?? { id: "" };
  await deliver(workspace, id, "done");
  const detail = (await api.call(getEvent, `/api/v1/events/${id}`, { key })).body;
  expect(detail).toMatchObject({
    type: "track",
    name: "Ticket Created",
    userId: "u1",
    source: { id: sourceId, name: "Shop" },
    rejection: null,
    payload: { type: "track", userId: "u1", event: "Ticket Created", messageId: "m2", properties: { subject: "Help" } },
    deliveries: [{ action: "create_ticket", state: "done" }],
  });
  const stranger = await api.key(await database.workspace());
  expect((await api.call(getEvent, `/api/v1/events/${id}`, { key: stranger })).status).toBe(404);
});

test("an event that holds a secret of digits is shown without it (row 115)", async () => {
  registerSecrets(["1234567890"]);
  const { key, writeKey } = await doors.source();
  await doors.send("track", writeKey, { ...event, properties: { total: 1234567890, note: "1234567890", left: 5 } });
  const [shown] = (await api.call(listEvents, "/api/v1/events", { key })).body.items;
  const { status, body } = await api.call(getEvent, `/api/v1/events/${shown?.id}`, { key });
  expect(status).toBe(200);
  expect(body.payload).toMatchObject({ properties: { total: "[secret]", note: "[secret]", left: 5 } });
});

test("events are looked for by what stands in them as a whole, without reading all of them", async () => {
  const workspace = await database.workspace();
  await database.inWorkspace(workspace, (trx) =>
    sql`
      insert into event (workspace_id, source_id, message_id, type, name, user_id, anonymous_id, group_id, email,
                         occurred_at, received_at, payload)
      select ${workspace}::int, 1, 'm' || n, 'track', 'Event ' || n / 2, 'u' || n / 2, 'a' || n / 2, 'g' || n / 2,
             'u' || n / 2 || '@example.com', now(), now(), '{}'
        from generate_series(1, 20000) n`.execute(trx),
  );
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  await owner.query("analyze event").finally(() => owner.end());
  const read = (trx: Trx) =>
    sql<{ rows: string }>`
      select seq_tup_read + coalesce(idx_tup_fetch, 0) as rows from pg_stat_xact_user_tables where relname = 'event'`
      .execute(trx)
      .then(({ rows }) => Number(rows[0]?.rows));
  for (const q of ["u77", "a77", "g77", "u77@EXAMPLE.com", "Event 77", "nobody"]) {
    const page = { after: null, limit: 50 };
    const [found, rows] = await database.inWorkspace(workspace, async (trx) => [
      await selectEvents(trx, workspace, { q }, page),
      await read(trx),
    ]);
    expect([q, found.map(({ message_id }) => message_id)]).toEqual([q, q === "nobody" ? [] : ["m155", "m154"]]);
    // Of 20,000; the planner reads some itself, at the ends of an index.
    expect(rows).toBeLessThan(1000);
  }
});

test("what is over is forgotten after 30 days, message ids after seven; what is still to be done stays", async () => {
  const sending = await doors.source();
  const { workspace, writeKey } = sending;
  const names = ["done", "dead", "held", "unknown", "queued", "unrouted", "nobody's"];
  await doors.send("batch", writeKey, {
    batch: [...names.map((name) => ({ type: "track", userId: "u1", event: name, messageId: name })), "no event"],
  });
  const stored = await doors.stored(workspace);
  const states: Record<string, string> = {
    done: "done",
    dead: "failed",
    held: "held",
    unknown: "unknown",
    queued: "queued",
  };
  for (const { id, name } of stored) if (name && states[name]) await deliver(workspace, id, states[name]);
  await database.inWorkspace(workspace, async (trx) => {
    await trx.updateTable("event").set({ routed_at: new Date() }).where("rejection", "is", null).execute();
    await trx.updateTable("event").set({ routed_at: null }).where("name", "=", "unrouted").execute();
  });
  const left = async (days: number) => {
    const now = new Date(Date.now() + days * 86_400_000);
    await forgetOldIntake(database.db, workspace, now, () => false);
    const ids = await database.inWorkspace(workspace, (trx) => trx.selectFrom("event_message").selectAll().execute());
    return [(await doors.stored(workspace)).map(({ name }) => name), ids.length];
  };
  expect(await left(6)).toEqual([[...names, null], 7]);
  expect(await left(8)).toEqual([[...names, null], 0]);
  expect(await left(31)).toEqual([["held", "unknown", "queued", "unrouted"], 0]);
  expect((await doors.send("track", writeKey, { ...event, messageId: "done" })).status).toBe(200);
  expect(await doors.stored(workspace)).toHaveLength(5);
});

/** A delivery of an event, in a state. */
async function deliver(workspace: number, eventId: string, state: string): Promise<void> {
  const now = new Date();
  const times = { created_at: now, updated_at: now };
  const what = { action: "create_ticket", action_version: 1, command: "{}", command_key: `${eventId}:1`, lanes: [] };
  const row = {
    workspace_id: workspace,
    destination_id: 1,
    connection_id: 1,
    event_id: eventId,
    state,
    ...what,
    ...times,
  };
  await database.inWorkspace(workspace, (trx) => trx.insertInto("delivery").values(row).execute());
}
