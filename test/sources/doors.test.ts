import http from "node:http";
import { gzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { basic, useDoors } from "./ground.ts";

const doors = useDoors();
const at = "2026-11-20T10:00:00.000Z";

test.each([
  ["identify", { userId: "u1", traits: { email: "ann@example.com" } }, { user_id: "u1", email: "ann@example.com" }],
  [
    "track",
    { userId: "u1", event: "Paid", properties: { email: "p@example.com" } },
    { name: "Paid", email: "p@example.com" },
  ],
  ["group", { userId: "u1", groupId: "g1", traits: { email: "office@example.com" } }, { group_id: "g1" }],
  ["page", { anonymousId: "a1", name: "Home" }, { name: "Home", anonymous_id: "a1" }],
  ["screen", { anonymousId: "a1", name: "Main" }, { name: "Main" }],
  ["alias", { userId: "u1", previousId: "a1" }, { user_id: "u1" }],
])("%s is stored before it is answered, and the answer is success", async (door, body, columns) => {
  const { workspace, sourceId, writeKey } = await doors.source();
  const answer = await doors.send(door, writeKey, { ...body, messageId: "m1", timestamp: at });
  expect([answer.status, answer.body]).toEqual([200, { success: true }]);
  const [event, ...others] = await doors.stored(workspace);
  expect(others).toEqual([]);
  expect(event).toMatchObject({
    ...columns,
    message_id: "m1",
    type: door,
    source_id: Number(sourceId),
    occurred_at: new Date(at),
    rejection: null,
  });
  expect(JSON.parse(event?.payload ?? "")).toEqual({ ...body, messageId: "m1", timestamp: at, type: door });
});

test("the key is taken as Bearer, as the user name of Basic, or from the body where a browser sends no header", async () => {
  const { workspace, writeKey } = await doors.source();
  const event = { userId: "u1", event: "Paid" };
  const sent = [
    await doors.send("track", null, event, { authorization: `Bearer ${writeKey}` }),
    await doors.send("track", null, event, {
      authorization: `basic ${Buffer.from(`${writeKey}:anything`).toString("base64")}`,
    }),
    await doors.send("t", null, JSON.stringify({ ...event, writeKey }), { "content-type": "text/plain" }),
    await doors.send("b", null, JSON.stringify({ batch: [{ ...event, type: "track" }], writeKey }), {
      "content-type": "text/plain",
    }),
  ];
  expect(sent.map(({ status }) => status)).toEqual([200, 200, 200, 200]);
  const stored = await doors.stored(workspace);
  expect(stored).toHaveLength(4);
  expect(JSON.stringify(stored)).not.toContain(writeKey);
});

test("a key that is unknown, absent, replaced or of a removed source is answered alike", async () => {
  const { workspace } = await doors.source();
  const event = { userId: "u1", event: "Paid" };
  const answers = [
    await doors.send("track", null, event),
    await doors.send("track", "", event),
    await doors.send("track", "bwk_0000000000000000000000000000000", event),
    await doors.send("track", null, { ...event, writeKey: "bwk_0000000000000000000000000000000" }),
    await doors.send("track", null, event, { authorization: "Digest x" }),
    await doors.send("track", null, event, { authorization: "Basic !!!" }),
    await doors.send("batch", "bwk_%00", "{no json"),
  ];
  for (const { status, body } of answers) expect([status, body]).toEqual([401, answers[0]?.body]);
  expect(answers[0]?.body).toMatchObject({ error: { code: "unauthenticated" } });
  expect(await doors.stored(workspace)).toEqual([]);
});

test("a batch is judged event by event: what is refused is stored with its reason, the rest goes on", async () => {
  const { workspace, writeKey } = await doors.source();
  const good = { type: "track", userId: "u1", event: "Paid" };
  const batch = [
    { ...good, messageId: "m0" },
    { type: "track", userId: "u1", messageId: "m1" },
    { type: "identify", traits: { name: "Ann" } },
    { type: "trak", userId: "u1" },
    "track",
    { ...good, traits: ["a"] },
    { ...good, userId: { id: 1 } },
    { ...good, userId: 2 ** 60 },
    { ...good, timestamp: "yesterday" },
    { type: "group", userId: "u1" },
    { type: "alias", userId: "u1" },
    { ...good, messageId: "x".repeat(600) },
    { ...good, properties: { long: "x".repeat(33 * 1024) } },
    { ...good, userId: 77, messageId: "m13" },
  ];
  const { status, body } = await doors.send("batch", writeKey, { batch, sentAt: new Date().toISOString() });
  expect(status).toBe(200);
  expect(body).toEqual({
    success: true,
    rejected: [
      { index: 1, messageId: "m1", message: "event is missing: a track call names what happened." },
      {
        index: 2,
        messageId: null,
        message: "userId is missing: send a userId, an anonymousId, or an e-mail in the traits.",
      },
      {
        index: 3,
        messageId: null,
        message: "type must be one of identify, track, group, page, screen, alias, and is “trak”.",
      },
      { index: 4, messageId: null, message: "An event must be an object, and this is “track”." },
      { index: 5, messageId: null, message: "traits must be an object, and is a list." },
      { index: 6, messageId: null, message: "userId must be text, and is an object." },
      { index: 7, messageId: null, message: "userId is a number that cannot be kept exactly: send it as text." },
      { index: 8, messageId: null, message: expect.stringContaining("timestamp must be an instant such as 2") },
      { index: 9, messageId: null, message: "groupId is missing: a group call names its group." },
      { index: 10, messageId: null, message: "previousId is missing: an alias names the id before." },
      { index: 11, messageId: "x".repeat(512), message: "messageId is longer than 512 characters." },
      { index: 12, messageId: null, message: "The event is larger than 32 KB, the most that is taken." },
    ],
  });
  const stored = await doors.stored(workspace);
  expect(stored).toHaveLength(batch.length);
  expect(
    stored.filter(({ rejection }) => rejection === null).map((event) => [event.message_id, event.user_id]),
  ).toEqual([
    ["m0", "u1"],
    ["m13", "77"],
  ]);
  for (const { payload } of stored) expect(() => JSON.parse(payload)).not.toThrow();
});

test("one event that is refused is answered 400 with the place, and is stored with its reason", async () => {
  const { workspace, writeKey } = await doors.source();
  const answer = await doors.send("track", writeKey, { userId: "u1", messageId: "m1" });
  expect([answer.status, answer.body]).toEqual([
    400,
    {
      error: {
        code: "invalid",
        message: "event is missing: a track call names what happened.",
        details: [{ path: "event", message: "is missing: a track call names what happened" }],
      },
    },
  ]);
  // Put right, it may come under the same id: it was never accepted.
  expect((await doors.send("track", writeKey, { userId: "u1", messageId: "m1", event: "Paid" })).status).toBe(200);
  const large = await doors.send("track", writeKey, {
    userId: "u1",
    event: "Paid",
    properties: { x: "y".repeat(40_000) },
  });
  expect([large.status, large.body.error.code]).toEqual([413, "too_large"]);
  expect((await doors.stored(workspace)).map(({ rejection }) => rejection)).toEqual([
    "event is missing: a track call names what happened",
    null,
    "The event is larger than 32 KB, the most that is taken",
  ]);
});

test("what is no JSON is answered 400 and names the place", async () => {
  const { workspace, writeKey } = await doors.source();
  const messages = [];
  for (const body of ['{"userId": "u1",\n "event": Paid}', '{"batch": [1, 2', "", "\u0000", '"text"'])
    messages.push(await doors.send("track", writeKey, body));
  expect(messages.map(({ status, body }) => [status, body.error.code, body.error.message])).toEqual([
    [400, "invalid", "The body is not JSON: at line 2, column 11, a value was expected."],
    [400, "invalid", "The body is not JSON: at line 1, column 16, a comma or ] was expected."],
    [400, "invalid", "The request needs a JSON body, and came without one."],
    [400, "invalid", "The body is not JSON: at line 1, column 1, a value was expected."],
    [400, "invalid", "An event must be an object, and this is “text”."],
  ]);
  const noList = await doors.send("batch", writeKey, { events: [] });
  expect([noList.status, noList.body.error.details]).toEqual([
    400,
    [{ path: "batch", message: "must be a list of events" }],
  ]);
  expect((await doors.stored(workspace)).filter(({ rejection }) => rejection === null)).toEqual([]);
});

test("a gzipped body is unpacked, whatever type it is said to be of", async () => {
  const { workspace, writeKey } = await doors.source();
  const packed = gzipSync(JSON.stringify({ batch: [{ type: "track", userId: "u1", event: "Paid" }] }));
  const headers = { "content-encoding": "gzip", "content-type": "application/x-www-form-urlencoded" };
  expect((await doors.send("batch", writeKey, packed, headers)).status).toBe(200);
  expect((await doors.send("batch", writeKey, packed)).status).toBe(200);
  const refused = async (body: Buffer) => {
    const { status, body: answer } = await doors.send("batch", writeKey, body, headers);
    return [status, answer.error.code, answer.error.message];
  };
  const mend = /Send the bytes as gzip made them.*or leave it out and send the JSON as it is\.$/;
  const cut = await refused(packed.subarray(0, 40));
  expect(cut).toEqual([400, "invalid", expect.stringMatching(/^The gzip of the body ends too early/)]);
  const damaged = await refused(Buffer.concat([packed.subarray(0, -8), Buffer.alloc(8, 1)]));
  expect(damaged).toEqual([400, "invalid", expect.stringMatching(/^The gzip of the body is damaged/)]);
  // As text, bytes above 127 become others.
  const asText = await refused(Buffer.from(packed.toString("utf8")));
  expect(asText).toEqual([
    400,
    "invalid",
    expect.stringMatching(/^Content-Encoding says gzip, and the body is neither/),
  ]);
  for (const [, , message] of [cut, damaged, asText]) expect(message).toMatch(mend);
  const brotli = await doors.send("batch", writeKey, packed, { "content-encoding": "br" });
  expect([brotli.status, brotli.body.error.message]).toEqual([400, expect.stringContaining("br is not taken")]);
  expect(await doors.stored(workspace)).toHaveLength(2);
});

test("a call of more than 500 KB is 413, sent as it is, in pieces or packed", async () => {
  const { workspace, writeKey } = await doors.source();
  const event = { type: "track", userId: "u1", event: "Paid", properties: { x: "y".repeat(20_000) } };
  const body = (events: number) => JSON.stringify({ batch: Array(events).fill(event) });
  expect((await doors.send("batch", writeKey, body(24))).status).toBe(200);
  expect((await doors.send("batch", writeKey, body(26))).status).toBe(413);
  expect((await doors.send("batch", writeKey, gzipSync(body(26)), { "content-encoding": "gzip" })).status).toBe(413);
  // 200 MB of spaces pack into 200 KB.
  const bomb = gzipSync(Buffer.alloc(200 * 1024 * 1024, " "));
  expect(bomb.length).toBeLessThan(500 * 1024);
  const bombed = await doors.send("batch", writeKey, bomb, { "content-encoding": "gzip" });
  expect([bombed.status, bombed.body.error.code]).toEqual([413, "too_large"]);
  expect(await sendInPieces(writeKey, Array(60).fill("x".repeat(10_000)))).toBe(413);
  expect(await sendInPieces(writeKey, ['{"batch":[{"type":"track",', '"userId":"u1","event":"Paid"}]}'])).toBe(200);
  expect(await doors.stored(workspace)).toHaveLength(25);
});

function sendInPieces(writeKey: string, pieces: string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const call = http.request(`${doors.origin}/v1/batch`, { method: "POST", headers: basic(writeKey) }, (answer) => {
      answer.resume().once("end", () => resolve(answer.statusCode ?? 0));
    });
    call.once("error", reject);
    for (const piece of pieces) call.write(piece);
    call.end();
  });
}

