import { describe, expect, test } from "vitest";
import { checkWebhook as doctorsWebhook } from "#lib/connections/doctor-checks/webhook.ts";
import { loadConnection } from "#lib/connections/load.ts";
import { readDoctorFacts } from "#lib/connections/store/doctor.ts";
import { keepNotices } from "#lib/notifications/keep.ts";
import { isTelling, lostDeliveries, uncheckedSince } from "#lib/webhooks/lost.ts";
import { useDatabase } from "#test/support/database.ts";
import { HOUR, MINUTE } from "#test/support/zendesk/world/clock.ts";
import { type Linked, link, smallWorld } from "#test/webhooks/linked.ts";

const database = useDatabase();
const tickets = ["1", "2", "3", "4", "5"];

/** Read once, with its webhook in place; a regular connection. */
async function live(world = smallWorld()): Promise<Linked> {
  const linked = await link(database, world);
  await linked.check();
  await linked.sync();
  return linked;
}

/** An hour in which these tickets change; its deliveries, unless they are lost, come and are fetched; then the hourly run and check. */
async function hour(linked: Linked, changed = tickets): Promise<string> {
  linked.world.advance(30 * MINUTE);
  for (const id of changed) toggle(linked, id);
  await linked.zendesk.webhooks.deliver();
  await linked.drain();
  linked.world.advance(30 * MINUTE);
  const { runId } = await linked.sync();
  await linked.read((trx) =>
    trx.updateTable("sync_run").set({ requested_at: linked.clock() }).where("id", "=", runId).execute(),
  );
  await linked.check();
  return runId;
}
function toggle({ world }: Linked, id: string) {
  world.tickets.update(id, { priority: world.tickets.byId.get(id)?.priority === "urgent" ? "low" : "urgent" });
}

const counted = (linked: Linked, runId: string) =>
  linked.read(async (trx) => {
    const rows = await trx
      .selectFrom("sync_run_stream")
      .select(["stream", "announced", "unannounced"])
      .where("run_id", "=", runId)
      .execute();
    const told = rows.filter(({ announced, unannounced }) => announced !== "0" || unannounced !== "0");
    return Object.fromEntries(told.map((row) => [row.stream, [Number(row.announced), Number(row.unannounced)]]));
  });
const finding = (linked: Linked) =>
  linked.read(async (trx) => {
    const facts = await readDoctorFacts(trx, linked.scope);
    const connection = await loadConnection(trx, linked.scope);
    const [found] = doctorsWebhook({ facts, connection, now: linked.clock() } as Parameters<typeof doctorsWebhook>[0]);
    return found;
  });
async function openNotices(linked: Linked) {
  await keepNotices({ db: database.db }, linked.workspaceId, linked.clock());
  return linked.read((trx) =>
    trx.selectFrom("notice").select(["code", "message"]).where("cleared_at", "is", null).orderBy("code").execute(),
  );
}
const codes = async (linked: Linked) => (await openNotices(linked)).map(({ code }) => code);

