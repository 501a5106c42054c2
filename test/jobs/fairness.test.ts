import { describe, expect, onTestFinished, test } from "vitest";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { queueDue } from "#lib/jobs/cron.ts";
import { thisHolder } from "#lib/jobs/holder.ts";
import { Worker } from "#lib/jobs/worker.ts";
import { drainHints } from "#lib/webhooks/hints.ts";
import { takeDelivery } from "#lib/webhooks/intake.ts";
import { sealSecret } from "#lib/webhooks/secrets.ts";
import { saveWebhook } from "#lib/webhooks/store.ts";
import { byToken, type Connected, eventually, useGround } from "#test/connections/ground.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { signedHeaders } from "#test/support/zendesk/server/deliveries.ts";
import { truth } from "#test/support/zendesk/truth.ts";

const ground = useGround();
const { api, database, connectQueued, settled, reached } = ground;
const tickets = "/api/v2/incremental/tickets";

/** A worker that keeps the clock itself: `sleep` moves it. */
function simulated(slots = 1) {
  const time = { now: Date.now(), slept: 0 };
  const sleep = async (milliseconds: number) => {
    time.now += milliseconds;
    time.slept += milliseconds;
  };
  const made = worker(slots, { clock: () => new Date(time.now), client: { sleep } });
  return { worker: made, time, clock: () => new Date(time.now) };
}

function worker(slots: number, options: Partial<ConstructorParameters<typeof Worker>[1]> = {}): Worker {
  const made = new Worker(api.context, { holder: thisHolder(null), slots, ...options });
  onTestFinished(() => made.drain(5000));
  return made;
}

const scopeOf = ({ workspace, id }: Connected) => ({ workspaceId: workspace, connectionId: Number(id) });
const newest = async (connected: Connected) =>
  (await api.call(runs, `${connected.path}/runs?limit=1`, connected)).body.items[0];
const countTickets = (connected: Connected) =>
  database.inWorkspace(
    connected.workspace,
    async (trx) => (await trx.selectFrom("ticket").select("id").execute()).length,
  );
const clearFaults = () => onTestFinished(() => ground.zendesk.faults.clear());

describe("a busy account", () => {
  test("that is told to wait for ever holds no place: another's run is not delayed by it", async () => {
    clearFaults();
    const busy = await connectQueued("busy");
    const normal = await connectQueued("normal");
    const refused = ground.zendesk.faults.add({ subdomain: "busy" }, fault.tooManyRequests({ retryAfter: "20" }));
    const own = worker(1);
    await own.wake();
    expect(await settled(normal)).toMatchObject({ state: "succeeded" });
    const run = await reached(busy, "waiting");
    expect(Date.parse(run.waitingUntil ?? "")).toBeGreaterThan(Date.now());
    expect(own.executes(scopeOf(busy))).toBe(false);
    expect(refused.strikes).toBe(1);
    expect(await countTickets(normal)).toBe(truth(normal.world).tickets.length);
  });

  test("sleeps in its place where nobody waits for it", async () => {
    clearFaults();
    const alone = await connectQueued("alone");
    const { worker: own, time } = simulated();
    const told = fault.tooManyRequests({ retryAfter: "20" });
    ground.zendesk.faults.add({ subdomain: "alone", path: tickets }, told, { times: 1 });
    expect(await own.work(scopeOf(alone), null)).toBe("succeeded");
    expect(time.slept).toBeGreaterThanOrEqual(20_000);
  });

  test("is taken up again when its time has come, the one that waited longest first", async () => {
    clearFaults();
    const made = [await connectQueued("turn-one"), await connectQueued("turn-two"), await connectQueued("turn-three")];
    for (const [n, { world }] of made.entries()) {
      const told = fault.tooManyRequests({ retryAfter: String(80 - 10 * n) });
      ground.zendesk.faults.add({ subdomain: world.subdomain, path: "/api/v2/users/me" }, told, { times: 1 });
    }
    const { worker: own, time } = simulated();
    await own.wake();
    for (const connected of made) await reached(connected, "waiting");
    const order: string[] = [];
    for (const { world } of made) {
      const { subdomain } = world;
      ground.zendesk.faults.before({ subdomain, path: "/api/v2/users/me" }, () => void order.push(subdomain));
    }
    await own.wake();
    expect(order).toEqual([]);
    time.now += 120_000;
    await own.wake();
    for (const connected of made) expect((await settled(connected)).state).toBe("succeeded");
    expect([...new Set(order)]).toEqual(["turn-three", "turn-two", "turn-one"]);
  });

  test("that two workspaces connected is one: what one of them is told to wait for, the other waits for too", async () => {
    clearFaults();
    const first = await connectQueued("shared");
    const second = await connectQueued("shared");
    const told = fault.tooManyRequests({ retryAfter: "60" });
    ground.zendesk.faults.add({ subdomain: "shared", path: "/api/v2/" }, told, { times: 1 });
    const { worker: own } = simulated();
    expect(await own.work(scopeOf(first), null)).toBe("waiting");
    ground.zendesk.journal.clear();
    expect(await own.work(scopeOf(second), null)).toBe("waiting");
    expect(ground.zendesk.journal.to("/api/v2/", "shared")).toEqual([]);
  });

  test("with a rejected token is asked three times at most, says so, and leaves the others alone", async () => {
    clearFaults();
    const rejected = await connectQueued("rejected", { auth: byToken });
    const fine = await connectQueued("fine", { auth: byToken });
    const strikes = ground.zendesk.faults.add({ subdomain: "rejected" }, fault.unauthorized("token"));
    await worker(2).wake();
    const failed = await settled(rejected);
    expect(failed).toMatchObject({ state: "failed", failure: { code: "credentials_rejected" } });
    expect(strikes.strikes).toBeLessThanOrEqual(3);
    expect((await settled(fine)).state).toBe("succeeded");
  });
});

