import { describe, expect, test } from "vitest";
import { GET as getOne, PATCH as patch } from "#app/api/v1/connections/[id]/route.ts";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import { reachesBack } from "#lib/connections/change.ts";
import { queueDue } from "#lib/jobs/cron.ts";
import { thisHolder } from "#lib/jobs/holder.ts";
import { Worker } from "#lib/jobs/worker.ts";
import { byToken, type Connected, useGround } from "#test/connections/ground.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";

const ground = useGround();
const { api, database, connect, settled, reached, requested, idle } = ground;
const hour = 3_600_000;

const change = (connected: Connected, body: object) => api.call(patch, connected.path, { ...connected, body });
const read = async (connected: Connected) => (await api.call(getOne, connected.path, connected)).body;
const allRuns = async (connected: Connected) => (await api.call(runs, `${connected.path}/runs`, connected)).body.items;
const due = async (connected: Connected, now: Date) => {
  const queued = await queueDue(database.db, { what: "sync", force: false, trigger: "schedule" }, now);
  return queued.filter((run) => run.connectionId === Number(connected.id) && run.workspaceId === connected.workspace);
};
const countTickets = (connected: Connected) =>
  database.inWorkspace(
    connected.workspace,
    async (trx) => (await trx.selectFrom("ticket").select("id").execute()).length,
  );

describe("a paused connection", () => {
  test("is never due, and resuming fills the gap at once", async () => {
    const connected = await connect("paused");
    await settled(connected);
    expect((await change(connected, { paused: true })).body).toMatchObject({
      state: "paused",
      pausedUntil: null,
      nextSyncAt: null,
    });
    connected.world.tickets.create({ subject: "Meanwhile" });
    connected.world.advance(hour);
    expect(await due(connected, new Date(Date.now() + 48 * hour))).toEqual([]);
    expect(await countTickets(connected)).toBe(10);
    expect((await change(connected, { paused: false })).body.state).toBe("active");
    expect((await settled(connected)).state).toBe("succeeded");
    expect(await countTickets(connected)).toBe(11);
    expect((await read(connected)).nextSyncAt).not.toBeNull();
  });

  test("until an instant resumes by itself when that has come, and not before", async () => {
    const connected = await connect("timed");
    await settled(connected);
    const until = new Date(Date.now() + 2 * hour);
    const { body } = await change(connected, { pausedUntil: until.toISOString() });
    expect([body.state, body.pausedUntil]).toEqual(["paused", until.toISOString()]);
    expect(await due(connected, new Date(until.getTime() - 1))).toEqual([]);
    expect((await read(connected)).state).toBe("paused");
    expect(await due(connected, until)).toHaveLength(1);
    expect(await read(connected)).toMatchObject({ state: "active", pausedUntil: null });
  });

  test("stops in the middle of a run, which goes on when it is resumed", async () => {
    ground.zendesk.faults.add({ subdomain: "halfway", path: "/api/v2/incremental" }, fault.slow(800));
    const connected = await connect("halfway");
    await requested(connected, "/api/v2/incremental");
    await change(connected, { paused: true });
    const stopped = await reached(connected, "waiting");
    const { streams } = await read(connected);
    expect([...streams, ...stopped.streams].map((stream) => stream.state)).not.toContain("running");
    expect(stopped.streams.length).toBeGreaterThan(0);
    await idle(connected);
    ground.zendesk.faults.clear();
    ground.zendesk.journal.clear();
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(ground.zendesk.journal.to("/api/v2/", "halfway")).toEqual([]);
    await change(connected, { paused: false });
    expect(await settled(connected)).toMatchObject({ id: stopped.id, state: "succeeded" });
    expect(await countTickets(connected)).toBe(10);
  });

  test("can be read once by a person's own word, and stays paused", async () => {
    const connected = await connect("by-hand");
    await settled(connected);
    await change(connected, { paused: true });
    const { body } = await api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode: "incremental" } });
    expect(await settled(connected)).toMatchObject({ id: body.runId, state: "succeeded", trigger: "person" });
    expect(await read(connected)).toMatchObject({ state: "paused", nextSyncAt: null });
  });

  test("is shown as paused no longer than until its instant, also where no schedule runs", async () => {
    const connected = await connect("over");
    await settled(connected);
    const until = new Date(Date.now() + hour);
    await change(connected, { pausedUntil: until.toISOString() });
    const worker = (at: number) =>
      new Worker(api.context, { holder: thisHolder(null), clock: () => new Date(at) }).wake();
    await worker(until.getTime() - 1);
    expect((await read(connected)).state).toBe("paused");
    await worker(until.getTime());
    expect(await read(connected)).toMatchObject({ state: "active", pausedUntil: null });
  });

  test("reads nothing because its history was changed, and the gap when it is resumed", async () => {
    const connected = await connect("paused-history", { body: { historyDays: 1 } });
    await settled(connected);
    await change(connected, { paused: true });
    await change(connected, { historyDays: 0 });
    expect(await allRuns(connected)).toHaveLength(1);
    await change(connected, { paused: false });
    expect((await settled(connected)).state).toBe("succeeded");
    expect(await countTickets(connected)).toBe(10);
  });

  test("that failed before is active again when it is resumed with a new login", async () => {
    const connected = await connect("resumed-login", { auth: byToken });
    await settled(connected);
    await database.inWorkspace(connected.workspace, (trx) =>
      trx.updateTable("connection").set({ failure_code: "credentials_rejected" }).execute(),
    );
    await change(connected, { paused: true });
    const { body } = await change(connected, { paused: false, auth: connected.auth });
    expect(body).toMatchObject({ state: "active", failure: null });
    await settled(connected);
  });

  test("may be paused anew for another while, but not into the past", async () => {
    const connected = await connect("again");
    await settled(connected);
    await change(connected, { paused: true });
    const until = new Date(Date.now() + hour).toISOString();
    expect((await change(connected, { pausedUntil: until })).body.pausedUntil).toBe(until);
    const past = await change(connected, { pausedUntil: new Date(Date.now() - hour).toISOString() });
    expect([past.status, past.error?.details?.[0]?.path]).toEqual([422, "pausedUntil"]);
    const both = await change(connected, { paused: false, pausedUntil: until });
    expect(both.status).toBe(422);
    expect((await read(connected)).pausedUntil).toBe(until);
    expect((await change(connected, { pausedUntil: null })).body).toMatchObject({ state: "paused", pausedUntil: null });
  });
});

