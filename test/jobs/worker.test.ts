import pg from "pg";
import { describe, expect, onTestFinished, test } from "vitest";
import { GET as getOne, PATCH as patch } from "#app/api/v1/connections/[id]/route.ts";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { openDatabase } from "#db/client.ts";
import { jobs } from "#lib/jobs/catalogue.ts";
import { thisHolder } from "#lib/jobs/holder.ts";
import { Worker } from "#lib/jobs/worker.ts";
import { byToken, type Connected, eventually, useGround } from "#test/connections/ground.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import type { World } from "#test/support/zendesk/world/world.ts";

const ground = useGround();
const { api, database, connect, connectQueued, settled, requested } = ground;
const tickets = "/api/v2/incremental/tickets";

function worker(options: { slots?: number; clock?: () => Date; scheduler?: "internal" | "off" } = {}): Worker {
  const { scheduler = "off" } = options;
  const context = { db: database.db, log: api.context.log, config: { ...api.context.config, scheduler } };
  const made = new Worker(context, { holder: thisHolder(null), ...options });
  onTestFinished(() => made.drain(5000));
  return made;
}
const newest = async (connected: Connected) =>
  (await api.call(runs, `${connected.path}/runs?limit=1`, connected)).body.items[0];
const fill = (count: number) => (world: World) => {
  for (let n = 0; n < count; n++) world.tickets.create({ subject: `More ${n}` });
  world.advance(3_600_000);
};
const shrinkPages = (connected: Connected) =>
  database.inWorkspace(connected.workspace, (trx) => trx.updateTable("stream_state").set({ page_size: 10 }).execute());
const countTickets = (connected: Connected) =>
  database.inWorkspace(
    connected.workspace,
    async (trx) => (await trx.selectFrom("ticket").select("id").execute()).length,
  );
const onlyThese = (...connected: Connected[]) =>
  connected.map(({ workspace, id }) => ({ workspaceId: workspace, connectionId: Number(id) }));

describe("a worker", () => {
  test("executes no more runs at once than it has places, and all of them in the end", async () => {
    ground.zendesk.faults.add({ path: "/api/v2/users/me" }, fault.slow(250));
    const made: Connected[] = [];
    for (const name of ["place-one", "place-two", "place-three", "place-four"]) made.push(await connectQueued(name));
    const own = worker({ slots: 2 });
    const scopes = onlyThese(...made);
    let most = 0;
    const watch = setInterval(() => {
      most = Math.max(most, scopes.filter((scope) => own.executes(scope)).length);
    }, 5);
    await own.wake();
    for (const connected of made) expect((await settled(connected)).state).toBe("succeeded");
    clearInterval(watch);
    expect(most).toBe(2);
    ground.zendesk.faults.clear();
  });

  test("lets others have its place when a long run has had its turn, and the long one goes on afterwards", async () => {
    let later = 0;
    const own = worker({ slots: 1, clock: () => new Date(Date.now() + later) });
    ground.zendesk.faults.add({ subdomain: "long-run", path: tickets }, fault.slow(150));
    const long = await connectQueued("long-run", { before: fill(200) });
    await shrinkPages(long);
    await own.wake();
    await requested(long, tickets);
    const short = await connectQueued("short-run");
    await own.wake();
    expect((await newest(short))?.state).toBe("queued");
    later = 6 * 60_000;
    const [first, second] = [await settled(short), await settled(long)];
    expect([first.state, second.state]).toEqual(["succeeded", "succeeded"]);
    expect(Date.parse(first.finishedAt ?? "")).toBeLessThan(Date.parse(second.finishedAt ?? ""));
    expect(await countTickets(long)).toBe(210);
    ground.zendesk.faults.clear();
  });

  test("starts without a schedule only what a person waits for, and with one everything that is pending", async () => {
    const connected = await connect("whose");
    await settled(connected);
    const sync = jobs.find((job) => job.name === "sync");
    const own = worker();
    const anHourLater = new Date(Date.now() + 3_600_000);
    await sync?.run(api.context, own, anHourLater);
    expect(await newest(connected)).toMatchObject({ state: "queued", trigger: "schedule" });
    await own.wake();
    expect((await newest(connected))?.state).toBe("queued");
    await worker({ scheduler: "internal" }).wake();
    expect(await settled(connected)).toMatchObject({ state: "succeeded", trigger: "schedule" });
  });
});