const webhook = { id: "01HOOK", secret: "the secret of this webhook" };

/** Hands in what Zendesk would send now about a ticket. */
function deliver(connected: Connected, ticketId: string, now: Date) {
  connected.world.advanceTo(now);
  const body = JSON.stringify({ type: "zen:event-type:ticket.subject_changed", detail: { id: ticketId } });
  const headers = signedHeaders(connected.world, webhook, { id: "1", body });
  const delivery = {
    connectionId: connected.id,
    body: Buffer.from(body),
    timestamp: headers["x-zendesk-webhook-signature-timestamp"] as string,
    signature: headers["x-zendesk-webhook-signature"] as string,
    accountId: headers["x-zendesk-account-id"] as string,
    webhookId: webhook.id,
  };
  return takeDelivery(api.context, delivery, now);
}

const subjectOf = (connected: Connected, id: string) =>
  database.inWorkspace(connected.workspace, async (trx) => {
    const row = await trx.selectFrom("ticket").select("subject").where("id", "=", id).executeTakeFirst();
    return row?.subject ?? null;
  });

describe("an account that refuses for 26 hours", () => {
  test("has its run ended after a day, honestly, and the next one brings everything", async () => {
    clearFaults();
    const refusing = await connectQueued("refusing");
    const scope = scopeOf(refusing);
    const { worker: own, time, clock } = simulated();
    const began = time.now;
    const path = "/api/v2/incremental";
    const told = fault.tooManyRequests({ retryAfter: "2592000", body: "incremental" });
    const refusal = ground.zendesk.faults.add({ subdomain: "refusing", path }, told);
    await saveWebhook(database.db, scope, { secret: sealSecret(api.context, webhook.secret) });
    const [ticket] = [...refusing.world.tickets.byId.keys()] as [string];
    let turns = 0;
    for (; (await own.work(scope, null)) === "waiting"; turns++) {
      const { waitingUntil } = await reached(refusing, "waiting");
      expect(Date.parse(waitingUntil ?? "") - time.now).toBeLessThanOrEqual(16 * 60_000);
      time.now += 3_600_000;
      expect(turns).toBeLessThan(30);
      // What a webhook tells is taken, and fetched by its id, while the exports are closed.
      refusing.world.tickets.update(ticket, { subject: `Hour ${turns}` });
      expect(await deliver(refusing, ticket, clock())).toMatchObject({ scope, stored: true });
      await drainHints(api.context, scope, { clock });
      expect(await subjectOf(refusing, ticket)).toBe(`Hour ${turns}`);
    }
    expect(turns).toBeGreaterThan(20);
    const ended = await settled(refusing);
    expect(ended).toMatchObject({ state: "failed", failure: { code: "too_long" } });
    expect(ended.failure?.message).toMatch(/again from/);
    expect(time.now - began).toBeGreaterThan(24 * 3_600_000);
    expect(time.now - began).toBeLessThan(26 * 3_600_000);
    expect(refusal.strikes).toBeLessThanOrEqual(turns + 1);

    time.now = Math.max(time.now, began + 26 * 3_600_000);
    refusal.remove();
    await queueDue(database.db, { what: "sync", force: true, trigger: "schedule" }, clock());
    await eventually(async () => ((await own.work(scope, null)) === "succeeded" ? true : null), "a run that succeeds");
    expect((await newest(refusing))?.id).not.toBe(ended.id);
    expect(await countTickets(refusing)).toBe(truth(refusing.world).tickets.length);
  });
});