describe("changing a connection", () => {
  test("renames it, and its rhythm moves the next sync", async () => {
    const connected = await connect("renamed");
    await settled(connected);
    const { body } = await change(connected, { name: "  EMEA desk ", syncIntervalMinutes: 5 });
    expect(body).toMatchObject({ name: "EMEA desk", syncIntervalMinutes: 5, subdomain: "renamed" });
    expect(new Date(body.nextSyncAt ?? 0).getTime()).toBeLessThanOrEqual(Date.now() + 5 * 60_000);
    for (const wrong of [{ syncIntervalMinutes: 4 }, { name: " " }, { historyDays: -1 }, { colour: "red" }]) {
      expect((await change(connected, wrong)).status).toBe(422);
    }
  });

  test("to an earlier start of history reads the gap, beside the rows that are there", async () => {
    const connected = await connect("history", { body: { historyDays: 1 } });
    await settled(connected);
    const before = await countTickets(connected);
    expect(before).toBeLessThan(10);
    expect((await change(connected, { historyDays: 0 })).body.historyDays).toBe(0);
    expect(await settled(connected)).toMatchObject({ mode: "full", state: "succeeded" });
    expect(await countTickets(connected)).toBe(10);
  });

  test("to a later start reads nothing again", async () => {
    const connected = await connect("shorter");
    await settled(connected);
    await change(connected, { historyDays: 30 });
    expect(await allRuns(connected)).toHaveLength(1);
    expect(await countTickets(connected)).toBe(10);
  });

  test("knows which history begins earlier; 0 is everything", () => {
    expect([reachesBack(0, 30), reachesBack(60, 30)]).toEqual([true, true]);
    expect([reachesBack(30, 0), reachesBack(30, 30), reachesBack(0, 0), reachesBack(undefined, 30)]).toEqual([
      false,
      false,
      false,
      false,
    ]);
  });
});
