import { afterEach, describe, expect, test } from "vitest";
import { GET as getMaintenance, POST as maintenance } from "#app/api/cron/maintenance/route.ts";
import { GET as getReconcile, POST as reconcile } from "#app/api/cron/reconcile/route.ts";
import { POST as cronSync, GET as getSync } from "#app/api/cron/sync/route.ts";
import { GET as getOne } from "#app/api/v1/connections/[id]/route.ts";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { type CronAnswer, cronAnswer } from "#lib/connections/shapes.ts";
import { holdConnection, updateConnection } from "#lib/connections/store/connections.ts";
import { queueDue, runDue } from "#lib/jobs/cron.ts";
import { thisHolder } from "#lib/jobs/holder.ts";
import { Worker } from "#lib/jobs/worker.ts";
import { type Connected, type ConnectOptions, useGround } from "#test/connections/ground.ts";
import { apiOrigin, testEnvironment } from "#test/support/api.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";

const ground = useGround();
const { api, database, settled, idle, requested } = ground;
const tickets = "/api/v2/incremental/tickets";

const made: Connected[] = [];
async function connect(subdomain: string, options?: ConnectOptions): Promise<Connected> {
  const connected = await ground.connect(subdomain, options);
  made.push(connected);
  return connected;
}
async function connectQueued(subdomain: string, options?: ConnectOptions): Promise<Connected> {
  const connected = await ground.connectQueued(subdomain, options);
  made.push(connected);
  return connected;
}

// A call with force=1 takes every connection there is: each test has its own alone.
afterEach(async () => {
  ground.zendesk.faults.clear();
  for (const connected of made.splice(0)) {
    await idle(connected);
    await setState(connected, "archived");
  }
});

function post(
  route: typeof cronSync,
  query = "",
  authorization: string | null = `Bearer ${testEnvironment.CRON_SECRET}`,
) {
  const headers: Record<string, string> = authorization === null ? {} : { authorization };
  const request = new Request(`${apiOrigin}/api/cron/any${query}`, { method: "POST", headers });
  return route(request, { params: Promise.resolve({}) });
}
const answerOf = async (response: Response): Promise<CronAnswer> => cronAnswer.parse(await response.json());
const of = (answer: CronAnswer, connected: Connected) => answer.connections.filter(({ id }) => id === connected.id);
const call = async (query = "?force=1", route = cronSync) => answerOf(await post(route, query));
const allRuns = async (connected: Connected) => (await api.call(runs, `${connected.path}/runs`, connected)).body.items;
const setState = (connected: Connected, state: string) =>
  database.inWorkspace(connected.workspace, (trx) =>
    trx.updateTable("connection").set({ state }).where("id", "=", Number(connected.id)).execute(),
  );
const setDue = (connected: Connected, column: "next_sync_at" | "next_reconcile_at", at: Date) =>
  database.inWorkspace(connected.workspace, (trx) =>
    trx
      .updateTable("connection")
      .set({ [column]: at })
      .where("id", "=", Number(connected.id))
      .execute(),
  );

describe("the cron routes are open to the secret alone", () => {
  test.each([
    ["no header", null],
    ["nothing after Bearer", "Bearer "],
    ["the word undefined", "Bearer undefined"],
    ["a wrong secret", "Bearer wrong"],
    ["the secret's beginning", `Bearer ${testEnvironment.CRON_SECRET.slice(0, -1)}`],
    ["another scheme", `Basic ${testEnvironment.CRON_SECRET}`],
  ])("401 for %s", async (_, header) => {
    for (const route of [cronSync, reconcile, maintenance]) expect((await post(route, "", header)).status).toBe(401);
  });

  test("405 for a GET, which a link or a prefetch could make, with the secret as well", async () => {
    const headers = { authorization: `Bearer ${testEnvironment.CRON_SECRET}` };
    for (const get of [getSync, getReconcile, getMaintenance]) {
      const request = new Request(`${apiOrigin}/api/cron/any?force=1`, { headers });
      expect((await get(request, { params: Promise.resolve({}) })).status).toBe(405);
    }
  });

  test("an API key is not the secret", async () => {
    const key = await api.key(await database.workspace());
    expect((await post(cronSync, "", `Bearer ${key}`)).status).toBe(401);
  });

  test.each(["-1", "x", "1e9", "99999"])("a budget of %j is refused", async (budget) => {
    for (const route of [cronSync, reconcile, maintenance]) {
      expect((await post(route, `?budgetSeconds=${budget}`)).status).toBe(422);
    }
  });
});

