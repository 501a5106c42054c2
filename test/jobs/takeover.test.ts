import { sql } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import { GET as getRun } from "#app/api/v1/connections/[id]/runs/[runId]/route.ts";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { thisHolder } from "#lib/jobs/holder.ts";
import { requestRun } from "#lib/jobs/request.ts";
import { Worker } from "#lib/jobs/worker.ts";
import { type Connected, eventually, useGround } from "#test/connections/ground.ts";
import { bareConnection } from "#test/jobs/ground.ts";
import { startProcess } from "#test/jobs/process.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { truth } from "#test/support/zendesk/truth.ts";

const ground = useGround();
const { api, database, connect, connectQueued, settled, reached, requested } = ground;
const tickets = "/api/v2/incremental/tickets";

const scopeOf = ({ workspace, id }: Connected) => ({ workspaceId: workspace, connectionId: Number(id) });
const otherWorker = () => new Worker(api.context, { holder: thisHolder(null) });
const fallSilent = (connected: Connected, seconds = 76) =>
  database.inWorkspace(connected.workspace, (trx) =>
    trx
      .updateTable("connection_lease")
      .set({ heartbeat_at: sql<Date>`clock_timestamp() - make_interval(secs => ${seconds})` })
      .execute(),
  );
const silence = (connected: Connected) =>
  database.inWorkspace(connected.workspace, async (trx) => {
    const row = await trx
      .selectFrom("connection_lease")
      .select(sql<number>`extract(epoch from clock_timestamp() - heartbeat_at)::float8`.as("seconds"))
      .executeTakeFirstOrThrow();
    return row.seconds;
  });
const allRuns = async (connected: Connected) => (await api.call(runs, `${connected.path}/runs`, connected)).body.items;
const ticketIds = (connected: Connected) =>
  database.inWorkspace(connected.workspace, async (trx) => {
    const rows = await trx
      .selectFrom("ticket")
      .select("id")
      .where("connection_id", "=", Number(connected.id))
      .execute();
    return rows.map((row) => row.id).sort();
  });
const trueIds = (connected: Connected) =>
  truth(connected.world)
    .tickets.map((ticket) => ticket.id)
    .sort();

describe("a process that falls silent in the middle of a run", () => {
  test("is replaced: its run is interrupted for good, the next one has a new id, and its late commit comes to nothing", async () => {
    ground.zendesk.faults.add({ subdomain: "silent", path: tickets }, fault.slow(3000), { times: 1 });
    const connected = await connect("silent");
    await requested(connected, tickets);
    const first = await reached(connected, "running");

    const second = otherWorker();
    expect(await second.reap()).toBe(0);
    await fallSilent(connected);
    expect(await second.reap()).toBe(1);
    const [queued, interrupted] = await allRuns(connected);
    expect(interrupted).toMatchObject({ id: first.id, state: "interrupted", failure: { code: "interrupted" } });
    expect(interrupted?.streams.map((stream) => stream.state)).toContain("waiting");
    expect(interrupted?.streams.map((stream) => stream.state)).not.toContain("running");
    expect(queued).toMatchObject({ state: "queued", mode: "incremental" });
    expect(await second.work(scopeOf(connected), null)).toBe("succeeded");

    const stored = await ticketIds(connected);
    expect(stored).toEqual(trueIds(connected));
    await ground.idle(connected);
    const [next, former] = await allRuns(connected);
    expect([next?.state, former?.state]).toEqual(["succeeded", "interrupted"]);
    expect(former?.streams.find((stream) => stream.name === "tickets")?.rows.inserted ?? 0).toBe(0);
    expect(api.logged.join("")).toContain("lost its lease");
  });

  test("is found by whoever reads the run, also with no schedule running", async () => {
    ground.zendesk.faults.add({ subdomain: "read", path: tickets }, fault.slow(3000), { times: 1 });
    const connected = await connect("read");
    const { id } = await reached(connected, "running");
    // The reading process executes the run itself here; another holder's name makes it a stranger's.
    await database.inWorkspace(connected.workspace, (trx) =>
      trx.updateTable("connection_lease").set({ holder: "elsewhere@host/1/x" }).execute(),
    );
    expect((await api.call(getRun, `${connected.path}/runs/${id}`, connected)).body.state).toBe("running");
    await fallSilent(connected);
    expect((await api.call(getRun, `${connected.path}/runs/${id}`, connected)).body.state).toBe("interrupted");
    await ground.idle(connected);
  });

  test("in a run that a person asked for during a pause has a successor as well", async () => {
    const scope = await bareConnection(database, await database.workspace(), { state: "paused" });
    await database.inWorkspace(scope.workspaceId, async (trx) => {
      await requestRun(trx, scope, { mode: "full", trigger: "person" }, new Date());
      await trx.updateTable("sync_run").set({ state: "running", epoch: "7" }).execute();
    });
    expect(await otherWorker().reap()).toBe(1);
    const runs = await database.inWorkspace(scope.workspaceId, (trx) =>
      trx.selectFrom("sync_run").select(["state", "mode", "trigger"]).orderBy("id").execute(),
    );
    expect(runs).toEqual([
      { state: "interrupted", mode: "full", trigger: "person" },
      { state: "queued", mode: "full", trigger: "person" },
    ]);
  });

  test("keeps its run while it only waits for a long page: heartbeats go on beside it", async () => {
    ground.zendesk.faults.add({ subdomain: "long", path: tickets }, fault.slow(9000), { times: 1 });
    const connected = await connectQueued("long");
    const own = otherWorker();
    onTestFinished(() => own.drain(1000));
    own.start();
    const done = own.work(scopeOf(connected), null);
    await requested(connected, tickets);
    const { id } = await reached(connected, "running");
    await fallSilent(connected, 60);
    await eventually(async () => ((await silence(connected)) < 20 ? true : null), "a heartbeat");
    expect(await otherWorker().reap()).toBe(0);
    expect(await done).toBe("succeeded");
    expect((await settled(connected)).id).toBe(id);
  });
});

