import { type ChildProcess, fork } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";
import { testEnvironment } from "#test/support/api.ts";
import { basic, type Sending, useDoors } from "./ground.ts";

const doors = useDoors();

test("whatever a killed process had acknowledged is there, and what it had not is there once when it came again", async () => {
  const sending = await doors.source();
  const batches = Array.from({ length: 60 }, (_, batch) => Array.from({ length: 20 }, (_, n) => `${batch}-${n}`));
  const acknowledged = new Set<number>();
  for (let deaths = 0; acknowledged.size < batches.length; deaths++) {
    const door = await startDoor(sending);
    const before = acknowledged.size;
    const left = [...batches.entries()].filter(([batch]) => !acknowledged.has(batch));
    const calls = left.map(async ([batch, ids]) => {
      if (!(await isTaken(door.origin, sending, ids))) return;
      acknowledged.add(batch);
      // With calls under way, some of them committed and not answered yet.
      if (deaths < 3 && acknowledged.size === before + 5) door.process.kill("SIGKILL");
    });
    await Promise.all(calls);
    door.process.kill("SIGKILL");
    const stored = new Set((await doors.stored(sending.workspace)).map(({ message_id }) => message_id));
    const lost = [...acknowledged].flatMap((batch) => batches[batch] ?? []).filter((id) => !stored.has(id));
    expect([deaths, lost]).toEqual([deaths, []]);
  }
  const stored = (await doors.stored(sending.workspace)).map(({ message_id }) => message_id);
  expect(stored.toSorted()).toEqual(batches.flat().toSorted());
});

async function isTaken(origin: string, { writeKey }: Sending, ids: string[]): Promise<boolean> {
  const batch = ids.map((messageId) => ({ type: "track", userId: "u1", event: "Paid", messageId }));
  const init = { method: "POST", headers: basic(writeKey), body: JSON.stringify({ batch }) };
  return fetch(`${origin}/v1/batch`, init).then(
    ({ status }) => status === 200,
    () => false,
  );
}

async function startDoor(sending: Sending): Promise<{ origin: string; process: ChildProcess }> {
  const file = path.resolve(import.meta.dirname, "../support/door-server.ts");
  const door = fork(file, ["product", String(sending.workspace), sending.sourceId], {
    execArgv: ["--import", "tsx"],
    env: { ...process.env, ...testEnvironment, DATABASE_URL: doors.database.url, LOG_LEVEL: "error" },
  });
  const port = await new Promise((resolve, reject) => {
    door.once("message", resolve).once("exit", () => reject(new Error("The door ended.")));
  });
  return { origin: `http://127.0.0.1:${port}`, process: door };
}
