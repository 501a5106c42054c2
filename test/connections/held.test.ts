import { describe, expect, test } from "vitest";
import { POST as retry } from "#app/api/v1/connections/[id]/held/retry/route.ts";
import { GET as held } from "#app/api/v1/connections/[id]/held/route.ts";
import { POST as setAside } from "#app/api/v1/connections/[id]/held/set-aside/route.ts";
import { GET as getOne } from "#app/api/v1/connections/[id]/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import type { StreamName } from "#lib/connections/shapes.ts";
import { lockMetrics } from "#lib/metrics/store.ts";
import { holdRows } from "#lib/zendesk/store/held-rows.ts";
import { type Connected, useGround } from "#test/connections/ground.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";

const ground = useGround();
const { api, database, connect, settled } = ground;

const scopeOf = ({ workspace, id }: Connected) => ({ workspaceId: workspace, connectionId: Number(id) });
const heldAt = new Date("2026-02-11T09:00:00Z");

/** A user as Zendesk would send it, held as it came: the fault was ours, and is mended. */
const userText = (id: string, change: object = {}) =>
  JSON.stringify({
    id: Number(id),
    name: `User ${id}`,
    email: `${id}@example.com`,
    role: "end-user",
    active: true,
    created_at: "2026-01-01T00:00:00Z",
    updated_at: "2026-01-02T00:00:00Z",
    ...change,
  });
const hold = (connected: Connected, rows: { key: string; payload: string }[], stream: StreamName = "users") =>
  database.inWorkspace(connected.workspace, (trx) =>
    holdRows(
      trx,
      scopeOf(connected),
      stream,
      rows.map((row) => ({ ...row, reason: "it has no name" })),
      heldAt,
    ),
  );
/** A connection that was read, degraded by rows that are held. */
async function degraded(subdomain: string, ids: string[]): Promise<Connected> {
  const connected = await connect(subdomain);
  await settled(connected);
  await hold(
    connected,
    ids.map((id) => ({ key: id, payload: userText(id) })),
  );
  await database.inWorkspace(connected.workspace, (trx) =>
    trx
      .updateTable("stream_state")
      .set({
        state: "degraded",
        failure_code: "held_rows",
        failure_message: "?",
        failure_action: "?",
        failure_since: heldAt,
      })
      .where("stream", "=", "users")
      .execute(),
  );
  return connected;
}
const tryAgain = async (connected: Connected, body: object = {}) =>
  (await api.call(retry, `${connected.path}/held/retry`, { ...connected, body })).body;
const keys = async (connected: Connected) =>
  (await api.call(held, `${connected.path}/held`, connected)).body.items.map(({ key }) => key);
const users = async (connected: Connected) =>
  (await api.call(getOne, connected.path, connected)).body.streams.find(({ name }) => name === "users");
const names = (connected: Connected, ids: string[]) =>
  database.inWorkspace(connected.workspace, async (trx) => {
    const rows = await trx.selectFrom("zendesk_user").select("name").where("id", "in", ids).orderBy("id").execute();
    return rows.map(({ name }) => name);
  });

/** Gives what was begun, not waited for, once it had time to come upon a lock. */
async function meanwhile<T>(answer: Promise<T>): Promise<{ answer: Promise<T> }> {
  await new Promise((resolve) => setTimeout(resolve, 300));
  return { answer };
}

