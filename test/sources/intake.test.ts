import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import pg from "pg";
import { expect, test } from "vitest";
import { Intake } from "#lib/sources/intake.ts";
import { judge } from "#lib/sources/judge.ts";
import type { NewEvent } from "#lib/sources/store/events.ts";
import { useDoors } from "./ground.ts";

const doors = useDoors();
const { database } = doors;
const now = new Date("2026-11-22T10:00:00.000Z");
const later = (days: number, milliseconds = 0) => new Date(now.getTime() + days * 86_400_000 + milliseconds);
const track = (messageId: string | undefined, event = "Paid") => ({ type: "track", userId: "u1", event, messageId });

/** An event as a door hands it to the intake. */
function arrived(sourceId: string, messageId: string | undefined, receivedAt = now, event = "Paid"): NewEvent {
  const around = { type: null, inherited: {}, sentAt: null, receivedAt, newId: randomUUID };
  return { ...judge(track(messageId, event), around).event, sourceId: Number(sourceId) };
}

const names = async (workspace: number) => (await doors.stored(workspace)).map(({ name }) => name);

test("a message id is taken once a source: in one batch, in calls at once, and from other processes", async () => {
  const { workspace, sourceId, writeKey } = await doors.source();
  const other = await doors.source(workspace);
  const answer = await doors.send("batch", writeKey, {
    batch: [track("m1", "first"), track("m1", "second"), track("m2")],
  });
  expect(answer.body).toEqual({ success: true });
  expect(await names(workspace)).toEqual(["first", "Paid"]);

  // Each intake stands for a process.
  const processes = Array.from({ length: 4 }, () => new Intake(doors.api.context));
  const ids = Array.from({ length: 50 }, (_, n) => `c${n}`);
  const calls = processes.flatMap((intake, index) =>
    Array.from({ length: 5 }, () => {
      // Each in an order of its own, so that they would wait for each other crosswise.
      const order = index % 2 === 0 ? ids : ids.toReversed();
      return intake.take(
        workspace,
        order.map((id) => arrived(sourceId, id)),
      );
    }),
  );
  await Promise.all(calls);
  const stored = (await doors.stored(workspace)).filter(({ message_id }) => message_id.startsWith("c"));
  expect(stored.map(({ message_id }) => message_id).toSorted()).toEqual(ids.toSorted());

  expect((await doors.send("track", other.writeKey, track("m1", "another source"))).status).toBe(200);
  expect(await names(workspace)).toContain("another source");
});

test("a message id is refused for seven days and taken again after them", async () => {
  const { workspace, sourceId } = await doors.source();
  const intake = new Intake(doors.api.context);
  await intake.take(workspace, [arrived(sourceId, "m1", now, "first")]);
  await intake.take(workspace, [arrived(sourceId, "m1", later(7, -1), "too early")]);
  await intake.take(workspace, [arrived(sourceId, "m1", later(7), "again")]);
  await intake.take(workspace, [arrived(sourceId, "m1", later(8), "once more")]);
  expect(await names(workspace)).toEqual(["first", "again"]);
});

test("events without a message id are given one, and none of them is taken for another", async () => {
  const { workspace, writeKey } = await doors.source();
  await doors.send("batch", writeKey, { batch: Array(5).fill(track(undefined)) });
  await doors.send("track", writeKey, track(""));
  const ids = (await doors.stored(workspace)).map(({ message_id }) => message_id);
  expect(new Set(ids).size).toBe(6);
});

test("of many calls at once each is stored once, in the order of its batch, and answered", async () => {
  const { workspace, writeKey } = await doors.source();
  const calls = Array.from({ length: 40 }, (_, call) =>
    doors.send("batch", writeKey, {
      batch: Array.from({ length: 25 }, (_, n) =>
        track(`${call}-${n}`, `${String(call).padStart(2, "0")} ${String(n).padStart(2, "0")}`),
      ),
    }),
  );
  const statuses = (await Promise.all(calls)).map(({ status }) => status);
  expect(statuses).toEqual(Array(40).fill(200));
  const stored = await names(workspace);
  expect(stored).toHaveLength(1000);
  for (let call = 0; call < 40; call++) {
    const own = stored.filter((name) => name?.startsWith(`${String(call).padStart(2, "0")} `));
    expect(own).toEqual(own.toSorted());
    expect(own).toHaveLength(25);
  }
});

test("calls that come while others are committed go together: a hundred take a few transactions", async () => {
  const { workspace, sourceId } = await doors.source();
  const before = await transactions(workspace);
  const intake = new Intake(doors.api.context);
  await Promise.all(Array.from({ length: 100 }, (_, n) => intake.take(workspace, [arrived(sourceId, `m${n}`)])));
  expect(await doors.stored(workspace)).toHaveLength(100);
  expect((await transactions(workspace)).size - before.size).toBeLessThan(10);
});

/** The transactions that took message ids of a workspace; events are touched again when they are routed. */
async function transactions(workspace: number): Promise<Set<string>> {
  const { rows } = await database.inWorkspace(workspace, (trx) =>
    sql<{
      xid: string;
    }>`select distinct xmin::text as xid from event_message where workspace_id = ${workspace}`.execute(trx),
  );
  return new Set(rows.map(({ xid }) => xid));
}

test("an event that the database refuses costs the calls beside it nothing", async () => {
  const { workspace, sourceId } = await doors.source();
  const intake = new Intake(doors.api.context);
  const poisoned = { ...arrived(sourceId, "bad"), userId: "\u0000" };
  const outcomes = await Promise.allSettled([
    intake.take(workspace, [arrived(sourceId, "m1")]),
    intake.take(workspace, [arrived(sourceId, "m2"), poisoned]),
    intake.take(workspace, [arrived(sourceId, "m3")]),
  ]);
  expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  expect((await doors.stored(workspace)).map(({ message_id }) => message_id)).toEqual(["m1", "m3"]);
});

test("nothing is acknowledged that was not committed: cut off while they wait, calls are 503, and come again", async () => {
  const { workspace, writeKey } = await doors.source();
  expect((await doors.send("track", writeKey, track("m0"))).status).toBe(200);
  const owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
  const send = () =>
    Promise.all(Array.from({ length: 5 }, (_, n) => doors.send("track", writeKey, track(`m${n + 1}`))));
  try {
    await owner.query("begin; lock table event in access exclusive mode");
    const sent = send();
    // Databases of one template share the numbers of their tables.
    const waits = `select pid from pg_locks where not granted and relation = 'event'::regclass
      and database = (select oid from pg_database where datname = current_database())`;
    let answered = false;
    void sent.then(() => {
      answered = true;
    });
    while (!answered) {
      await owner.query(`select pg_terminate_backend(pid) from (${waits}) waiting`);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    expect((await sent).map(({ status, headers }) => [status, headers.get("retry-after")])).toEqual(
      Array(5).fill([503, "5"]),
    );
  } finally {
    await owner.query("rollback");
    await owner.end();
  }
  expect((await doors.stored(workspace)).map(({ message_id }) => message_id)).toEqual(["m0"]);
  expect((await send()).map(({ status }) => status)).toEqual(Array(5).fill(200));
  expect(await doors.stored(workspace)).toHaveLength(6);
});
