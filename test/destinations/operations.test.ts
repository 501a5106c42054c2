import { sql } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import { POST as approve } from "#app/api/v1/deliveries/[id]/approve/route.ts";
import { POST as discard } from "#app/api/v1/deliveries/[id]/discard/route.ts";
import { GET as one } from "#app/api/v1/deliveries/[id]/route.ts";
import { POST as replay } from "#app/api/v1/deliveries/replay/route.ts";
import { GET as list } from "#app/api/v1/deliveries/route.ts";
import { POST as dryRun } from "#app/api/v1/destinations/[id]/dry-run/route.ts";
import { GET as destination } from "#app/api/v1/destinations/[id]/route.ts";
import { POST as start } from "#app/api/v1/destinations/[id]/start/route.ts";
import { POST as stop } from "#app/api/v1/destinations/[id]/stop/route.ts";
import { POST as sample } from "#app/api/v1/destinations/[id]/test/route.ts";
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
  return { ...ground, zendesk, context, admin, csm, path, settle, take };
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
    expect((await api.call(one, path, { key: admin })).body).toMatchObject({ state: "done", attempts: 2 });
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
    const again = { key: admin, body: { ids: [lost?.id] }, headers: { "idempotency-key": "once" } };
    const replays = [
      await api.call(replay, "/api/v1/deliveries/replay", again),
      await api.call(replay, "/api/v1/deliveries/replay", again),
    ];
    expect(replays.map((answer) => answer.body)).toEqual(Array(2).fill({ replayed: 1, skipped: 0 }));
    await settle();
    const refused = await api.call(approve, `/api/v1/deliveries/${lost?.id}/approve`, { key: admin });
    expect(refused.error).toMatchObject({ code: "conflict" });
    const discarded = await api.call(discard, `/api/v1/deliveries/${lost?.id}/discard`, { key: admin });
    expect(discarded.body).toMatchObject({ state: "failed", code: "discarded" });
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