describe("held rows, tried again by a person (row 55)", () => {
  test("are stored, leave quarantine, and their stream is degraded no more when the last has left", async () => {
    const connected = await degraded("mended", ["901", "902", "903"]);
    expect(await tryAgain(connected, { stream: "users", key: "902" })).toEqual({ released: 1, held: 0 });
    expect(await keys(connected)).toEqual(["901", "903"]);
    expect(await names(connected, ["901", "902", "903"])).toEqual(["User 902"]);
    expect(await users(connected)).toMatchObject({
      state: "degraded",
      held: 2,
      failure: { message: expect.stringContaining("2 rows are held"), since: heldAt.toISOString() },
    });
    expect(await tryAgain(connected)).toEqual({ released: 2, held: 0 });
    expect(await names(connected, ["901", "902", "903"])).toEqual(["User 901", "User 902", "User 903"]);
    expect(await users(connected)).toMatchObject({ state: "ok", held: 0, failure: null });
  });

  test("that are wrong still stay as they came, more than a batch of them and those beside them not", async () => {
    const connected = await degraded("mixed", []);
    const wrong = Array.from({ length: 120 }, (_, n) => ({
      key: `x${n}`,
      payload: userText("1", { id: `no id ${n}` }),
    }));
    const right = Array.from({ length: 60 }, (_, n) => ({ key: `${800 + n}`, payload: userText(`${800 + n}`) }));
    await hold(connected, [...wrong, ...right]);
    expect(await tryAgain(connected, { stream: "users" })).toEqual({ released: 60, held: 120 });
    const { items } = (await api.call(held, `${connected.path}/held?limit=500`, connected)).body;
    expect(items).toHaveLength(120);
    const first = items.find(({ key }) => key === "x0");
    expect(first).toMatchObject({ payload: wrong[0]?.payload, lastHeldAt: heldAt.toISOString() });
    expect(await users(connected)).toMatchObject({ state: "degraded", held: 120 });
  });

  test("of other streams and other connections are left alone", async () => {
    const connected = await degraded("mine", ["910"]);
    const beside = await connect("theirs", { beside: connected });
    await settled(beside);
    await hold(beside, [{ key: "910", payload: userText("910") }]);
    await hold(connected, [{ key: "1", payload: "not JSON" }], "groups");
    expect(await tryAgain(connected, { stream: "users" })).toEqual({ released: 1, held: 0 });
    expect(await tryAgain(connected, { stream: "groups" })).toEqual({ released: 0, held: 1 });
    expect(await keys(connected)).toEqual(["1"]);
    expect(await keys(beside)).toEqual(["910"]);
  });

  test.each([
    ["a newer version", { updated_at: new Date("2026-02-01T00:00:00Z") }],
    ["the same version, asked for later,", { updated_at: new Date("2026-01-02T00:00:00Z"), fetched_at: new Date() }],
  ])("never overwrite %s that was stored meanwhile (row 19)", async (what, stored) => {
    const connected = await degraded(`overtaken-${what.length}`, ["920"]);
    await database.inWorkspace(connected.workspace, (trx) =>
      trx
        .insertInto("zendesk_user")
        .values({
          workspace_id: connected.workspace,
          connection_id: Number(connected.id),
          id: "920",
          name: "Renamed",
          content_hash: "1",
          ...stored,
        })
        .execute(),
    );
    expect(await tryAgain(connected)).toEqual({ released: 1, held: 0 });
    expect(await names(connected, ["920"])).toEqual(["Renamed"]);
  });

  test("are tried while a run goes on, and the run ends as it would have", async () => {
    const connected = await degraded("meanwhile", ["930", "931"]);
    const slow = ground.zendesk.faults.add({ subdomain: "meanwhile", path: "/api/v2/incremental" }, fault.slow(700));
    ground.zendesk.journal.clear();
    await api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode: "full" } });
    await ground.requested(connected, "/api/v2/incremental");
    expect(await tryAgain(connected)).toEqual({ released: 2, held: 0 });
    slow.remove();
    expect((await settled(connected)).state).toBe("succeeded");
    expect(await names(connected, ["930", "931"])).toEqual(["User 930", "User 931"]);
  });

  test("that a run is about to hold in a newer version wait for it, and that version stays held", async () => {
    const connected = await degraded("in-flight", ["940"]);
    const newer = userText("940", { id: "no id any more" });
    const trying = await database.inWorkspace(connected.workspace, async (trx) => {
      const row = { key: "940", payload: newer, reason: "no id" };
      await holdRows(trx, scopeOf(connected), "users", [row], heldAt);
      return meanwhile(tryAgain(connected));
    });
    expect(await trying.answer).toEqual({ released: 0, held: 1 });
    const { items } = (await api.call(held, `${connected.path}/held`, connected)).body;
    expect(items).toMatchObject([{ key: "940", payload: newer }]);
  });

  test("take the locks in the order of a page, so that neither has to give way", async () => {
    const connected = await degraded("in-order", []);
    const organization = (id: string) => ({ key: id, payload: JSON.stringify({ id: Number(id), name: id }) });
    await hold(connected, [organization("950")], "organizations");
    const trying = await database.inWorkspace(connected.workspace, async (trx) => {
      await lockMetrics(trx, connected.workspace);
      const begun = await meanwhile(tryAgain(connected));
      // Whoever waits for the metrics holds no row that their holder may want.
      await trx.selectFrom("held_row").select("row_key").forUpdate().noWait().execute();
      return begun;
    });
    expect(await trying.answer).toEqual({ released: 1, held: 0 });
  });

  test("are for administrators of that workspace", async () => {
    const connected = await connect("guarded");
    const csm = { key: await api.key(connected.workspace, "csm"), body: {} };
    expect((await api.call(retry, `${connected.path}/held/retry`, csm)).status).toBe(403);
    const stranger = { key: await api.key(await database.workspace()), body: {} };
    expect((await api.call(retry, `${connected.path}/held/retry`, stranger)).status).toBe(404);
    const wrong = await api.call(retry, `${connected.path}/held/retry`, { ...connected, body: { stream: "all" } });
    expect([wrong.status, wrong.error?.details?.[0]?.path]).toEqual([422, "stream"]);
  });
});