describe("a call of the sync route", () => {
  // First of all: each of the calls looks into every workspace that a test has made by then.
  test("made 500 times at once does the work in one run", async () => {
    const connected = await connect("crowd");
    await settled(connected);
    await setDue(connected, "next_sync_at", new Date(Date.now() - 1000));
    const before = (await allRuns(connected)).length;
    ground.zendesk.journal.clear();
    const responses = await Promise.all(Array.from({ length: 500 }, () => post(cronSync)));
    const answers = await Promise.all(responses.map(answerOf));
    const runIds = new Set(answers.flatMap((answer) => of(answer, connected).map(({ runId }) => runId)));
    expect(runIds.size).toBe(1);
    expect(await allRuns(connected)).toHaveLength(before + 1);
    expect(ground.zendesk.journal.to(`${tickets}/cursor`, "crowd")).toHaveLength(1);
  }, 120_000);

  test("does what is due in every workspace and nothing that is not", async () => {
    const due = await connect("due");
    const notDue = await connect("not-due");
    await settled(due);
    await settled(notDue);
    await setDue(due, "next_sync_at", new Date(Date.now() - 1000));
    const answer = await call("");
    expect(of(answer, due)).toMatchObject([{ state: "succeeded", done: true }]);
    expect(of(answer, notDue)).toEqual([]);
    const [run] = await allRuns(due);
    expect(run).toMatchObject({ id: of(answer, due)[0]?.runId, mode: "incremental", trigger: "cron" });
    expect(of(await call(""), due)).toEqual([]);
  });

  test("with force=1 takes every active and failing connection as due, and no paused or disconnected one", async () => {
    const [active, failing] = [await connect("forced"), await connect("forced-failing")];
    const paused = await connect("forced-paused");
    const gone = await connect("forced-gone");
    for (const connected of [active, failing, paused, gone]) await settled(connected);
    await setState(failing, "failing");
    await setState(paused, "paused");
    await setState(gone, "disconnected");
    const answer = await call();
    expect([active, failing, paused, gone].map((connected) => of(answer, connected).length)).toEqual([1, 1, 0, 0]);
    expect((await api.call(getOne, failing.path, failing)).body.state).toBe("active");
  });

  test("goes on over budgets of nothing until everything is read, in one run, reading no page twice", async () => {
    const connected = await connectQueued("thrift", {
      before: (world) => {
        for (let n = 0; n < 40; n++) world.tickets.create({ subject: `More ${n}` });
        world.advance(3_600_000);
      },
    });
    await database.inWorkspace(connected.workspace, (trx) =>
      trx.updateTable("stream_state").set({ page_size: 10 }).execute(),
    );
    const answers: CronAnswer["connections"] = [];
    while (!answers.at(-1)?.done && answers.length < 60) {
      const [answer] = of(await call("?budgetSeconds=0"), connected);
      if (answer) answers.push(answer);
    }
    expect(answers.at(-1)).toMatchObject({ state: "succeeded", done: true });
    expect(new Set(answers.map((answer) => answer.runId)).size).toBe(1);
    expect(answers.length).toBeGreaterThan(1);
    expect(answers.slice(0, -1).every(({ state, done }) => state === "waiting" && !done)).toBe(true);
    const [run] = await allRuns(connected);
    expect(run?.streams.find((stream) => stream.name === "tickets")?.rows).toMatchObject({ read: 50, inserted: 50 });
  });

  test("leaves a run past its budget waiting, and the next call goes on with it", async () => {
    const connected = await connectQueued("budget");
    const slow = ground.zendesk.faults.add({ subdomain: "budget" }, fault.slow(700));
    const [first] = of(await call("?budgetSeconds=1"), connected);
    expect(first).toMatchObject({ state: "waiting", done: false });
    slow.remove();
    const [second] = of(await call(""), connected);
    expect(second).toEqual({ id: connected.id, runId: first?.runId, state: "succeeded", done: true });
  });

  test("made twice at once does the work once, and both name the same runs", async () => {
    const connected = await connect("twins");
    await settled(connected);
    ground.zendesk.faults.add({ subdomain: "twins", path: tickets }, fault.slow(300));
    const before = (await allRuns(connected)).length;
    const [one, two] = await Promise.all([call(), call()]);
    expect(of(one, connected)).toMatchObject([{ done: true }]);
    expect(of(two, connected)).toEqual(of(one, connected));
    expect((await allRuns(connected)).length).toBe(before + 1);
  });

  test("made at once in two processes does the work once as well", async () => {
    const connected = await connect("two-processes");
    await settled(connected);
    ground.zendesk.faults.add({ subdomain: "two-processes", path: tickets }, fault.slow(300));
    const elsewhere = new Worker(api.context, { holder: thisHolder(null) });
    const options = { what: "sync", force: true, budgetSeconds: 20 } as const;
    const [one, two] = await Promise.all([call(), runDue(api.context, elsewhere, options, () => new Date())]);
    expect(of(one, connected)).toMatchObject([{ state: "succeeded", done: true }]);
    expect(of(two, connected)).toEqual(of(one, connected));
    expect((await allRuns(connected)).length).toBe(2);
  });

  test("takes up a queued run and an orphaned one, whether or not their connection is due", async () => {
    const queued = await connectQueued("left-queued");
    const orphan = await connectQueued("left-orphaned");
    await database.inWorkspace(orphan.workspace, async (trx) => {
      await trx.updateTable("sync_run").set({ state: "running", epoch: "0" }).execute();
    });
    const [former] = await database.inWorkspace(orphan.workspace, (trx) =>
      trx.selectFrom("sync_run").select("id").execute(),
    );
    const answer = await call("");
    expect(of(answer, queued)).toMatchObject([{ state: "succeeded", done: true }]);
    expect(of(answer, orphan)).toMatchObject([{ state: "succeeded", done: true }]);
    expect((await allRuns(orphan)).map(({ id, state }) => [id === former?.id, state])).toEqual([
      [false, "succeeded"],
      [true, "interrupted"],
    ]);
  });

  test("asks for no run of a connection that is disconnected meanwhile", async () => {
    const connected = await connect("leaving");
    await settled(connected);
    await setDue(connected, "next_sync_at", new Date(Date.now() - 1000));
    const scope = { workspaceId: connected.workspace, connectionId: Number(connected.id) };
    let asked: ReturnType<typeof queueDue> = Promise.resolve([]);
    await database.inWorkspace(connected.workspace, async (trx) => {
      await holdConnection(trx, scope);
      await updateConnection(trx, scope, { state: "disconnected" }, new Date());
      asked = queueDue(database.db, { what: "sync", force: false, trigger: "schedule" }, new Date());
      await Promise.race([asked, new Promise((resolve) => setTimeout(resolve, 500))]);
    });
    expect(await asked).toEqual([]);
    expect(await allRuns(connected)).toHaveLength(1);
  });

  test("is not held up by an account that has to wait", async () => {
    ground.zendesk.faults.add(
      { subdomain: "stuck", path: "/api/v2/incremental" },
      fault.tooManyRequests({ retryAfter: "7200", body: "account" }),
    );
    const stuck = await connectQueued("stuck");
    const others = [
      await connectQueued("free-one"),
      await connectQueued("free-two"),
      await connectQueued("free-three"),
    ];
    const answer = await call("");
    expect(of(answer, stuck)).toMatchObject([{ state: "waiting", done: false }]);
    for (const other of others) expect(of(answer, other)).toMatchObject([{ state: "succeeded", done: true }]);
  });

  test("waits for a run that this process executes anyway, and names it", async () => {
    ground.zendesk.faults.add({ subdomain: "joined", path: tickets }, fault.slow(400));
    const connected = await connect("joined");
    await requested(connected, tickets);
    const [answer] = of(await call(), connected);
    expect(answer).toMatchObject({ state: "succeeded", done: true });
    expect(await allRuns(connected)).toHaveLength(1);
  });
});