// Starting a process takes its time on a busy machine.
describe("a process that is killed in the middle of a run", { timeout: 120_000 }, () => {
  /** Connects an account of 110 tickets, 10 or 20 a page, whose third page never comes while `stuck` stands. */
  async function stuckInPages(subdomain: string) {
    const stuck = ground.zendesk.faults.add({ subdomain, path: tickets, page: 3 }, fault.hang());
    const connected = await connectQueued(subdomain, {
      before: (world) => {
        for (let n = 0; n < 100; n++) world.tickets.create({ subject: `More ${n}` });
        world.advance(3_600_000);
      },
    });
    await database.inWorkspace(connected.workspace, (trx) =>
      trx.updateTable("stream_state").set({ page_size: 10 }).where("stream", "=", "tickets").execute(),
    );
    return { connected, stuck };
  }

  test("leaves what it committed; the next process of the installation goes on from there at once, under a new id", async () => {
    const { connected, stuck } = await stuckInPages("killed");
    const child = startProcess(api.context.config, database.url);
    await eventually(async () => ((await ticketIds(connected)).length >= 20 ? true : null), "two committed pages");
    const { id } = await reached(connected, "running");
    await child.kill();
    const kept = (await ticketIds(connected)).length;
    expect(kept).toBeLessThan(trueIds(connected).length);

    stuck.remove();
    ground.zendesk.journal.clear();
    const next = new Worker(api.context, { holder: thisHolder(api.context.config.dataDir) });
    expect(await next.reap()).toBe(1);
    expect((await allRuns(connected)).map((run) => [run.id === id, run.state])).toEqual([
      [false, "queued"],
      [true, "interrupted"],
    ]);
    expect(await next.work(scopeOf(connected), null)).toBe("succeeded");
    expect(await ticketIds(connected)).toEqual(trueIds(connected));
    const asked = ground.zendesk.journal.to(tickets, "killed");
    expect(asked[0]?.query).toHaveProperty("cursor");
    const [run] = await allRuns(connected);
    expect(run?.streams.find((stream) => stream.name === "tickets")?.rows.inserted).toBe(110 - kept);
  });

  test("is found by another installation only after its silence", async () => {
    const { connected, stuck } = await stuckInPages("killed-elsewhere");
    const child = startProcess(api.context.config, database.url);
    await eventually(async () => ((await ticketIds(connected)).length >= 20 ? true : null), "two committed pages");
    await child.kill();
    stuck.remove();
    const other = otherWorker();
    expect(await other.reap()).toBe(0);
    await fallSilent(connected);
    expect(await other.reap()).toBe(1);
    expect(await other.work(scopeOf(connected), null)).toBe("succeeded");
    expect(await ticketIds(connected)).toEqual(trueIds(connected));
  });

  test("and one that is asked to end stops at a page boundary, and its run waits for the next process under the same id", async () => {
    const { connected, stuck } = await stuckInPages("asked");
    stuck.remove();
    ground.zendesk.faults.add({ subdomain: "asked", path: tickets, page: 3 }, fault.slow(1500), { times: 1 });
    const child = startProcess(api.context.config, database.url);
    await eventually(async () => ((await ticketIds(connected)).length >= 20 ? true : null), "two committed pages");
    expect(await child.end()).not.toBe("SIGKILL");
    const [run] = await allRuns(connected);
    expect(run).toMatchObject({ state: "waiting", waitingUntil: null, failure: null });
    expect((await ticketIds(connected)).length).toBeGreaterThanOrEqual(20);
    const next = otherWorker();
    expect(await next.work(scopeOf(connected), null)).toBe("succeeded");
    expect((await allRuns(connected)).map(({ id, state }) => [id, state])).toEqual([[run?.id, "succeeded"]]);
    expect(await ticketIds(connected)).toEqual(trueIds(connected));
  });
});
