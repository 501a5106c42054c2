import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GET as live } from "#app/api/health/live/route.ts";
import { GET as ready } from "#app/api/health/ready/route.ts";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import { ensurePostgres, stopPostgres } from "#db/embedded.ts";
import { startJobs } from "#lib/jobs/process.ts";
import { parsePlace } from "#lib/zendesk/place.ts";
import { readStreamState, saveStreamState } from "#lib/zendesk/store/stream-state.ts";
import { type Connected, eventually, useGround } from "#test/connections/ground.ts";
import { requestOf } from "#test/support/api.ts";
import { offerServer } from "#test/support/template-database.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";
import { truth } from "#test/support/zendesk/truth.ts";
import { seededRandom } from "#test/support/zendesk/world/random.ts";

// A server of this file's own, which may be killed; nobody else's tests notice.
const folder = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-away-"));
const cluster = await ensurePostgres(path.join(folder, "pg"), { throwaway: true });
await offerServer(cluster.ownerUrl);
// Named first and so done last: the ground drops its database before.
afterAll(async () => {
  await stopPostgres(path.join(folder, "pg"));
  fs.rmSync(folder, { recursive: true, force: true });
});
const ground = useGround();
const { api, database } = ground;

let stopJobs = async () => {};
beforeAll(async () => {
  await api.person(await database.workspace(), "admin");
  stopJobs = await startJobs(api.context);
});
afterAll(async () => {
  await stopJobs();
});

const noParams = { params: Promise.resolve({}) };
const health = async () => ({
  live: (await live(requestOf("GET", "/api/health/live"), noParams)).status,
  ready: (await ready(requestOf("GET", "/api/health/ready"), noParams)).status,
});

/** As a power cut does it; the server recovers from its log when it is started again. */
async function restartAtOnce(): Promise<void> {
  const [pid] = fs.readFileSync(path.join(cluster.dir, "postmaster.pid"), "utf8").split("\n");
  process.kill(Number(pid), "SIGQUIT");
  await eventually(async () => ((await health()).ready === 503 ? true : null), "readiness to turn red");
  expect((await ensurePostgres(path.join(folder, "pg"), { throwaway: true })).url).toBe(cluster.url);
}

async function asOwner(...statements: string[]): Promise<void> {
  const owner = new pg.Client({ connectionString: cluster.ownerUrl });
  owner.on("error", () => {});
  await owner.connect();
  for (const statement of statements) await owner.query(statement);
  await owner.end();
}

const terminateBackends = () =>
  asOwner("select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'bellwether'");

type Ticket = { id: string; subject: string | null };

const stored = ({ workspace }: Connected): Promise<Ticket[]> =>
  database.inWorkspace(workspace, (trx) => trx.selectFrom("ticket").select(["id", "subject"]).orderBy("id").execute());

const titles = ({ world }: Connected): Ticket[] => truth(world).tickets.map(({ id, subject }) => ({ id, subject }));

/** Runs are asked for until one succeeds, each of which goes on where the reading of all was broken off: nothing is read twice. */
const succeeds = (connected: Connected) =>
  eventually(async () => {
    const [run] = (await api.call(runs, `${connected.path}/runs?limit=1`, connected)).body.items;
    if (run?.state === "succeeded") return true;
    const isLive = run && ["queued", "running", "waiting"].includes(run.state);
    if (!isLive) await api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode: "full" } });
    return null;
  }, "a run that succeeds");