describe("a call of the reconcile route", () => {
  test("checks the past year of what is due, says what it found, and plans the next night", async () => {
    const connected = await connect("nightly");
    await settled(connected);
    await setDue(connected, "next_reconcile_at", new Date(Date.now() - 1000));
    const answer = await call("", reconcile);
    expect(of(answer, connected)).toMatchObject([{ state: "succeeded", done: true }]);
    const [run] = await allRuns(connected);
    expect(run).toMatchObject({ mode: "reconcile", trigger: "cron" });
    const { verified } = (await api.call(getOne, connected.path, connected)).body;
    expect(verified).toMatchObject({ tickets: 10, repaired: 0 });
    expect(of(await call("", reconcile), connected)).toEqual([]);
  });

  test("first goes on with a lesser run that is under way, then does its own", async () => {
    const connected = await connect("lesser");
    await settled(connected);
    ground.zendesk.faults.add({ subdomain: "lesser", path: tickets }, fault.slow(500), { times: 1 });
    ground.zendesk.journal.clear();
    const both = await Promise.all([
      call("?force=1"),
      requested(connected, tickets).then(() => call("?force=1", reconcile)),
    ]);
    expect(both.map((answer) => of(answer, connected)[0]?.state)).toEqual(["succeeded", "succeeded"]);
    const modes = (await allRuns(connected)).map((run) => run.mode);
    expect(modes).toEqual(["reconcile", "incremental", "incremental"]);
  });
});

test("a call of the maintenance route answers with no connections", async () => {
  expect(await answerOf(await post(maintenance))).toEqual({ connections: [] });
});