describe("a process that starts", () => {
  test("takes up everything that others left, however few places it has and without a schedule", async () => {
    const left: Connected[] = [];
    for (const name of ["left-one", "left-two", "left-three"]) left.push(await connectQueued(name));
    for (const { workspace } of left) {
      await database.inWorkspace(workspace, (trx) => trx.updateTable("sync_run").set({ trigger: "cron" }).execute());
    }
    await worker({ slots: 1 }).wake({ all: true });
    for (const connected of left) {
      expect(await settled(connected)).toMatchObject({ state: "succeeded", trigger: "cron" });
    }
  });
});

describe("the catalogue of jobs", () => {
  test("queues the regular sync of what is due, the nightly check in its night, and ends timed pauses", async () => {
    const connected = await connect("catalogue");
    await settled(connected);
    const until = new Date(Date.now() + 600_000).toISOString();
    await api.call(patch, connected.path, { ...connected, body: { pausedUntil: until } });
    const own = worker();
    const tick = async (name: string, now: Date) => jobs.find((job) => job.name === name)?.run(api.context, own, now);
    await tick("sync", new Date(Date.now() + 300_000));
    expect((await newest(connected))?.trigger).toBe("first");
    await tick("sync", new Date(Date.now() + 700_000));
    expect(await newest(connected)).toMatchObject({ state: "queued", mode: "incremental" });
    expect((await api.call(getOne, connected.path, connected)).body.state).toBe("active");
    await tick("reconcile", new Date(Date.now() + 25 * 3_600_000));
    expect(await newest(connected)).toMatchObject({ state: "queued", mode: "reconcile" });
    for (const job of jobs) await expect(job.run(api.context, own, new Date())).resolves.not.toThrow();
  });
});

describe("a database that goes away in the middle of a run", () => {
  test("fails the run honestly or lets it through, and the next one has everything", async () => {
    const { db } = openDatabase(database.url, { poolSize: 3 });
    onTestFinished(() => db.destroy());
    const connected = await connectQueued("outage", { before: fill(150), auth: byToken });
    await shrinkPages(connected);
    const context = { config: api.context.config, log: api.context.log, db };
    const own = new Worker(context, { holder: thisHolder(null) });
    const owner = new pg.Client({ connectionString: database.url });
    await owner.connect();
    const cut = setInterval(() => {
      owner
        .query(
          "select pg_terminate_backend(pid) from pg_stat_activity where datname = current_database() and query like '%ticket%' and pid <> pg_backend_pid()",
        )
        .catch(() => {});
    }, 40);
    const [scope] = onlyThese(connected);
    if (!scope) throw new Error("There is no connection.");
    await Promise.race([own.work(scope, null), new Promise((resolve) => setTimeout(resolve, 2000))]).catch(() => {});
    clearInterval(cut);
    await owner.end();
    const ended = await settled(connected);
    expect(["succeeded", "failed", "interrupted"]).toContain(ended.state);
    if (ended.state === "failed") expect(ended.failure?.code).toBe("database");
    if (ended.state === "succeeded") expect(await countTickets(connected)).toBe(160);
    const next = worker({ scheduler: "internal" });
    await eventually(async () => {
      await database.inWorkspace(connected.workspace, (trx) =>
        trx
          .updateTable("connection")
          .set({ next_sync_at: new Date(0) })
          .execute(),
      );
      await jobs.find((job) => job.name === "sync")?.run(api.context, next, new Date());
      return (await newest(connected))?.state === "succeeded" ? true : null;
    }, "a run that goes through");
    expect(await countTickets(connected)).toBe(truth(connected.world).tickets.length);
  });
});
