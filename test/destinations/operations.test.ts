import { sql } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import { POST as approve } from "#app/api/v1/deliveries/[id]/approve/route.ts";
import { POST as discard } from "#app/api/v1/deliveries/[id]/discard/route.ts";
import { GET as one } from "#app/api/v1/deliveries/[id]/route.ts";
import { GET as listReasons } from "#app/api/v1/deliveries/reasons/route.ts";
import { GET as countReplayable, POST as replay } from "#app/api/v1/deliveries/replay/route.ts";
import { GET as list } from "#app/api/v1/deliveries/route.ts";
import { POST as preview } from "#app/api/v1/destinations/[id]/actions/preview/route.ts";
import { POST as dryRun } from "#app/api/v1/destinations/[id]/dry-run/route.ts";
import { GET as destination } from "#app/api/v1/destinations/[id]/route.ts";
import { POST as start } from "#app/api/v1/destinations/[id]/start/route.ts";
import { POST as stop } from "#app/api/v1/destinations/[id]/stop/route.ts";
import { POST as sample } from "#app/api/v1/destinations/[id]/test/route.ts";
import { GET as events } from "#app/api/v1/events/route.ts";
import { processDeliverer } from "#lib/destinations/deliverer.ts";
import { deliverDue } from "#lib/jobs/deliveries.ts";
import { collectMetrics } from "#lib/monitoring/collect.ts";
import { makeGround, receive } from "#test/destinations/chaos/ground.ts";
import { deliveriesOf } from "#test/destinations/chaos/once.ts";
import { useApi } from "#test/support/api.ts";
import { useDatabase } from "#test/support/database.ts";
import { startZendesk } from "#test/support/zendesk/start.ts";
import { World } from "#test/support/zendesk/world/world.ts";

const database = useDatabase();
const api = useApi(database);

/** A destination that programs reach over the API, by the machine's own clock. */
async function open() {
  const world = new World({ clock: new Date().toISOString() });
  const zendesk = await startZendesk({ worlds: [world] });
  const ground = await makeGround(database.db, zendesk, world, "customerio");
  const home = globalThis as typeof globalThis & { bellwetherContext?: typeof api.context };
  const context: typeof api.context = Object.create(api.context, { config: { value: ground.ctx.config } });
  home.bellwetherContext = context;
  onTestFinished(async () => {
    await processDeliverer(context).stop(5000);
    await zendesk.close();
  });
  const { workspaceId } = ground.scope;
  const [admin, csm] = [await api.key(workspaceId), await api.key(workspaceId, "csm")];
  const path = `/api/v1/destinations/${ground.destinationId}`;
  const settle = () => deliverDue(context, new Date(Date.now() + 20_000));
  const take = async (...payloads: Record<string, unknown>[]) => {
    const events = payloads.map((payload) => ({
      messageId: `m-${Math.random()}`,
      type: String(payload.type) as "track",
      payload,
    }));
    await receive(ground, events, new Date());
    await settle();
    return deliveriesOf(ground);
  };
  return { ...ground, world, zendesk, context, admin, csm, path, settle, take };
}

const identify = { type: "identify", userId: "u-1", traits: { email: "ada@example.com", name: "Ada" } };