test("a call below 500 KB is never too large, however many events it holds: each is judged alone", async () => {
  const { workspace, writeKey } = await doors.source();
  const tiny = Array.from({ length: 6000 }, (_, n) => ({ type: "track", userId: "u", event: "E", messageId: `m${n}` }));
  const bad = [7, 2600, 5999];
  for (const index of bad) tiny[index] = { ...tiny[index], type: "trak" } as (typeof tiny)[number];
  const body = JSON.stringify({ batch: [...tiny, tiny[0]] });
  expect(body.length).toBeLessThan(500 * 1024);
  const { status, body: answer } = await doors.send("batch", writeKey, body);
  expect([status, answer.success]).toEqual([200, true]);
  expect(
    answer.rejected.map(({ index, messageId }: { index: number; messageId: string }) => [index, messageId]),
  ).toEqual(bad.map((index) => [index, `m${index}`]));
  const stored = await doors.stored(workspace);
  expect(stored.map(({ message_id }) => message_id)).toEqual(tiny.map(({ messageId }) => messageId));
  const nothing = await doors.send("batch", writeKey, { batch: Array(10_000).fill({}) });
  expect([nothing.status, nothing.body.rejected.length]).toEqual([200, 10_000]);
});

test("what stands at the top of a batch is refused with the events that it makes too large, and with no others", async () => {
  const { workspace, writeKey } = await doors.source();
  const event = { type: "track", userId: "u1", event: "Paid" };
  const large = { x: "y".repeat(40_000) };
  const over = await doors.send("batch", writeKey, {
    context: large,
    batch: [event, { ...event, context: { x: "z" } }],
  });
  expect([over.status, over.body]).toEqual([
    200,
    {
      success: true,
      rejected: [{ index: 0, messageId: null, message: "The event is larger than 32 KB, the most that is taken." }],
    },
  ]);
  const many = { context: { x: "y".repeat(30_000) }, batch: Array(1500).fill({ ...event, userId: "u2" }) };
  const { status, body } = await doors.send("batch", writeKey, many);
  expect(status).toBe(200);
  expect(body.rejected[0]).toEqual({
    index: 1117,
    messageId: null,
    message:
      "The event inherits too much: what stands at the top of the batch comes to more than 32 MB in its events. Send fewer at once.",
  });
  expect(body.rejected.at(-1).index).toBe(1499);
  expect(body.rejected).toHaveLength(1500 - 1117);
  const stored = await doors.stored(workspace);
  expect(stored.map(({ rejection }) => rejection === null)).toEqual([
    false,
    true,
    ...Array(1117).fill(true),
    ...Array(1500 - 1117).fill(false),
  ]);
  expect(stored.at(-1)).toMatchObject({ user_id: "u2", type: "track", name: "Paid" });
  expect(stored.at(-1)?.payload.length).toBeLessThan(200);
});

