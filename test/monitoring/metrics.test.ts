import { sql } from "kysely";
import pg from "pg";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { GET as metrics } from "#app/metrics/route.ts";
import { openDatabase } from "#db/client.ts";
import type { Context } from "#lib/context.ts";
import { settingColumns } from "#lib/destinations/present.ts";
import { presets } from "#lib/destinations/profiles.ts";
import { discarded, mostCounted } from "#lib/destinations/shapes.ts";
import { runDue } from "#lib/jobs/cron.ts";
import { requestRun } from "#lib/jobs/request.ts";
import { Worker } from "#lib/jobs/worker.ts";
import { countWait, observeWebhookLag } from "#lib/monitoring/registry.ts";
import { bareConnection, holder } from "#test/jobs/ground.ts";
import { requestOf, testEnvironment, useApi } from "#test/support/api.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const api = useApi(database);
const secret = testEnvironment.CRON_SECRET;

/** The tests' context has no pool; the process that is measured has. */
beforeAll(() => {
  const { db, pool } = openDatabase(database.url, { poolSize: 2 });
  Object.defineProperty(api.context, "pool", { value: pool });
  api.context.db = db;
  return () => db.destroy();
});

async function scrape(key: string | null) {
  const headers: Record<string, string> = key === null ? {} : { authorization: `Bearer ${key}` };
  const response = await metrics(requestOf("GET", "/metrics", { headers }), { params: Promise.resolve({}) });
  return { status: response.status, type: response.headers.get("content-type"), text: await response.text() };
}

/** The value of the one sample with these labels, in whatever order they stand; undefined where there is none. */
function sample(text: string, name: string, labels: Record<string, string | number> = {}): number | undefined {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const found = text.split("\n").filter((line) => {
    const [, metric, inner = ""] = /^(\w+)(?:\{(.*)\})? \S+$/.exec(line) ?? [];
    return metric === name && wanted.every((pair) => inner.split(",").includes(pair));
  });
  expect(found.length, `${name} ${wanted}`).toBeLessThanOrEqual(1);
  return found[0] === undefined ? undefined : Number(found[0].split(" ").at(-1)?.replace("+Inf", "Infinity"));
}

const hoursAgo = (hours: number) => new Date(Date.now() - hours * 3_600_000);