test("a database that is restarted at once and drops sessions between pages neither ends the process nor a row: red, green, converged", async () => {
  const random = seededRandom(78);
  const exported = { path: "/api/v2/incremental/tickets", subdomain: "away" };
  // However well it goes, no reading comes to its end in a few pages.
  ground.zendesk.faults.add(exported, fault.tooHeavy(20, 413));
  const connected = await ground.connectQueued("away", {
    before: (world) => {
      for (let n = 0; n < 150; n++) world.tickets.create({ subject: `More ${n}` });
      world.advance(3_600_000);
    },
  });
  const scope = { workspaceId: connected.workspace, connectionId: Number(connected.id) };
  await database.inWorkspace(connected.workspace, (trx) =>
    saveStreamState(trx, scope, "tickets", "full", { page_size: 5 }, new Date()),
  );
  const readInFull = () => api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode: "full" } });
  let changes = 0;
  /**
   * Strikes while a page of tickets is on its way, when some were stored and the reading of all has not come to its end. What
   * was stored by an earlier reading has changed by then.
   */
  async function betweenPages(strike: () => Promise<void>): Promise<void> {
    const subject = `Change ${++changes}`;
    for (const { id } of titles(connected)) connected.world.tickets.update(id, { subject });
    connected.world.advance(3_600_000);
    let coming = 1 + Math.floor(random.next() * 3);
    let isOver = false;
    const struck = ground.zendesk.faults.before(exported, async () => {
      const state = await database.inWorkspace(connected.workspace, (trx) =>
        readStreamState(trx, scope, "tickets", "full"),
      );
      if (state?.caught_up !== false || !parsePlace(state.position)?.rows || coming-- !== 1) return;
      await strike();
      isOver = true;
    });
    await eventually(async () => {
      if (isOver) return true;
      // Whether a run goes on nobody can tell while the database is away.
      await readInFull().catch(() => {});
      return null;
    }, "the next pages");
    struck.remove();
  }
  const lived: number[] = [];
  const watch = setInterval(async () => lived.push((await health()).live), 100);
  for (let round = 0; round < 3; round++) {
    for (let n = 0; n < 3; n++) await betweenPages(terminateBackends);
    await betweenPages(restartAtOnce);
    await eventually(async () => ((await health()).ready === 200 ? true : null), "readiness to turn green");
  }
  clearInterval(watch);
  expect(new Set(lived)).toEqual(new Set([200]));

  await succeeds(connected);
  expect(await stored(connected)).toEqual(titles(connected));
}, 120_000);

test("a server that lost what it had confirmed leaves no hole, however late the run that remembers it notices", async () => {
  // What is committed reaches the disk at a checkpoint only, as it reaches a standby only now and then.
  await asOwner("alter system set wal_writer_delay = '10s'", "select pg_reload_conf()");
  const people = ({ workspace }: Connected) =>
    database.inWorkspace(workspace, (trx) => trx.selectFrom("zendesk_user").select("id").orderBy("id").execute());
  const users = { path: "/api/v2/incremental/users", subdomain: "standby" };
  const count = { confirmed: 0, kept: 0 };
  ground.zendesk.faults.before({ ...users, nth: 3 }, () => asOwner("checkpoint"));
  ground.zendesk.faults.before({ ...users, nth: 6 }, async () => {
    // The page before is stored while this one is on its way.
    await sleep(1000);
    count.confirmed = (await people(connected)).length;
    await restartAtOnce();
    count.kept = (await eventually(() => people(connected).catch(() => null), "the database")).length;
  });
  const connected = await ground.connectQueued("standby", {
    before: (world) => {
      for (let n = 0; n < 70; n++) world.users.create({ name: `Person ${n}` });
      world.advance(3_600_000);
    },
  });
  const scope = { workspaceId: connected.workspace, connectionId: Number(connected.id) };
  await database.inWorkspace(connected.workspace, (trx) =>
    saveStreamState(trx, scope, "users", "incremental", { page_size: 5 }, new Date()),
  );
  await asOwner("checkpoint");
  await api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode: "incremental" } });
  await eventually(async () => (count.kept > 0 ? true : null), "the server to come back");
  const run = await ground.settled(connected);
  expect(count.confirmed).toBeGreaterThan(count.kept);
  expect(run).toMatchObject({ state: "succeeded", failure: null });
  expect(await people(connected)).toEqual(truth(connected.world).users.map(({ id }) => ({ id })));
}, 120_000);

test("a run that had no more to store when the server was started anew goes on in another turn, and ends with what that came to", async () => {
  const connected = await ground.connectQueued("ending");
  // Zendesk's word would end the run, and nothing is stored between it and the end.
  const identity = { path: "/api/v2/users/me", subdomain: "ending" };
  let restarts = 0;
  ground.zendesk.faults.before({ ...identity, nth: 1 }, async () => {
    await asOwner("checkpoint");
    await restartAtOnce();
    restarts++;
  });
  ground.zendesk.faults.add(identity, fault.status(402), { times: 1 });
  await api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode: "incremental" } });
  await eventually(async () => (restarts > 0 ? true : null), "the server to come back");
  const run = await ground.settled(connected);
  expect(restarts).toBe(1);
  expect(run).toMatchObject({ state: "succeeded", failure: null });
  expect(await stored(connected)).toEqual(titles(connected));
}, 120_000);