describe("over the API", () => {
  test("a stop keeps everything queued until a start; a CSM may stop, an administrator starts", async () => {
    const { path, csm, admin, take, settle, zendesk, ...ground } = await open();
    const stopped = await api.call(stop, `${path}/stop`, { key: csm });
    expect(stopped.body).toMatchObject({ state: "stopped", stopped: { by: expect.stringContaining("csm") } });
    expect(await take(identify)).toMatchObject([{ state: "queued" }]);
    expect((await api.call(start, `${path}/start`, { key: csm })).status).toBe(403);
    expect((await api.call(start, `${path}/start`, { key: admin })).body).toMatchObject({ state: "on", stopped: null });
    await settle();
    expect(await deliveriesOf(ground)).toMatchObject([{ state: "done" }]);
    expect(zendesk.effects.of("user.created")).toHaveLength(1);
  });

  test("a stop with the same Idempotency-Key is one, also when it was started meanwhile", async () => {
    const { path, admin } = await open();
    const once = { key: admin, headers: { "idempotency-key": "once" } };
    const first = await api.call(stop, `${path}/stop`, once);
    await api.call(start, `${path}/start`, { key: admin });
    expect((await api.call(stop, `${path}/stop`, once)).body).toEqual(first.body);
    expect((await api.call(start, `${path}/start`, { key: admin })).body).toMatchObject({ state: "on" });
  });

  test("a sample with the same Idempotency-Key is one, ten times at once: one ticket (row 105)", async () => {
    const { path, admin, world, zendesk } = await open();
    world.users.create({ name: "Ada", email: "ada@example.com", externalId: "u-1" });
    const event = { type: "track", event: "Ticket Created", userId: "u-1", properties: { subject: "S", comment: "C" } };
    const once = { key: admin, body: { event }, headers: { "idempotency-key": "once" } };
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.call(sample, `${path}/test`, once)));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(answers[0]?.body.deliveries).toMatchObject([
      { action: "create_ticket", state: "done", subject: "user u-1" },
    ]);
    expect(zendesk.effects.of("ticket.created")).toHaveLength(1);
  });

  test("approving names the reason that was read; with the same Idempotency-Key it is one", async () => {
    const { admin, scope, take, settle } = await open();
    await database.inWorkspace(scope.workspaceId, (trx) =>
      trx.updateTable("destination").set({ unknown_user_traits: "ask" }).execute(),
    );
    const [held] = await take({ ...identify, traits: { ...identify.traits, plan: "gold" } });
    expect(held).toMatchObject({ state: "held", code: "unknown_traits" });
    const path = `/api/v1/deliveries/${held?.id}`;
    const other = await api.call(approve, `${path}/approve`, { key: admin, body: { code: "removal" } });
    expect(other).toMatchObject({ status: 409, error: { code: "conflict" } });
    const once = { key: admin, body: { code: "unknown_traits" }, headers: { "idempotency-key": "once" } };
    const answers = [
      await api.call(approve, `${path}/approve`, once),
      await api.call(approve, `${path}/approve`, once),
    ];
    expect(answers[0]?.body).toMatchObject({ state: "queued" });
    expect(answers[1]?.body).toEqual(answers[0]?.body);
    await settle();
    expect((await api.call(one, path, { key: admin })).body).toMatchObject({
      ...{ state: "done", attempts: 2 },
      approved: { codes: ["unknown_traits"] },
    });
  });

  test("deliveries are counted up to ten thousand, and no further", async () => {
    const { path, csm, scope, destinationId } = await open();
    await database.inWorkspace(scope.workspaceId, (trx) =>
      sql`insert into delivery (workspace_id, destination_id, connection_id, action, action_version, command, command_key,
                                lanes, state, created_at, updated_at)
          select ${scope.workspaceId}, ${destinationId}, ${scope.connectionId}, 'upsert_user', 1, '{}', 'key ' || n, '{}',
                 case when n <= 10001 then 'failed' when n <= 20002 then 'done' else 'held' end, now(), now()
            from generate_series(1, 20005) n`.execute(trx),
    );
    const { body } = await api.call(destination, path, { key: csm });
    expect(body.deliveries).toEqual({ queued: 0, unknown: 0, held: 3, failed: 10_000, doneLastDay: 10_000 });
  });

  test("many dead letters of the last day are told of, and not those that were discarded, are old, or are few among many", async () => {
    const { path, csm, scope, destinationId } = await open();
    const failing = async () => (await api.call(destination, path, { key: csm })).body.failing;
    const in_ = (work: Parameters<typeof database.inWorkspace>[1]) => database.inWorkspace(scope.workspaceId, work);
    const made = (state: string, many: number, age = "1 hour") =>
      in_((trx) =>
        sql`insert into delivery (workspace_id, destination_id, connection_id, action, action_version, command, command_key,
                                  lanes, state, code, created_at, updated_at)
            select ${scope.workspaceId}, ${destinationId}, ${scope.connectionId}, 'upsert_user', 1, '{}',
                   gen_random_uuid()::text, '{}', ${state}, 'refused', now() - ${age}::interval, now()
              from generate_series(1, ${many}::int)`.execute(trx),
      );
    await made("failed", 500, "25 hours");
    await made("failed", 9);
    expect(await failing()).toBeNull();
    await made("failed", 1);
    expect(await failing()).toEqual({ reason: expect.stringMatching(/Many of its writes/), fix: expect.any(String) });
    await made("done", 91);
    expect(await failing()).toBeNull();
    await made("failed", 10);
    expect(await failing()).not.toBeNull();
    await in_((trx) => trx.updateTable("delivery").set({ code: "discarded" }).where("state", "=", "failed").execute());
    expect(await failing()).toBeNull();
  });

  test("a sample goes all the way while the destination is off, and is noted as the test", async () => {
    const { path, admin, scope, destinationId, zendesk, ctx, sourceId } = await open();
    await database.inWorkspace(scope.workspaceId, (trx) =>
      trx.updateTable("destination").set({ enabled: false }).execute(),
    );
    const tested = await api.call(sample, `${path}/test`, { key: admin, body: { event: identify } });
    expect(tested.body.deliveries).toMatchObject([
      { action: "upsert_user", state: "done", subject: "ada@example.com" },
    ]);
    expect(zendesk.effects.of("user.created")).toMatchObject([{ values: { name: "Ada" } }]);
    const { tested_at, routed } = await database.inWorkspace(scope.workspaceId, async (trx) => ({
      ...(await trx.selectFrom("destination").select("tested_at").executeTakeFirstOrThrow()),
      routed: await trx.selectFrom("event").select(["routed_at", "source_id"]).executeTakeFirstOrThrow(),
    }));
    expect(tested_at).not.toBeNull();
    expect(routed).toMatchObject({ source_id: sourceId, routed_at: expect.any(Date) });
    const wrong = await api.call(sample, `${path}/test`, { key: admin, body: { event: { type: "track" } } });
    expect(wrong.error).toMatchObject({ code: "invalid", details: [{ path: expect.stringMatching(/^event/) }] });
    expect(await deliveriesOf({ ctx, scope, sourceId, destinationId })).toHaveLength(1);
  });

  test("a dry run, the list, one delivery, replay and discard", async () => {
    const { path, admin, csm, take, settle } = await open();
    const dry = await api.call(dryRun, `${path}/dry-run`, { key: csm, body: { event: identify } });
    expect(dry.body.counts).toMatchObject({ create: 1, failed: 0 });
    const [lost] = await take({ type: "track", event: "Order Placed", userId: "u-1" });
    const { body } = await api.call(list, "/api/v1/deliveries?state=failed", { key: csm });
    expect(body.items).toMatchObject([{ id: lost?.id, code: "user_not_found", fix: expect.stringMatching(/./) }]);
    const detail = await api.call(one, `/api/v1/deliveries/${lost?.id}`, { key: csm });
    expect(detail.body).toMatchObject({ event: { type: "track" }, actionVersion: 1 });
    const count = (query: string) => api.call(countReplayable, `/api/v1/deliveries/replay${query}`, { key: csm });
    expect((await count("?code=user_not_found&state=failed")).body).toEqual({ deliveries: 1 });
    expect((await count("?code=other")).body).toEqual({ deliveries: 0 });
    expect((await count("")).body).toEqual({ deliveries: 1 });
    const tooMany = { key: admin, body: { filter: { code: "user_not_found" }, expected: 0 } };
    expect((await api.call(replay, "/api/v1/deliveries/replay", tooMany)).status).toBe(409);
    const again = { key: admin, body: { ids: [lost?.id] }, headers: { "idempotency-key": "once" } };
    const replays = [
      await api.call(replay, "/api/v1/deliveries/replay", again),
      await api.call(replay, "/api/v1/deliveries/replay", again),
    ];
    expect(replays.map((answer) => answer.body)).toEqual(Array(2).fill({ replayed: 1, skipped: 0 }));
    await settle();
    const refused = await api.call(approve, `/api/v1/deliveries/${lost?.id}/approve`, { key: admin });
    expect(refused.error).toMatchObject({ code: "conflict" });
    const failed = async () => (await api.call(destination, path, { key: csm })).body.deliveries.failed;
    expect(await failed()).toBe(1);
    const discarded = await api.call(discard, `/api/v1/deliveries/${lost?.id}/discard`, { key: admin });
    expect(discarded.body).toMatchObject({ state: "failed", code: "discarded" });
    expect(await failed()).toBe(0);
  });

  test("the reasons of a filter are counted, and what was discarded can be left out of the dead letters", async () => {
    const { admin, csm, take } = await open();
    const track = (userId: string) => ({ type: "track", event: "Order Placed", userId });
    await take(track("u-1"), track("u-2"), { ...identify, traits: { email: "ada at example.com" } });
    const reasons = async (query: string) =>
      (await api.call(listReasons, `/api/v1/deliveries/reasons?${query}`, { key: csm })).body.items;
    const [most, least] = [
      { code: "user_not_found", deliveries: 2 },
      { code: "invalid_email", deliveries: 1 },
    ];
    expect(await reasons("")).toEqual([most, least]);
    expect(await reasons("action=upsert_user")).toEqual([least]);
    expect(await reasons("destinationId=0")).toEqual([]);
    const dead = "/api/v1/deliveries?state=failed&exceptCode=discarded";
    const { items } = (await api.call(list, dead, { key: csm })).body;
    expect(items).toHaveLength(3);
    await api.call(discard, `/api/v1/deliveries/${items[0]?.id}/discard`, { key: admin });
    const left = (await api.call(list, dead, { key: csm })).body.items.map(({ id }: { id: string }) => id);
    expect(left).toEqual(items.slice(1).map(({ id }: { id: string }) => id));
    expect((await reasons("state=failed")).map(({ code }: { code: string }) => code)).toContain("discarded");
    expect(await reasons("state=failed&exceptCode=discarded")).not.toContainEqual(
      expect.objectContaining({ code: "discarded" }),
    );
  });

  test("a preview shows the very values that are written then, and what is left out of them with its reason (X-13)", async () => {
    const { path, csm, take, zendesk } = await open();
    const foreseen = async (event: Record<string, unknown>) => {
      const { items } = (await api.call(preview, `${path}/actions/preview`, { key: csm, body: { event } })).body;
      const [item] = items.filter(({ triggered }) => triggered);
      return { ...item, problems: item?.problems.map(({ field, message }) => `${field}: ${message}`) };
    };
    const written = (place: string, kind: string) => {
      const [write] = zendesk.journal.to(new RegExp(`^/api/v2/${place}$`)).filter(({ method }) => method === "POST");
      return JSON.parse(write?.body ?? "{}")[kind];
    };
    const person = { email: "ann@example.com", name: "Ann Lee", timezone: "Europe/Berlin", phone: "+49 30 1" };
    const ann = { type: "identify", userId: "u-9", traits: { ...person, address: { city: "Bonn" } } };
    const user = await foreseen(ann);
    expect(user.problems).toEqual([expect.stringMatching(/^address: was left out: it is an object/)]);
    const springfield = { ...ann, traits: { ...person, timezone: "America/Springfield" } };
    const elsewhere = await foreseen(springfield);
    expect(elsewhere.fields).not.toHaveProperty("time_zone");
    expect(elsewhere.problems).toEqual(["time_zone: “America/Springfield” is no time zone: it was left out"]);
    const [delivery] = await take(ann);
    expect({ ...user.fields, ...user.creation }).toEqual(written("users", "user"));
    expect(user.creation).toEqual({ role: "end-user", verified: false, skip_verify_email: true });
    expect(delivery?.notes).toEqual(user.problems);

    const traits = { name: "Acme", domainNames: ["https://www.Acme.example/", "gmail.com"], tags: ["Key Account"] };
    const acme = { type: "group", groupId: "g-9", traits };
    const organization = await foreseen(acme);
    expect(organization.problems).toEqual([expect.stringMatching(/^domain_names: gmail.com belongs to free mail/)]);
    await take(acme);
    expect(organization.fields).toEqual(written("organizations", "organization"));

    const properties = { subject: "Help", comment: "It is broken", priority: "HIGH", tags: "Big, vip" };
    const asked = { type: "track", event: "Ticket Created", userId: "u-9", messageId: "m-9", properties };
    const { comment, public: isPublic, "requester.external_id": _, ...ticket } = (await foreseen(asked)).fields ?? {};
    await take(asked);
    const { requester_id: __, external_id: ___, ...sent } = written("tickets", "ticket");
    expect({ ...ticket, comment: { body: comment, public: isPublic } }).toEqual({ ...sent, external_id: "m-9" });
  });

  test("a preview shows what goes along with a user whom an action may have to create, and what a setting leaves out", async () => {
    const { path, csm, scope } = await open();
    const set = (columns: Record<string, unknown>) =>
      database.inWorkspace(scope.workspaceId, (trx) => trx.updateTable("destination").set(columns).execute());
    const foreseen = async (event: Record<string, unknown>) => {
      const { items } = (await api.call(preview, `${path}/actions/preview`, { key: csm, body: { event } })).body;
      return items.findLast(({ triggered }) => triggered);
    };
    const email = "ann@example.com";
    const track = { type: "track", event: "Order Placed", userId: "u-1", properties: { email } };
    expect(await foreseen(track)).toMatchObject({ creation: {}, fields: { description: "Order Placed" } });
    await set({ unknown_user_on_track: "create", create_verified: true, skip_verify_email: false });
    expect((await foreseen(track))?.creation).toEqual({ role: "end-user", verified: true, skip_verify_email: false });
    const known = { ...track, context: { zendesk_user_id: 4711 } };
    expect((await foreseen(known))?.creation).toEqual({});
    const nameless = { type: "identify", userId: "u-1", traits: { email: "ann@example.com" } };
    expect(await foreseen(nameless)).toMatchObject({
      creation: {},
      problems: [{ field: "name", message: expect.stringMatching(/^is missing: should Zendesk not know the user/) }],
    });

    await set({ associate_on_group: false, allow_removals: false });
    const group = { type: "group", groupId: "g-1", userId: "u-1", traits: { name: "Acme" } };
    expect(await foreseen(group)).toMatchObject({
      fields: { external_id: "g-1", name: "Acme" },
      creation: {},
      problems: [{ field: "user", message: expect.stringContaining("does not associate users") }],
    });
    expect((await foreseen(group))?.fields).not.toHaveProperty("user.external_id");
    const deletion = { ...group, traits: { deleted: true } };
    const reasons = async (event: Record<string, unknown>) => (await foreseen(event))?.problems[0]?.message;
    expect(await reasons(deletion)).toMatch(/^The group call says deleted: true/);
    const removal = { type: "identify", userId: "u-1", traits: { company: { id: 1, remove: true } } };
    expect(await reasons(removal)).toMatch(/this destination does not allow that/);
  });

  test("a dry run of actions that are not saved tells all that is sent, and what is left out", async () => {
    const { path, csm, admin, take } = await open();
    const dry = (body: object, key = csm) => api.call(dryRun, `${path}/dry-run`, { key, body });
    const traits = { email: "bo@example.com", name: "Bo", timezone: "nowhere", plan: "gold" };
    const event = { type: "identify", userId: "u-2", traits };
    const mapping = [
      { to: "email", from: "$.traits.email" },
      { to: "name", template: "{{ traits.name | upcase }}" },
      { to: "time_zone", from: "$.traits.timezone" },
    ];
    const trigger = { field: "type", operator: "equals", value: "identify" };
    const actions = [{ key: "upsert_user", enabled: true, trigger, mapping }];
    const { items } = (await dry({ event, actions })).body;
    expect(items).toMatchObject([
      {
        state: "done",
        notes: ["time_zone: “nowhere” is no time zone: it was left out", expect.stringMatching(/^Discarded.*plan/)],
      },
    ]);
    const told = Object.fromEntries((items[0]?.intents[0]?.changes ?? []).map(({ field, to }) => [field, to]));
    expect(told).toEqual({
      name: "BO",
      email: "bo@example.com",
      ...{ role: "end-user", verified: false, skip_verify_email: true },
    });
    await take(event);
    const { items: received } = (await api.call(events, "/api/v1/events", { key: csm })).body;
    const changed = (await dry({ eventId: received[0]?.id, actions })).body;
    expect(changed.counts).toMatchObject({ create: 0, change: 1 });
    const wrong = await dry({ event, actions: [{ ...actions[0], mapping: [{ to: "nothing", value: "x" }] }] }, admin);
    expect(wrong.error?.details).toMatchObject([{ path: "actions.0.mapping.0.to" }]);
    expect((await dry({ event, eventId: received[0]?.id })).status).toBe(422);
  });

  test("a dry run judges a sample as the door does, and says that its message id is given at sending", async () => {
    const { path, csm, world } = await open();
    const dry = (event: object) => api.call(dryRun, `${path}/dry-run`, { key: csm, body: { event } });
    const nobody = await dry({ type: "identify", traits: { name: "Nobody" } });
    expect([nobody.status, nobody.error?.details]).toEqual([
      422,
      [{ path: "event.userId", message: expect.stringMatching(/^is missing/) }],
    ]);
    world.users.create({ name: "Ada", email: "ada@example.com", externalId: "u-1" });
    const event = { type: "track", event: "Ticket Created", userId: "u-1", properties: { subject: "S", comment: "C" } };
    const externalId = async (more: object) => {
      const { items } = (await dry({ ...event, ...more })).body;
      return items[0]?.intents[0]?.changes.find(({ field }) => field === "external_id")?.to;
    };
    expect(await externalId({})).toMatch(/given when it is sent/);
    expect(await externalId({ messageId: "m-7" })).toBe("m-7");
  });

  test("what is not done is counted for Prometheus, with its age", async () => {
    const { context, scope, path, csm, take } = await open();
    await take({ type: "track", event: "Order Placed", userId: "u-1" });
    await api.call(stop, `${path}/stop`, { key: csm });
    await take(identify);
    const audience = { all: false, workspaceId: scope.workspaceId } as const;
    const text = await collectMetrics(context, audience, new Date(Date.now() + 60_000));
    const sample = (name: string, state: string) =>
      new RegExp(`^${name}\\{[^}]*${state}[^}]*\\} (\\S+)$`, "m").exec(text)?.[1];
    expect(sample("bellwether_deliveries", 'state="queued"')).toBe("1");
    expect(sample("bellwether_deliveries", 'state="failed"')).toBe("1");
    expect(Number(sample("bellwether_deliveries_oldest_seconds", "destination"))).toBeGreaterThanOrEqual(59);
  });
});