test("what is nested too deeply is refused, and only its outlines are kept", async () => {
  const { workspace, writeKey } = await doors.source();
  const deep = `{"userId":"u1","event":"Paid","properties":${'{"a":'.repeat(60_000)}1${"}".repeat(60_000)}}`;
  const answer = await doors.send("track", writeKey, deep);
  const why = "is nested deeper than 64 levels: flatten it, or send its inner part as one text (JSON.stringify)";
  expect([answer.status, answer.body.error.message]).toEqual([400, `properties.a.a ${why}.`]);
  expect(answer.body.error.details).toEqual([{ path: "properties.a.a", message: why }]);
  const context = `${'{"a":'.repeat(60_000)}1${"}".repeat(60_000)}`;
  const batch = await doors.send(
    "batch",
    writeKey,
    `{"batch":[{"type":"track","userId":"u1","event":"Paid"}],"context":${context}}`,
  );
  expect(batch.body.rejected).toEqual([{ index: 0, messageId: null, message: `context.a.a ${why}.` }]);
  expect((await doors.stored(workspace)).map(({ payload }) => payload.length < 1000)).toEqual([true, true]);
});

test("events of a batch inherit what stands at its top, and what is their own comes first", async () => {
  const { workspace, writeKey } = await doors.source();
  await doors.send("batch", writeKey, {
    userId: "u1",
    context: { ip: "192.0.2.1", library: { name: "top" } },
    integrations: { All: true },
    timestamp: "2026-01-01T00:00:00Z",
    batch: [
      { type: "track", event: "One" },
      { type: "track", event: "Two", userId: "u2", context: { library: { name: "own" } }, timestamp: at },
    ],
  });
  const [one, two] = (await doors.stored(workspace)).map(({ payload }) => JSON.parse(payload));
  expect(one).toEqual({
    type: "track",
    event: "One",
    userId: "u1",
    context: { ip: "192.0.2.1", library: { name: "top" } },
    integrations: { All: true },
  });
  expect(two).toMatchObject({ userId: "u2", context: { ip: "192.0.2.1", library: { name: "own" } }, timestamp: at });
});

