import { expect, test } from "vitest";
import { POST as create } from "#app/api/v1/connections/route.ts";
import { byClient, connectionsPath, useGround } from "#test/connections/ground.ts";
import * as fault from "#test/support/zendesk/fault-kinds.ts";

const ground = useGround();
const { api } = ground;

interface Line {
  msg: string;
  runId?: string;
  requestId?: string;
  err?: { zendeskRequestId?: string; status?: number };
}

test("a failed exchange stands in the log under its run with Zendesk's own number, and a run carries nobody's request id", async () => {
  ground.zendesk.faults.add({ subdomain: "numbers", path: "/api/v2/incremental/users" }, fault.forbidden("titled"));
  const connected = await ground.connect("numbers");
  const { id } = await ground.settled(connected);
  const lines: Line[] = api.logged.map((line) => JSON.parse(line));
  const [failed] = lines.filter(({ msg }) => msg === "a stream failed");
  expect(failed).toMatchObject({
    runId: id,
    err: { status: 403, zendeskRequestId: expect.stringMatching(/^[\w-]{8,}$/) },
  });
  const ofRun = lines.filter(({ runId }) => runId === id);
  expect(ofRun.map(({ msg }) => msg)).toEqual(expect.arrayContaining(["a run goes on", "a run stopped"]));
  // The request that connected the account set the run off and was answered long ago.
  expect(lines.some(({ requestId }) => requestId !== undefined)).toBe(true);
  expect(ofRun.filter(({ requestId }) => requestId !== undefined)).toEqual([]);
});

test("what a caller sends as a secret is in no line, whichever way the call ends", async () => {
  const world = ground.account("secretive");
  const workspace = await ground.database.workspace();
  const key = await api.key(workspace);
  const canary = "canary-client-secret-0123456789";
  for (const auth of [
    { ...byClient(world), clientSecret: canary },
    { ...byClient(world), clientSecret: canary, extra: canary },
  ]) {
    const body = { kind: "zendesk", subdomain: "secretive", access: "read", auth };
    expect((await api.call(create, `${connectionsPath}?note=${canary}`, { key, body })).status).toBe(422);
  }
  expect(api.logged.length).toBeGreaterThan(1);
  const all = api.logged.join("");
  expect(all).not.toContain(canary);
  expect(all).not.toContain(key);
});
