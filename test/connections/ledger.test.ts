import { describe, expect, test } from "vitest";
import { POST as approve } from "#app/api/v1/connections/[id]/absences/approve/route.ts";
import { GET as absences } from "#app/api/v1/connections/[id]/absences/route.ts";
import { GET as days } from "#app/api/v1/connections/[id]/drift/[runId]/days/route.ts";
import { GET as rows } from "#app/api/v1/connections/[id]/drift/[runId]/rows/route.ts";
import { GET as drift } from "#app/api/v1/connections/[id]/drift/route.ts";
import { GET as getOne } from "#app/api/v1/connections/[id]/route.ts";
import { POST as sync } from "#app/api/v1/connections/[id]/sync/route.ts";
import { type Connected, useGround } from "#test/connections/ground.ts";

const ground = useGround();
const { api, database, connect, settled } = ground;

const connection = async (connected: Connected) => (await api.call(getOne, connected.path, connected)).body;
const tickets = async (connected: Connected) =>
  (await connection(connected)).streams.find(({ name }) => name === "tickets");

async function night(connected: Connected) {
  connected.world.advance(3_600_000);
  await api.call(sync, `${connected.path}/sync`, { ...connected, body: { mode: "reconcile" } });
  return settled(connected);
}

describe("the ledger", () => {
  test("proves what a connection says of its last check, by stream, day and row", async () => {
    const connected = await connect("proved");
    await settled(connected);
    const { id } = [...connected.world.tickets.byId.values()][2] as { id: string };
    await database.inWorkspace(connected.workspace, (trx) => trx.deleteFrom("ticket").where("id", "=", id).execute());
    const run = await night(connected);
    expect(run).toMatchObject({ mode: "reconcile", state: "succeeded" });
    const { verified } = await connection(connected);
    expect(verified).toMatchObject({ tickets: 10, repaired: 1 });
    const { items } = (await api.call(drift, `${connected.path}/drift`, connected)).body;
    expect(items).toMatchObject([{ runId: run.id, state: "succeeded", startedAt: run.startedAt }]);
    const none = { missing: 0, extra: 0, older: 0, different: 0, repaired: 0 };
    expect(items[0]?.streams.find(({ stream }) => stream === "tickets")).toEqual({
      ...none,
      stream: "tickets",
      compared: verified?.tickets,
      missing: 1,
      repaired: 1,
      unusual: false,
      columns: [],
    });
    expect(items[0]?.streams.reduce((sum, { repaired }) => sum + repaired, 0)).toBe(verified?.repaired);
    const at = `${connected.path}/drift/${run.id}`;
    const differing = (await api.call(days, `${at}/days`, connected)).body.items;
    expect(differing).toEqual([
      { ...none, stream: "tickets", day: "2026-02-03", compared: 1, missing: 1, repaired: 1 },
    ]);
    const first = (await api.call(days, `${at}/days?all=1&stream=tickets&limit=4`, connected)).body;
    expect(first.items.map(({ day }) => day)).toEqual(["2026-02-10", "2026-02-09", "2026-02-08", "2026-02-07"]);
    const cursor = encodeURIComponent(first.nextCursor ?? "");
    const second = await api.call(days, `${at}/days?all=1&stream=tickets&limit=4&cursor=${cursor}`, connected);
    expect(second.body.items.map(({ day }) => day)[0]).toBe("2026-02-06");
    const named = (await api.call(rows, `${at}/rows?day=2026-02-03`, connected)).body.items;
    expect(named).toMatchObject([
      {
        stream: "tickets",
        key: id,
        day: "2026-02-03",
        difference: "missing",
        repaired: true,
        url: `${ground.zendesk.origin}/proved/agent/tickets/${id}`,
      },
    ]);
    expect((await fetch(named[0]?.url ?? "")).status).toBe(200);
    expect((await api.call(rows, `${at}/rows?stream=users`, connected)).body.items).toEqual([]);
  });

  test("says that an unusual share of a stream's rows differed, and names the columns in which they did", async () => {
    const connected = await connect("touched", {
      before: (world) => {
        for (let n = 0; n < 20; n++) world.tickets.create({ subject: `More ${n}` });
        world.advance(86_400_000);
      },
    });
    await settled(connected);
    const touch = (rows: number, change: { subject?: string; priority?: string; content_hash?: string }) =>
      database.inWorkspace(connected.workspace, (trx) =>
        trx
          .updateTable("ticket")
          .set(change)
          .where("id", "in", [...connected.world.tickets.byId.keys()].slice(0, rows))
          .execute(),
      );
    const found = async () => {
      await night(connected);
      const { items } = (await api.call(drift, `${connected.path}/drift?limit=1`, connected)).body;
      return items[0]?.streams.find(({ stream }) => stream === "tickets");
    };
    await touch(19, { subject: "By hand" });
    expect(await found()).toMatchObject({ different: 19, unusual: false, columns: [{ name: "subject", rows: 19 }] });
    await touch(25, { subject: "By hand" });
    await touch(3, { priority: "low" });
    await touch(1, { content_hash: "1" });
    expect(await found()).toMatchObject({
      different: 25,
      repaired: 25,
      unusual: true,
      columns: [
        { name: "subject", rows: 25 },
        { name: "priority", rows: 3 },
      ],
    });
    await database.inWorkspace(connected.workspace, (trx) =>
      trx.updateTable("ticket").set({ content_hash: "1" }).execute(),
    );
    expect(await found()).toMatchObject({ compared: 30, unusual: true, columns: [{ name: "content_hash", rows: 30 }] });
  });

  test("of a run that is no check, or of nobody's connection, is not found", async () => {
    const connected = await connect("unproved");
    const run = await settled(connected);
    for (const path of [`${connected.path}/drift/${run.id}/days`, `${connected.path}/drift/999999/days`]) {
      expect((await api.call(days, path, connected)).status).toBe(404);
    }
    expect((await api.call(drift, "/api/v1/connections/999999/drift", connected)).status).toBe(404);
    expect((await api.call(absences, "/api/v1/connections/999999/absences", connected)).status).toBe(404);
    const bad = await api.call(drift, `${connected.path}/drift?cursor=x`, connected);
    expect(bad.status).toBe(422);
  });
});