describe("a held row, set aside by a person (row 55)", () => {
  const decide = (connected: Connected, body: object) =>
    api.call(setAside, `${connected.path}/held/set-aside`, { ...connected, body });
  const listed = async (connected: Connected) => (await api.call(held, `${connected.path}/held`, connected)).body.items;
  const nameless = (name: string) => ({ key: "unnamed:1", payload: userText("1", { id: null, name }) });

  test("is listed with who did it and when, and its stream is degraded no more", async () => {
    const connected = await degraded("aside", []);
    await hold(connected, [nameless("One"), { key: "960", payload: userText("960", { id: "960" }) }]);
    const answer = await decide(connected, { stream: "users", key: "unnamed:1" });
    expect(answer.status).toBe(200);
    expect(answer.body).toMatchObject({
      key: "unnamed:1",
      setAside: { by: expect.any(String), at: expect.any(String) },
    });
    expect(await users(connected)).toMatchObject({
      state: "degraded",
      held: 1,
      failure: { since: heldAt.toISOString() },
    });
    await decide(connected, { stream: "users", key: "960" });
    expect(await users(connected)).toMatchObject({ state: "ok", held: 0, failure: null });
    expect((await listed(connected)).map(({ key, setAside }) => [key, setAside !== null])).toEqual([
      ["960", true],
      ["unnamed:1", true],
    ]);
    // The word that was given first stands.
    const again = (await decide(connected, { stream: "users", key: "unnamed:1" })).body;
    expect(again.setAside).toEqual(answer.body.setAside);
  });

  test("is tried again only by name, and stays set aside if it is wrong still", async () => {
    const connected = await degraded("aside-tried", []);
    await hold(connected, [nameless("One"), { key: "961", payload: userText("961") }]);
    for (const key of ["unnamed:1", "961"]) await decide(connected, { stream: "users", key });
    expect(await tryAgain(connected)).toEqual({ released: 0, held: 0 });
    expect(await tryAgain(connected, { stream: "users", key: "unnamed:1" })).toEqual({ released: 0, held: 1 });
    expect(await users(connected)).toMatchObject({ state: "ok", held: 0 });
    expect(await tryAgain(connected, { stream: "users", key: "961" })).toEqual({ released: 1, held: 0 });
    expect(await names(connected, ["961"])).toEqual(["User 961"]);
    expect(await keys(connected)).toEqual(["unnamed:1"]);
  });

  test("is held again when it comes with other bytes, and not when it comes as it was", async () => {
    const connected = await degraded("aside-again", []);
    await hold(connected, [nameless("One")]);
    await decide(connected, { stream: "users", key: "unnamed:1" });
    await hold(connected, [nameless("One")]);
    expect(await listed(connected)).toMatchObject([{ setAside: { by: expect.any(String) } }]);
    await hold(connected, [nameless("Two")]);
    expect(await listed(connected)).toMatchObject([{ setAside: null }]);
  });

  test("is held again when a person takes the word back", async () => {
    const connected = await degraded("aside-back", []);
    await hold(connected, [nameless("One")]);
    await decide(connected, { stream: "users", key: "unnamed:1" });
    const back = await decide(connected, { stream: "users", key: "unnamed:1", setAside: false });
    expect(back.body).toMatchObject({ setAside: null });
    expect(await users(connected)).toMatchObject({ state: "degraded", held: 1, failure: { code: "held_rows" } });
  });

  test("is for administrators of that workspace, and must be held", async () => {
    const connected = await degraded("aside-guarded", []);
    await hold(connected, [nameless("One")]);
    const body = { stream: "users", key: "unnamed:1" };
    const as = (key: string) => api.call(setAside, `${connected.path}/held/set-aside`, { key, body });
    expect((await as(await api.key(connected.workspace, "csm"))).status).toBe(403);
    expect((await as(await api.key(await database.workspace()))).status).toBe(404);
    expect((await decide(connected, { stream: "users", key: "970" })).error?.message).toContain("held row");
    expect((await decide(connected, { stream: "users" })).status).toBe(422);
    expect(await listed(connected)).toMatchObject([{ setAside: null }]);
  });
});

describe("a held row of a megabyte and a half", () => {
  test("is listed with its beginning and its length, and comes whole when it is asked for", async () => {
    const connected = await degraded("long", []);
    const payload = userText("1", { id: "no id", name: "n".repeat(1_500_000) });
    await hold(connected, [
      { key: "unnamed:1", payload },
      { key: "980", payload: userText("980") },
    ]);
    const { items } = (await api.call(held, `${connected.path}/held`, connected)).body;
    expect(items.map(({ payload, length, isCut }) => [payload.length, length, isCut])).toEqual([
      [userText("980").length, userText("980").length, false],
      [100_000, payload.length, true],
    ]);
    expect(payload.startsWith(items[1]?.payload as string)).toBe(true);
    const named = `${connected.path}/held?stream=users&key=${encodeURIComponent("unnamed:1")}`;
    const [whole, ...others] = (await api.call(held, named, connected)).body.items;
    expect([whole?.payload === payload, whole?.isCut, others]).toEqual([true, false, []]);
    expect((await api.call(held, `${connected.path}/held?stream=users&key=7`, connected)).body.items).toEqual([]);
  });
});
