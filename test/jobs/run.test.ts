import { sql } from "kysely";
import { describe, expect, onTestFinished, test } from "vitest";
import { GET as getOne } from "#app/api/v1/connections/[id]/route.ts";
import { GET as getRun } from "#app/api/v1/connections/[id]/runs/[runId]/route.ts";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import { openDatabase } from "#db/client.ts";
import { type SyncMode, streamNames } from "#lib/connections/shapes.ts";
import { requestRun } from "#lib/jobs/request.ts";
import { executeRun } from "#lib/jobs/run.ts";
import { foldRuns } from "#lib/jobs/store/runs.ts";
import { byToken, type Connected, useGround } from "#test/connections/ground.ts";
import { bareConnection, holder } from "#test/jobs/ground.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";

const ground = useGround();
const { api, database, connect, settled, reached } = ground;
const now = new Date("2026-03-02T10:00:00Z");

async function force(connected: Connected, mode: SyncMode = "incremental"): Promise<string> {
  return (await api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode } })).body.runId;
}
const read = async (connected: Connected) => (await api.call(getOne, connected.path, connected)).body;
const scopeOf = ({ workspace, id }: Connected) => ({ workspaceId: workspace, connectionId: Number(id) });

describe("asking for a run", () => {
  const ask = (scope: { workspaceId: number; connectionId: number }, mode: SyncMode) =>
    database.inWorkspace(scope.workspaceId, (trx) => requestRun(trx, scope, { mode, trigger: "person" }, now));
  const move = (scope: { workspaceId: number }, state: string) =>
    database.inWorkspace(scope.workspaceId, (trx) => trx.updateTable("sync_run").set({ state }).execute());

  test("gives one id to all who ask at once", async () => {
    const scope = await bareConnection(database, await database.workspace());
    const asked = await Promise.all(Array.from({ length: 6 }, () => ask(scope, "incremental")));
    expect(new Set(asked.map((run) => run.runId)).size).toBe(1);
    expect(asked.filter((run) => run.created)).toHaveLength(1);
  });

  test("raises the mode of a queued run and never lowers it", async () => {
    const scope = await bareConnection(database, await database.workspace());
    for (const [wanted, holds] of [
      ["incremental", "incremental"],
      ["full", "full"],
      ["reconcile", "full"],
    ] as const) {
      expect((await ask(scope, wanted)).mode).toBe(holds);
    }
  });

  test("leaves the mode of a run that has begun as it is", async () => {
    const scope = await bareConnection(database, await database.workspace());
    const first = await ask(scope, "incremental");
    for (const state of ["running", "waiting"]) {
      await move(scope, state);
      expect(await ask(scope, "full")).toEqual({ runId: first.runId, mode: "incremental", created: false });
    }
  });

  test("gives a new run once the former one is over", async () => {
    const scope = await bareConnection(database, await database.workspace());
    const first = await ask(scope, "incremental");
    await move(scope, "interrupted");
    expect((await ask(scope, "incremental")).runId).not.toBe(first.runId);
  });
});

describe("a run that went through", () => {
  test("says succeeded with every stream's counts, and the connection shows rows, freshness and the next sync", async () => {
    const connected = await connect("through");
    const run = await settled(connected);
    expect(run).toMatchObject({
      state: "succeeded",
      mode: "incremental",
      trigger: "first",
      failure: null,
      waitingUntil: null,
    });
    expect(run.streams.map((stream) => stream.name)).toEqual([...streamNames]);
    expect(run.streams.find((stream) => stream.name === "tickets")?.rows).toMatchObject({
      read: 10,
      inserted: 10,
      held: 0,
    });
    expect((await api.call(getRun, `${connected.path}/runs/${run.id}`, connected)).body).toEqual(run);

    const { streams, state, matching, nextSyncAt } = await read(connected);
    expect(state).toBe("active");
    expect(matching.organizations).toBe(1);
    expect(new Date(nextSyncAt ?? 0).getTime()).toBeGreaterThan(Date.now());
    const tickets = streams.find((stream) => stream.name === "tickets");
    expect(tickets).toMatchObject({ state: "ok", rows: 10, held: 0, failure: null });
    expect(tickets?.freshThrough).toBeTruthy();
  });

  test("shows as many rows as are stored, whatever runs stored them and however old those are", async () => {
    const connected = await connect("counted");
    await settled(connected);
    connected.world.tickets.create({ subject: "One more" });
    connected.world.users.create({ name: "One more" });
    connected.world.advance(3_600_000);
    await force(connected);
    await settled(connected);
    const shown = async () => {
      const { streams } = await read(connected);
      return Object.fromEntries(streams.map((stream) => [stream.name, stream.rows]));
    };
    const stored = await database.inWorkspace(connected.workspace, async (trx) => {
      const { rows } = await sql<Record<string, number>>`select
        (select count(*)::int from ticket) as tickets, (select count(*)::int from ticket_event) as ticket_events,
        (select count(*)::int from zendesk_user) as users, (select count(*)::int from organization) as organizations,
        (select count(*)::int from zendesk_group) as groups,
        (select count(*)::int from satisfaction_rating) as satisfaction_ratings,
        (select count(*)::int from field_definition) + (select count(*)::int from custom_status) as fields`.execute(
        trx,
      );
      return rows[0];
    });
    expect(stored?.tickets).toBe(11);
    expect(await shown()).toEqual(stored);
    for (const _ of [1, 2]) {
      const later = new Date(Date.now() + 1000);
      await database.inWorkspace(connected.workspace, (trx) => foldRuns(trx, connected.workspace, later));
    }
    expect((await api.call(runs, `${connected.path}/runs`, connected)).body.items).toEqual([]);
    expect(await shown()).toEqual(stored);
  });

  test("is listed newest first, page by page", async () => {
    const connected = await connect("listed");
    await settled(connected);
    for (const _ of [1, 2]) {
      await force(connected);
      await settled(connected);
    }
    const first = (await api.call(runs, `${connected.path}/runs?limit=2`, connected)).body;
    const rest = (await api.call(runs, `${connected.path}/runs?limit=2&cursor=${first.nextCursor}`, connected)).body;
    const ids = [...first.items, ...rest.items].map((run) => Number(run.id));
    expect(ids).toHaveLength(3);
    expect(ids).toEqual([...ids].sort((a, b) => b - a));
    expect(rest.nextCursor).toBeNull();
    expect((await api.call(runs, `${connected.path}/runs?cursor=nonsense`, connected)).status).toBe(422);
    expect((await api.call(getRun, `${connected.path}/runs/999999`, connected)).status).toBe(404);
  });

  test("does not mind a stream that the plan lacks", async () => {
    const connected = await connect("lacking", {
      before: (world) => Object.assign(world.settings, { satisfaction: "none" }),
    });
    expect((await settled(connected)).state).toBe("succeeded");
    const { streams } = await read(connected);
    expect(streams.find((stream) => stream.name === "satisfaction_ratings")?.state).toBe("not_available");
  });
});