describe("a webhook whose deliveries are lost (row 87)", () => {
  test("is told of by the doctor and by a notice with share and number, and both are over when deliveries come again", async () => {
    const linked = await live();
    await hour(linked);
    expect(await finding(linked)).toMatchObject({ state: "ok" });
    expect(await codes(linked)).not.toContain("webhook_silent");

    linked.world.webhooks.setWeather({ lost: 1 });
    const lost = [await hour(linked), await hour(linked)];
    expect(await Promise.all(lost.map((runId) => counted(linked, runId)))).toEqual(Array(2).fill({ tickets: [0, 5] }));
    const words = /of 10 changes that the runs since 2026-02-02 11:00 UTC found, it had not told 10 \(100 %\)\./;
    expect(await finding(linked)).toMatchObject({
      state: "warning",
      found: expect.stringMatching(words),
      action: expect.stringContaining("PUBLIC_URL"),
    });
    expect(await openNotices(linked)).toContainEqual({
      code: "webhook_silent",
      message: expect.stringMatching(words),
    });

    linked.world.webhooks.setWeather({});
    expect(await counted(linked, await hour(linked))).toEqual({ tickets: [5, 0] });
    expect(await finding(linked)).toMatchObject({ state: "ok" });
    expect(await codes(linked)).not.toContain("webhook_silent");
  });

  test("is not told of for what changed before it worked, nor for a history that is read for the first time", async () => {
    const linked = await link(database);
    await linked.check();
    linked.world.advance(HOUR);
    expect(await counted(linked, (await linked.sync()).runId)).toEqual({});
    linked.world.webhooks.update(linked.remote().id, { status: "inactive" });
    for (const id of tickets) toggle(linked, id);
    await linked.read((trx) => trx.updateTable("webhook").set({ state: "failing", active_since: null }).execute());
    linked.world.advance(HOUR);
    await linked.check();
    linked.world.advance(HOUR);
    expect(await counted(linked, (await linked.sync()).runId)).toEqual({});
  });

  test("gets the minutes that a delivery may take: a younger change counts in the next run, and once", async () => {
    const linked = await live();
    linked.world.webhooks.setWeather({ lost: 1 });
    linked.world.advance(HOUR);
    toggle(linked, "1");
    linked.world.advance(4 * MINUTE);
    expect(await counted(linked, (await linked.sync()).runId)).toEqual({});
    linked.world.advance(5 * MINUTE);
    expect(await counted(linked, (await linked.sync()).runId)).toEqual({ tickets: [0, 1] });
    linked.world.advance(5 * MINUTE);
    expect(await counted(linked, (await linked.sync()).runId)).toEqual({});
  });

  test("counts users and organizations that are new, and no changes of theirs: of those not every one has an event", async () => {
    const linked = await live();
    const { world } = linked;
    world.advance(10 * MINUTE);
    const { id: organizationId } = world.organizations.create({ name: "Contoso" });
    await linked.zendesk.webhooks.deliver();
    world.webhooks.setWeather({ lost: 1 });
    world.users.create({ name: "Bo", organizationId });
    for (const { id } of world.users.list()) world.users.systemTouch(id);
    world.organizations.update(organizationId, { domainNames: ["contoso.example"] });
    world.advance(HOUR);
    expect(await counted(linked, (await linked.sync()).runId)).toEqual({ users: [0, 1], organizations: [1, 0] });
  });

  test("counts tickets only where a trigger tells of nothing else", async () => {
    const linked = await live(smallWorld({ settings: { ticketEventWebhooks: false } }));
    const { world } = linked;
    world.webhooks.setWeather({ lost: 1 });
    world.advance(10 * MINUTE);
    world.users.create({ name: "Bo" });
    toggle(linked, "1");
    world.advance(HOUR);
    expect(await counted(linked, (await linked.sync()).runId)).toEqual({ tickets: [0, 1] });
  });
});

describe("what is told of lost deliveries", () => {
  const now = new Date("2026-02-04T09:00:00Z");
  const since = new Date("2026-02-04T07:00:00Z");

  test("needs ten changes within three days, and more than half of them lost", () => {
    const lost = (told: number, untold: number, at = since) => lostDeliveries({ told, untold, since: at }, now);
    expect(lost(0, 9)).toBeNull();
    expect(lost(5, 5)).toBeNull();
    expect(lost(4, 6)?.message).toContain(
      "of 10 changes that the runs since 2026-02-04 07:00 UTC found, it had not told 6 (60 %).",
    );
    expect(lost(4, 6, new Date(now.getTime() - 73 * HOUR))).toBeNull();
    expect(lostDeliveries({ told: 0, untold: 0, since: null }, now)).toBeNull();
    expect(isTelling({ told: 9, untold: 1, since }, now)).toBe(true);
    expect(isTelling({ told: 8, untold: 1, since }, now)).toBe(false);
  });
});

describe("a webhook that nobody looks after (row 93)", () => {
  test("is told of after two hours by the doctor and by a notice, but not while the connection rests", async () => {
    const linked = await live();
    linked.world.advance(2 * HOUR);
    await linked.sync();
    expect(await finding(linked)).toMatchObject({ state: "ok" });
    linked.world.advance(MINUTE);
    expect(await finding(linked)).toMatchObject({
      state: "warning",
      found: expect.stringContaining("Nobody has looked since 2026-02-02 09:00 UTC whether the webhook still works"),
      action: expect.stringContaining("POST /api/cron/maintenance every hour"),
    });
    expect(await codes(linked)).toContain("webhook_unchecked");
    await linked.read((trx) => trx.updateTable("connection").set({ state: "paused" }).execute());
    expect(await finding(linked)).toMatchObject({ state: "ok" });
    expect(await codes(linked)).not.toContain("webhook_unchecked");
    await linked.read((trx) => trx.updateTable("connection").set({ state: "active" }).execute());
    await linked.check();
    expect(await finding(linked)).toMatchObject({ state: "ok" });
    expect(await codes(linked)).not.toContain("webhook_unchecked");
  });

  test("counts, where it was entered by hand and not looked at yet, from when it works", () => {
    const activeSince = new Date("2026-02-04T09:00:00Z");
    const at = (time: string) => uncheckedSince({ checkedAt: null, activeSince }, new Date(`2026-02-04T${time}Z`));
    expect(at("11:00:00")).toBeNull();
    expect(at("11:00:01")?.code).toBe("webhook_unchecked");
    expect(uncheckedSince({ checkedAt: null, activeSince: null }, activeSince)).toBeNull();
  });
});