test("the sender's clock is put right by what it was wrong when it sent, and nothing happens after its receipt", async () => {
  const { workspace, writeKey } = await doors.source();
  const now = Date.now();
  const iso = (time: number) => new Date(time).toISOString();
  const hour = 3_600_000;
  const track = (event: string, fields: object) => doors.send("track", writeKey, { userId: "u1", event, ...fields });
  await track("an hour behind", { originalTimestamp: iso(now - hour - 10_000), sentAt: iso(now - hour) });
  await track("told a day ago", { timestamp: iso(now - 24 * hour), sentAt: iso(now) });
  await track("to come", { timestamp: iso(now + hour) });
  await track("seconds", { timestamp: Math.floor(now / 1000) - 60 });
  const ages = (await doors.stored(workspace)).map(({ name, occurred_at, received_at }) => [
    name,
    Math.round((received_at.getTime() - occurred_at.getTime()) / 60_000),
  ]);
  // Ten seconds before, as its own clock says.
  expect(ages).toEqual([
    ["an hour behind", 0],
    ["told a day ago", 24 * 60],
    ["to come", 0],
    ["seconds", 1],
  ]);
});

test("characters that no text here can hold are taken out of names, ids and values", async () => {
  const { workspace, writeKey } = await doors.source();
  const body =
    '{"userId":"u\\u00001","event":"P\\ud83did","properties":{"a\\u0000":"\\ud83d\\ude80 \\ud83d","list":["\\u0000"]}}';
  expect((await doors.send("track", writeKey, body)).status).toBe(200);
  const [event] = await doors.stored(workspace);
  expect(event).toMatchObject({ user_id: "u1", name: "P\ufffdid" });
  expect(JSON.parse(event?.payload ?? "")).toMatchObject({
    userId: "u1",
    event: "P\ufffdid",
    properties: { a: "🚀 \ufffd", list: [""] },
  });
});