describe("a run that did not go through", () => {
  test("keeps the rows of the other streams, and the connection says what to do and since when", async () => {
    ground.zendesk.faults.add({ subdomain: "partial", path: "/api/v2/incremental/users" }, fault.forbidden("scope"));
    const connected = await connect("partial");
    const run = await settled(connected);
    expect(run).toMatchObject({ state: "failed", failure: { message: expect.stringContaining("users") } });
    const failing = await read(connected);
    expect(failing.state).toBe("failing");
    expect(failing.failure?.action).toBeTruthy();
    const rows = Object.fromEntries(failing.streams.map((stream) => [stream.name, stream.rows]));
    expect(rows).toMatchObject({ tickets: 10, organizations: 1, users: 0 });
    expect(failing.streams.find((stream) => stream.name === "users")?.state).toBe("failed");

    await force(connected);
    await settled(connected);
    expect((await read(connected)).failure?.since).toBe(failing.failure?.since);
    ground.zendesk.faults.clear();
    await force(connected);
    expect((await settled(connected)).state).toBe("succeeded");
    expect(await read(connected)).toMatchObject({ state: "active", failure: null });
  });

  test("stops the account after a rejected token, in at most three tries", async () => {
    const connected = await connect("rejected", { auth: byToken });
    await settled(connected);
    connected.world.access.apiTokens.clear();
    ground.zendesk.journal.clear();
    await force(connected);
    expect(await settled(connected)).toMatchObject({ state: "failed", failure: { code: "credentials_rejected" } });
    expect(ground.zendesk.journal.to("/api/v2/", "rejected").length).toBeLessThanOrEqual(3);
    expect((await read(connected)).streams.find((stream) => stream.name === "tickets")?.rows).toBe(10);
  });
});

describe("a run that Zendesk asks to wait", () => {
  const waitFault = () =>
    ground.zendesk.faults.add(
      { path: "/api/v2/incremental/tickets" },
      fault.tooManyRequests({ retryAfter: "7200", body: "account" }),
    );
  /** A process of its own memory on the same database: in this one Zendesk's word still holds. */
  async function neighbour() {
    const { db } = openDatabase(database.url, { poolSize: 2 });
    onTestFinished(() => db.destroy());
    return { config: api.context.config, log: api.context.log, db };
  }
  const turn = (clock: () => Date) => ({
    holder: holder(),
    clock,
    hold: () => {},
    stop: () => null,
    signal: new AbortController().signal,
  });

  test("says until when, holds no process, and sends nothing before, whoever asks; then the same run goes on", async () => {
    const limit = waitFault();
    const connected = await connect("limited");
    const waiting = await reached(connected, "waiting");
    const until = new Date(waiting.waitingUntil ?? 0);
    expect(until.getTime()).toBeGreaterThan(Date.now() + 60_000);

    limit.remove();
    ground.zendesk.journal.clear();
    expect(await force(connected, "full")).toBe(waiting.id);
    const early = await executeRun(
      api.context,
      scopeOf(connected),
      turn(() => new Date(until.getTime() - 1000)),
    );
    expect(early).toBeNull();
    expect(ground.zendesk.journal.to("/api/v2/", "limited")).toEqual([]);

    const late = await executeRun(
      await neighbour(),
      scopeOf(connected),
      turn(() => new Date(until.getTime() + 1000)),
    );
    expect(late).toBe("succeeded");
    expect(await settled(connected)).toMatchObject({ id: waiting.id, state: "succeeded", waitingUntil: null });
  });

  test("fails after a day of that, and says that the next one goes on", async () => {
    const limit = waitFault();
    const connected = await connect("limited-for-ever");
    await reached(connected, "waiting");
    const late = new Date(Date.now() + 26 * 3_600_000);
    expect(
      await executeRun(
        api.context,
        scopeOf(connected),
        turn(() => late),
      ),
    ).toBe("failed");
    const { failure } = await settled(connected);
    expect(failure).toMatchObject({
      code: "too_long",
      action: expect.stringContaining("goes on from what was committed"),
    });
    limit.remove();
  });
});