describe("GET /metrics", () => {
  test("tells nothing without the secret or a key", async () => {
    for (const key of [null, "nonsense", `${secret}x`]) {
      const { status, text } = await scrape(key);
      expect([status, text.includes("bellwether_build_info")]).toEqual([401, false]);
    }
  });

  test("is in Prometheus' text format, and says its version and how the process does", async () => {
    const { status, type, text } = await scrape(secret);
    expect([status, type]).toEqual([200, "text/plain; version=0.0.4; charset=utf-8"]);
    expect(text).toMatch(/^bellwether_build_info\{version="\d+\.\d+\.\d+"\} 1$/m);
    expect(text).toMatch(/^process_resident_memory_bytes \d+$/m);
    expect(text).toMatch(/^bellwether_database_pool_connections [12]$/m);
    expect(text).toMatch(/^bellwether_database_up 1$/m);
    expect(text.endsWith("\n")).toBe(true);
    const names = [...text.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(names.length);
  });

  test("tells how old each stream is; one never read is infinitely old, one that the plan lacks has no age", async () => {
    const { workspaceId, connectionId } = await bareConnection(database, await database.workspace());
    await database.inWorkspace(workspaceId, async (trx) => {
      const set = (stream: string, to: object) =>
        trx.updateTable("stream_state").set(to).where("stream", "=", stream).execute();
      await set("tickets", { fresh_through: hoursAgo(2), state: "degraded" });
      await set("satisfaction_ratings", { state: "not_available" });
    });
    const { text } = await scrape(secret);
    const of = (stream: string) => ({ workspace: workspaceId, connection: connectionId, stream });
    const age = sample(text, "bellwether_stream_freshness_seconds", of("tickets")) ?? 0;
    expect(age).toBeGreaterThanOrEqual(7200);
    expect(age).toBeLessThan(7300);
    expect(sample(text, "bellwether_stream_freshness_seconds", of("users"))).toBe(Number.POSITIVE_INFINITY);
    expect(sample(text, "bellwether_stream_freshness_seconds", of("satisfaction_ratings"))).toBeUndefined();
    expect(sample(text, "bellwether_stream_state", { ...of("tickets"), state: "degraded" })).toBe(1);
    expect(sample(text, "bellwether_stream_state", { ...of("satisfaction_ratings"), state: "not_available" })).toBe(1);
  });

  test("counts runs from the database, so that a restart forgets nothing, and what waits", async () => {
    const scope = await bareConnection(database, await database.workspace());
    const { workspaceId, connectionId } = scope;
    const labels = { workspace: workspaceId, connection: connectionId };
    await database.inWorkspace(workspaceId, async (trx) => {
      for (const state of ["succeeded", "succeeded", "failed"]) {
        await trx
          .insertInto("sync_run")
          .values({
            workspace_id: workspaceId,
            connection_id: connectionId,
            mode: "incremental",
            trigger: "schedule",
            state,
            requested_at: hoursAgo(3),
            finished_at: hoursAgo(1),
          })
          .execute();
      }
      await requestRun(trx, scope, { mode: "full", trigger: "person" }, hoursAgo(0.5));
      await trx
        .updateTable("connection")
        .set({ next_sync_at: hoursAgo(1) })
        .execute();
      const held = { workspace_id: workspaceId, connection_id: connectionId };
      const times = { first_held_at: new Date(), last_held_at: new Date() };
      await trx
        .insertInto("held_row")
        .values({ ...held, ...times, stream: "users", row_key: "7", payload: "{}", reason: "too large" })
        .execute();
      await trx
        .insertInto("absence")
        .values({
          ...held,
          stream: "tickets",
          row_id: "9",
          held: true,
          first_missed_at: new Date(),
          last_missed_at: new Date(),
        })
        .execute();
      await trx
        .insertInto("webhook_hint")
        .values({ ...held, subject: "ticket", subject_id: "4", first_at: hoursAgo(1), last_at: new Date() })
        .execute();
      await trx
        .insertInto("notice")
        .values({ ...held, code: "x", message: "m", action: "a", raised_at: new Date() })
        .execute();
    });
    const { text } = await scrape(secret);
    const run = (state: string) => ({ ...labels, mode: "incremental", state });
    expect(sample(text, "bellwether_runs", run("succeeded"))).toBe(2);
    expect(sample(text, "bellwether_runs", run("failed"))).toBe(1);
    expect(sample(text, "bellwether_run_last_end_timestamp_seconds", run("failed"))).toBeCloseTo(
      hoursAgo(1).getTime() / 1000,
      -2,
    );
    expect(sample(text, "bellwether_runs_pending", { workspace: workspaceId })).toBe(1);
    expect(sample(text, "bellwether_runs_pending_oldest_seconds", { workspace: workspaceId })).toBeGreaterThan(1790);
    expect(sample(text, "bellwether_sync_overdue_seconds", labels)).toBeGreaterThan(3590);
    expect(sample(text, "bellwether_held_rows", { ...labels, stream: "users" })).toBe(1);
    expect(sample(text, "bellwether_absences_held", { ...labels, stream: "tickets" })).toBe(1);
    expect(sample(text, "bellwether_webhook_hints_waiting", labels)).toBe(1);
    expect(sample(text, "bellwether_webhook_hints_oldest_seconds", labels)).toBeGreaterThan(3590);
    expect(sample(text, "bellwether_notices_open", { workspace: workspaceId })).toBe(1);
  });

  test("tells of a queue that is longer than anybody counts that it is as long or longer", async () => {
    const { workspaceId, connectionId } = await bareConnection(database, await database.workspace());
    const made = {
      workspace_id: workspaceId,
      connection_id: connectionId,
      created_at: hoursAgo(1),
      updated_at: hoursAgo(1),
    };
    const id = await database.inWorkspace(workspaceId, async (trx) => {
      const destination = await trx
        .insertInto("destination")
        .values({ ...made, name: "Acme", profile: "customerio", enabled: true, ...settingColumns(presets.customerio) })
        .returning("id")
        .executeTakeFirstOrThrow();
      const fill = (state: string, count: number, at: Date, code: string | null = null) =>
        sql`insert into delivery (workspace_id, destination_id, connection_id, action, action_version, command, command_key,
              lanes, state, code, created_at, updated_at)
            select ${workspaceId}, ${destination.id}, ${connectionId}, 'upsert_user', 1, '{}', concat(${state}::text, ${code}::text, n),
              '{}', ${state}, ${code}, ${at}::timestamptz, ${at}::timestamptz from generate_series(1, ${count}::int) n`.execute(
          trx,
        );
      await fill("done", 20, hoursAgo(9));
      await fill("queued", mostCounted + 1, hoursAgo(2));
      await fill("failed", 3, hoursAgo(5));
      await fill("failed", 2, hoursAgo(5), discarded);
      return destination.id;
    });
    const { text } = await scrape(secret);
    const of = (state: string) => ({ workspace: workspaceId, destination: id, state });
    expect(sample(text, "bellwether_deliveries", of("queued"))).toBe(mostCounted);
    expect(sample(text, "bellwether_deliveries", of("failed"))).toBe(3);
    for (const state of ["done", "held"]) expect(sample(text, "bellwether_deliveries", of(state))).toBeUndefined();
    const age = sample(text, "bellwether_deliveries_oldest_seconds", { workspace: workspaceId, destination: id }) ?? 0;
    expect(Math.abs(age - 7200)).toBeLessThan(60);
    const help = text.split("\n").filter((line) => line.startsWith("# HELP bellwether_deliveries"));
    expect(help).toHaveLength(2);
    for (const line of help) expect(line).toContain("10000");
  });

  test("counts no sync as overdue while a run goes on, however long, and a run that nobody executes as none", async () => {
    const scope = await bareConnection(database, await database.workspace());
    const { workspaceId, connectionId } = scope;
    const overdue = async () => {
      const { text } = await scrape(secret);
      return sample(text, "bellwether_sync_overdue_seconds", { workspace: workspaceId, connection: connectionId });
    };
    const lease = (heartbeat: Date) =>
      database.inWorkspace(workspaceId, (trx) =>
        trx.updateTable("connection_lease").set({ holder: "a process", heartbeat_at: heartbeat }).execute(),
      );
    await database.inWorkspace(workspaceId, async (trx) => {
      await requestRun(trx, scope, { mode: "incremental", trigger: "schedule" }, hoursAgo(3));
      await trx
        .updateTable("sync_run")
        .set({ state: "running", started_at: hoursAgo(3) })
        .execute();
      await trx
        .updateTable("connection")
        .set({ next_sync_at: hoursAgo(3) })
        .execute();
      await trx
        .updateTable("stream_state")
        .set({ updated_at: hoursAgo(2) })
        .execute();
    });
    await lease(new Date());
    expect(await overdue()).toBe(0);
    await lease(hoursAgo(1));
    expect(await overdue()).toBeGreaterThan(7190);
    expect(await overdue()).toBeLessThan(7300);
    await database.inWorkspace(workspaceId, (trx) =>
      trx
        .updateTable("sync_run")
        .set({ state: "waiting", waiting_until: hoursAgo(-0.2) })
        .execute(),
    );
    expect(await overdue()).toBe(0);
  });

  test("tells a key its own workspace, and nothing of the process or of the others", async () => {
    const [own, other] = [await database.workspace(), await database.workspace()];
    await bareConnection(database, own, { subdomain: "own" });
    await bareConnection(database, other, { subdomain: "other" });
    const { status, text } = await scrape(await api.key(own, "viewer"));
    expect(status).toBe(200);
    expect(text).toContain(`workspace="${own}"`);
    expect(text).toContain('subdomain="own"');
    expect([...text.matchAll(/workspace="(\d+)"/g)].every(([, id]) => id === String(own))).toBe(true);
    expect(text).not.toMatch(/other|process_|pool|http_request/);
  });

  test("counts requests, waits for budgets, the way of webhooks and what the schedule did", async () => {
    const { text: before } = await scrape(secret);
    countWait("incremental", "budget", 1500);
    observeWebhookLag(400);
    const worker = new Worker(api.context, { holder: holder() });
    await runDue(api.context, worker, { what: "reconcile", force: false, budgetSeconds: 0 }, () => new Date());
    const { text } = await scrape(secret);
    const grown = (name: string, labels = {}) =>
      (sample(text, name, labels) ?? 0) - (sample(before, name, labels) ?? 0);
    expect(grown("bellwether_limiter_wait_seconds_total", { bucket: "incremental", reason: "budget" })).toBe(1.5);
    expect(grown("bellwether_webhook_lag_seconds_count")).toBe(1);
    expect(grown("bellwether_webhook_lag_seconds_bucket", { le: "0.25" })).toBe(0);
    const scrapes = { operation: "metrics", method: "GET", status: "200" };
    expect(grown("bellwether_http_request_duration_seconds_count", scrapes)).toBe(1);
    const tick = sample(text, "bellwether_job_last_success_timestamp_seconds", { job: "reconcile" }) ?? 0;
    expect(Math.abs(tick - Date.now() / 1000)).toBeLessThan(60);
  });

  test("answers while the database is away: the process' own numbers, and that it is away", async () => {
    const { db, pool } = openDatabase("postgres://nobody@127.0.0.1:1/none", { poolSize: 2 });
    const home = globalThis as typeof globalThis & { bellwetherContext?: Context };
    const known = home.bellwetherContext;
    onTestFinished(async () => {
      home.bellwetherContext = known as Context;
      await db.destroy();
    });
    home.bellwetherContext = { ...(known as Context), db, pool };
    const { status, text } = await scrape(secret);
    expect([status, sample(text, "bellwether_database_up")]).toEqual([200, 0]);
    expect(text).toContain("process_resident_memory_bytes");
    expect(text).not.toMatch(/^bellwether_(stream|runs)\w*\{/m);
    expect((await scrape("bw_some-key-of-a-workspace-0123456789")).status).toBe(503);
  });

  test("does not wait for a database that does not answer", async () => {
    const workspace = await database.workspace();
    const rival = new pg.Client({ connectionString: database.url });
    await rival.connect();
    await rival.query("begin");
    await rival.query("lock table sync_run in access exclusive mode");
    try {
      const { status, text } = await scrape(secret);
      expect([status, sample(text, "bellwether_database_up")]).toEqual([200, 0]);
      expect(text).not.toContain(`workspace="${workspace}"`);
    } finally {
      await rival.query("rollback");
      await rival.end();
    }
  });
});