describe("too many absent rows", () => {
  test("wait for an administrator, who lets them go; then they are gone, the stream is well again, and no check was unusual for it", async () => {
    const connected = await connect("emptied", {
      before: (world) => {
        for (let n = 0; n < 20; n++) world.tickets.create({ subject: `More ${n}` });
        world.advance(86_400_000);
      },
    });
    await settled(connected);
    const ids = [...connected.world.tickets.byId.keys()].slice(0, 22);
    for (const id of ids) connected.world.tickets.vanish(id);
    expect((await night(connected)).state).toBe("succeeded");
    expect(await tickets(connected)).toMatchObject({ state: "degraded", failure: { code: "many_missing" } });
    expect((await connection(connected)).absences).toEqual([{ stream: "tickets", rows: 22, held: 22 }]);
    const listed = (await api.call(absences, `${connected.path}/absences?stream=tickets&limit=5`, connected)).body;
    expect(listed.items).toHaveLength(5);
    expect(listed.items[0]).toMatchObject({
      id: ids[0],
      name: "Question 0",
      held: true,
      notFoundAt: null,
      url: `${ground.zendesk.origin}/emptied/agent/tickets/${ids[0]}`,
    });
    const rest = await api.call(
      absences,
      `${connected.path}/absences?limit=50&cursor=${encodeURIComponent(listed.nextCursor ?? "")}`,
      connected,
    );
    expect(rest.body.items).toHaveLength(17);
    const body = { stream: "tickets", ceiling: 22 };
    const viewer = await api.key(connected.workspace, "csm");
    expect((await api.call(approve, `${connected.path}/absences/approve`, { key: viewer, body })).status).toBe(403);
    const answer = await api.call(approve, `${connected.path}/absences/approve`, { ...connected, body });
    expect(answer.status).toBe(202);
    connected.world.advance(3_600_000);
    const run = await settled(connected);
    expect(run).toMatchObject({ id: answer.body.runId, mode: "reconcile", state: "succeeded" });
    expect(await tickets(connected)).toMatchObject({ state: "ok", failure: null });
    expect((await connection(connected)).absences).toEqual([]);
    const left = await database.inWorkspace(connected.workspace, (trx) =>
      trx.selectFrom("ticket").select("id").where("deleted_at", "is", null).execute(),
    );
    expect(left).toHaveLength(8);
    const { items } = (await api.call(drift, `${connected.path}/drift?limit=2`, connected)).body;
    const found = items.map(({ streams }) => streams.find(({ stream }) => stream === "tickets"));
    expect(found).toMatchObject([
      { missing: 0, extra: 22, older: 0, different: 0, repaired: 22, unusual: false },
      { missing: 0, extra: 22, older: 0, different: 0, repaired: 0, unusual: false },
    ]);
    const again = await api.call(approve, `${connected.path}/absences/approve`, { ...connected, body });
    expect(again.status).toBe(409);
  });
});