test("bytes that are no UTF-8 are refused, packed or not: nothing is stored for what nobody has said (row 54)", async () => {
  const { workspace, writeKey } = await doors.source();
  const latin1 = Buffer.from(JSON.stringify({ userId: "u2", event: "José" }), "latin1");
  const answers = [
    await doors.send("track", writeKey, latin1, { "content-type": "application/json; charset=iso-8859-1" }),
    await doors.send("track", writeKey, gzipSync(latin1), { "content-encoding": "gzip" }),
  ];
  expect(answers.map(({ status, body }) => [status, body.error.code, body.error.message])).toEqual(
    Array(2).fill([400, "invalid", "The body is not UTF-8 text."]),
  );
  expect(await doors.stored(workspace)).toEqual([]);
  const marked = Buffer.concat([Buffer.from([0xef, 0xbb, 0xbf]), Buffer.from('{"userId":"u2","event":"José"}')]);
  expect((await doors.send("track", writeKey, marked)).status).toBe(200);
  expect((await doors.stored(workspace))[0]?.name).toBe("José");
});

test("message ids are told apart as they were sent, and one that could not be kept so is refused", async () => {
  const { workspace, writeKey } = await doors.source();
  const ids = ["m1", " m1", "m1 ", "M1", "m1"];
  for (const messageId of ids) {
    expect((await doors.send("track", writeKey, { messageId, userId: "u1", event: "Paid" })).status).toBe(200);
  }
  const most = "x".repeat(512);
  const batch = [`${most}y`, "m1\u0000", "m\ud83d1", most].map((messageId) => ({
    ...{ messageId, type: "track" },
    ...{ userId: "u1", event: "Paid" },
  }));
  const { body } = await doors.send("batch", writeKey, { batch });
  expect(body.rejected.map(({ index, message }: { index: number; message: string }) => [index, message])).toEqual([
    [0, "messageId is longer than 512 characters."],
    [1, expect.stringMatching(/^messageId has a character that no text here can hold/)],
    [2, expect.stringMatching(/^messageId has a character that no text here can hold/)],
  ]);
  const accepted = (await doors.stored(workspace)).filter(({ rejection }) => rejection === null);
  expect(accepted.map(({ message_id }) => message_id)).toEqual(["m1", " m1", "m1 ", "M1", most]);
});

