import http from "node:http";
import net, { type AddressInfo } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { answerAtDoor } from "#app/v1/in-front.ts";
import { basic, useDoors } from "./ground.ts";

const doors = useDoors();
const home = globalThis as typeof globalThis & { bellwetherFront?: typeof answerAtDoor };
const event = { userId: "u1", event: "Paid" };
const createServer = http.createServer;
let server: http.Server;
let origin: string;

/** As the server process is: preloaded first, then the framework makes its server, then it says who stands in front. */
beforeAll(async () => {
  await import("#lib/launch/doors-in-front.mjs");
  server = http.createServer((_, response) => response.writeHead(418).end("the framework"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => {
  http.createServer = createServer;
  delete home.bellwetherFront;
  server.closeAllConnections();
  server.close();
});

const statusOf = async (method: string, path: string) =>
  (await fetch(`${origin}${path}`, { method, ...(method === "POST" && { body: "{}" }) })).status;

test("until somebody stands in front, and for all that is no door, the framework answers", async () => {
  expect(await statusOf("POST", "/v1/track")).toBe(418);
  home.bellwetherFront = answerAtDoor;
  expect(await statusOf("POST", "/v1/track")).toBe(401);
  expect(await statusOf("POST", "/v1/track?beacon=1")).toBe(401);
  expect(await statusOf("OPTIONS", "/v1/batch")).toBe(204);
  const others = ["/", "/v1", "/v1/", "/v1/track/", "/v1/track/x", "/api/v1/track", "/v1/%74rack", "//v1/track"];
  for (const path of others) expect([path, await statusOf("POST", path)]).toEqual([path, 418]);
  for (const method of ["GET", "PUT", "DELETE"]) expect(await statusOf(method, "/v1/track")).toBe(418);
});

test("an answer carries the request's id, is kept by nobody, and the connection goes on", async () => {
  home.bellwetherFront = answerAtDoor;
  const { writeKey } = await doors.source();
  const headers = { ...basic(writeKey), "x-request-id": "request-0001" };
  const answer = await fetch(`${origin}/v1/track`, { method: "POST", headers, body: JSON.stringify(event) });
  expect([answer.status, await answer.text()]).toEqual([200, '{"success":true}']);
  expect(Object.fromEntries(answer.headers)).toMatchObject({
    "x-request-id": "request-0001",
    "cache-control": "private, no-store",
    "content-type": "application/json",
    "x-content-type-options": "nosniff",
    connection: "keep-alive",
  });
});

test("what is refused stands in the log, what was taken does not, and no key does", async () => {
  const { writeKey } = await doors.source();
  doors.api.logged.length = 0;
  await doors.send("track", writeKey, event);
  await doors.send("track", writeKey, { userId: "u1" });
  await doors.send("track", "bwk_unknown", event);
  const lines = doors.api.logged.map((line) => JSON.parse(line)).filter(({ operation }) => operation === "event door");
  expect(lines.map(({ level, status, path, actor }) => [level, status, path, actor?.type])).toEqual([
    ["info", 400, "/v1/track", "source"],
    ["info", 401, "/v1/track", undefined],
  ]);
  expect(doors.api.logged.join("")).not.toContain(writeKey);
});

test("whoever breaks off in the middle of a body leaves nothing behind", async () => {
  home.bellwetherFront = answerAtDoor;
  const { workspace, writeKey } = await doors.source();
  const { port } = server.address() as AddressInfo;
  for (const length of ["content-length: 200", "transfer-encoding: chunked"]) {
    const socket = net.connect(port, "127.0.0.1");
    await new Promise<void>((resolve) => socket.once("connect", resolve));
    const authorization = `authorization: ${basic(writeKey).authorization}`;
    const part = length.includes("chunked") ? '10\r\n{"userId":"u1","\r\n' : '{"userId":"u1","';
    socket.write(`POST /v1/track HTTP/1.1\r\nhost: x\r\n${authorization}\r\n${length}\r\n\r\n${part}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
    socket.destroy();
  }
  const headers = basic(writeKey);
  expect((await fetch(`${origin}/v1/track`, { method: "POST", headers, body: JSON.stringify(event) })).status).toBe(
    200,
  );
  expect(await doors.stored(workspace)).toHaveLength(1);
});

/** A call of which `sent` bytes of the body come, and no more until the test says so. */
async function callOf(headers: string[], sent: string): Promise<{ socket: net.Socket; answered: Promise<string> }> {
  const socket = net.connect((server.address() as AddressInfo).port, "127.0.0.1");
  socket.on("error", () => {});
  await new Promise<void>((resolve) => socket.once("connect", resolve));
  const answered = new Promise<string>((resolve) => {
    let text = "";
    socket.on("data", (bytes) => {
      text += bytes;
      if (text.includes("\r\n\r\n")) resolve(text);
    });
    socket.once("close", () => resolve(text));
  });
  socket.write(`${["POST /v1/batch HTTP/1.1", "host: x", ...headers].join("\r\n")}\r\n\r\n${sent}`);
  return { socket, answered };
}

test.each(["content-length: 400000", "transfer-encoding: chunked"])(
  "a key that does not work is told so before the body is there, and the connection is closed: %s",
  async (length) => {
    home.bellwetherFront = answerAtDoor;
    for (const shown of [basic("bwk_unknown").authorization, "Digest x", "Bearer"]) {
      const { socket, answered } = await callOf([`authorization: ${shown}`, length], "");
      const text = await answered;
      expect(text).toMatch(/^HTTP\/1\.1 401 /);
      expect(text).toMatch(/connection: close/i);
      expect(text).toContain('"unauthenticated"');
      socket.destroy();
    }
  },
);

test("who sends all of it before it looks sees the answer, not a broken connection", async () => {
  home.bellwetherFront = answerAtDoor;
  const body = JSON.stringify({ batch: [], padding: "x".repeat(450_000) });
  for (let n = 0; n < 5; n++) {
    const headers = [`authorization: ${basic("bwk_unknown").authorization}`, `content-length: ${body.length}`];
    const { socket, answered } = await callOf(headers, body);
    expect(await answered).toMatch(/^HTTP\/1\.1 401 /);
    socket.destroy();
  }
});

test("bodies of strangers are held up to a bound, and take no room of those who show their key", async () => {
  home.bellwetherFront = answerAtDoor;
  const { workspace, writeKey } = await doors.source();
  const part = "x".repeat(500_000);
  const calls = await Promise.all(Array.from({ length: 40 }, () => callOf(["content-length: 510000"], part)));
  const refused = await Promise.race(calls.map(({ answered }) => answered));
  expect(refused).toMatch(/^HTTP\/1\.1 503 /);
  expect(refused).toMatch(/retry-after: 5/i);
  const known = await fetch(`${origin}/v1/track`, {
    method: "POST",
    headers: basic(writeKey),
    body: JSON.stringify(event),
  });
  expect(known.status).toBe(200);
  for (const { socket } of calls) socket.destroy();
  const fromPage = { method: "POST", body: JSON.stringify({ ...event, writeKey, padding: "y".repeat(30_000) }) };
  await expect.poll(async () => (await fetch(`${origin}/v1/track`, fromPage)).status).toBe(200);
  expect(await doors.stored(workspace)).toHaveLength(2);
});