test("a write key that stands in what is sent is kept by nobody, and told by no process that has taken it (row 115)", async () => {
  const { workspace, writeKey } = await doors.source();
  const event = { userId: "u1", event: "Paid" };
  const calls: [string, unknown, Record<string, string>?][] = [
    ["track", [{ ...event, writeKey }]],
    ["track", { ...event, batch: [{ writeKey }], properties: { [writeKey]: `of ${writeKey}` } }],
    ["track", { ...event, writeKey, properties: { given: { writeKey } } }],
    ["batch", { batch: [{ ...event, type: "track", writeKey, context: { writeKey } }], context: { key: writeKey } }],
  ];
  for (const [door, body] of calls) await doors.send(door, writeKey, body);
  await doors.send(
    "b",
    null,
    JSON.stringify({ batch: [{ ...event, type: writeKey, traits: { writeKey } }], writeKey }),
  );
  const stored = await doors.stored(workspace);
  expect(stored).toHaveLength(5);
  expect(JSON.stringify(stored)).not.toContain(writeKey);
  expect(stored[2]?.payload).toContain('"given"');
});

test("a browser of any site may ask, and reads every answer", async () => {
  const { writeKey } = await doors.source();
  const asked = await fetch(`${doors.origin}/v1/t`, {
    method: "OPTIONS",
    headers: {
      origin: "https://shop.example",
      "access-control-request-method": "POST",
      "access-control-request-headers": "authorization,content-type,anonymousid",
    },
  });
  expect(asked.status).toBe(204);
  expect(asked.headers.get("content-length")).toBeNull();
  expect(asked.headers.get("access-control-allow-origin")).toBe("*");
  expect(asked.headers.get("access-control-allow-headers")).toBe("authorization,content-type,anonymousid");
  expect(asked.headers.get("access-control-allow-credentials")).toBeNull();
  for (const body of [{ userId: "u1", event: "Paid", writeKey }, { userId: "u1" }]) {
    const answer = await doors.send("t", null, body, { origin: "https://shop.example" });
    expect(answer.headers.get("access-control-allow-origin")).toBe("*");
  }
});

test("an address that is no door is not found, and other methods are refused", async () => {
  const { writeKey } = await doors.source();
  const answer = await doors.send("projects", writeKey, {});
  expect([answer.status, answer.body.error.code]).toEqual([404, "not_found"]);
});
