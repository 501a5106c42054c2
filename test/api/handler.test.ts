import { randomUUID } from "node:crypto";
import { sql } from "kysely";
import { encode } from "next-auth/jwt";
import { expect, test } from "vitest";
import { z } from "zod";
import { type Call, plainRoute, route } from "#app/api/handler.ts";
import { type Operation, operation } from "#app/api/operation.ts";
import { POST as createKey } from "#app/api/v1/api-keys/route.ts";
import { GET as getSession } from "#app/api/v1/session/route.ts";
import { PATCH as updateUser } from "#app/api/v1/users/[id]/route.ts";
import { GET as listUsers } from "#app/api/v1/users/route.ts";
import { foreseen } from "#lib/api/failures.ts";
import { sessionCookieName } from "#lib/auth/session.ts";
import { AppError } from "#lib/errors.ts";
import { apiOrigin, requestOf, useApi } from "#test/support/api.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const api = useApi(database);

/** A route of the test's own. */
const echo = route(
  operation({
    id: "echo",
    method: "POST",
    path: "/api/v1/echo",
    summary: "",
    role: "csm",
    query: z.object({ days: z.coerce.number().int().min(1).optional() }),
    body: z.object({ name: z.string(), tags: z.array(z.string()).max(2).optional() }),
    maxBody: 2048,
  }),
  async (call) => ({ name: call.body.name, days: call.query.days ?? null }),
);
const plain = (work: (call: Pick<Call<Operation>, "db">) => Promise<unknown>) =>
  route(
    operation({ id: "plain", method: "GET", path: "/api/v1/plain", summary: "", role: "viewer", answer: z.unknown() }),
    work,
  );

test("a key and a session are told who they are", async () => {
  const workspace = await database.workspace({ name: "Northwind" });
  const byKey = await api.call(getSession, "/api/v1/session", { key: await api.key(workspace, "csm") });
  const named = { id: String(workspace), name: "Northwind", demo: false };
  expect(byKey.body).toEqual({ user: null, role: "csm", workspace: named });
  const ann = await api.person(workspace, "viewer", "ann@example.com");
  const byCookie = await api.call(getSession, "/api/v1/session", ann);
  expect(byCookie.body.user).toEqual({ id: ann.userId, email: "ann@example.com", name: null, role: "viewer" });
});

test("every answer may be kept by nobody and carries a request id", async () => {
  const key = await api.key(await database.workspace());
  for (const answer of [
    await api.call(getSession, "/api/v1/session", { key }),
    await api.call(getSession, "/api/v1/session"),
  ]) {
    expect(answer.headers.get("cache-control")).toBe("private, no-store");
    expect(answer.headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
  }
});

test.each(["", "Bearer", "Bearer ", "Bearer undefined", "Bearer null", "Basic YTpi", "Bearer a b", "undefined"])(
  "the Authorization header %j is nobody, also beside a good cookie",
  async (authorization) => {
    const { cookie } = await api.person(await database.workspace());
    const { status, error } = await api.call(getSession, "/api/v1/session", { cookie, headers: { authorization } });
    expect([status, error?.code]).toEqual([401, "unauthenticated"]);
  },
);

test("a session token that is not ours, or of a person who is gone, is nobody", async () => {
  const { cookie } = await api.person(await database.workspace());
  for (const other of [`${cookie}x`, "bellwether-session=", "bellwether-session=undefined", "other=1"]) {
    expect((await api.call(getSession, "/api/v1/session", { cookie: other })).status).toBe(401);
  }
  await database.db.deleteFrom("app_user").execute();
  expect((await api.call(getSession, "/api/v1/session", { cookie })).status).toBe(401);
});

test("a session ends by itself, and one sealed with another secret never begins", async () => {
  const workspace = await database.workspace();
  const { userId: uid } = await api.person(workspace);
  const status = async (maxAge: number, secret: string) => {
    const token = await encode({ token: { uid, workspace, version: 1, session: randomUUID() }, secret, maxAge });
    return (await api.call(getSession, "/api/v1/session", { cookie: `${sessionCookieName}=${token}` })).status;
  };
  const { auth, encryption } = api.context.config.secrets;
  expect([await status(60, auth), await status(-60, auth), await status(60, encryption)]).toEqual([200, 401, 401]);
});

test("a role that does not reach is told which one is needed", async () => {
  const workspace = await database.workspace();
  const { status, error } = await api.call(listUsers, "/api/v1/users", { key: await api.key(workspace, "csm") });
  expect([status, error?.code, error?.message]).toEqual([403, "forbidden", "This needs the role admin; yours is csm."]);
});

test.each([
  ["another site", { origin: "https://evil.example" }],
  ["a sandboxed page", { origin: "null" }],
  ["our host on another port", { origin: "http://127.0.0.1:4000" }],
  ["our host as a part of another's", { origin: "http://127.0.0.1:3000.evil.example" }],
  ["nowhere", { origin: "" }],
])("an unsafe request from %s with the browser's cookie is refused", async (_, headers) => {
  const { cookie } = await api.person(await database.workspace());
  const body = { name: "x", role: "viewer" };
  const { status, error } = await api.call(createKey, "/api/v1/api-keys", { cookie, body, headers });
  expect([status, error?.code]).toEqual([403, "forbidden"]);
  expect(await database.db.selectFrom("api_key").where("name", "=", "x").selectAll().execute()).toEqual([]);
});

test("a cookie without any Origin is refused, and text/plain does not smuggle JSON in", async () => {
  const { cookie } = await api.person(await database.workspace());
  const request = requestOf("POST", "/api/v1/api-keys", { body: { name: "x", role: "viewer" } });
  request.headers.set("cookie", cookie);
  expect((await createKey(request, { params: Promise.resolve({}) })).status).toBe(403);
  const body = JSON.stringify({ name: "x", role: "viewer" });
  const headers = { "content-type": "text/plain" };
  const { status, error } = await api.call(createKey, "/api/v1/api-keys", { cookie, body, headers });
  expect([status, error?.code]).toEqual([400, "invalid"]);
  expect(error?.message).toContain("Content-Type: application/json");
});

test("a request from our own page is accepted, behind a proxy too, and a key needs no Origin", async () => {
  const workspace = await database.workspace();
  const { cookie } = await api.person(workspace);
  const body = { name: "x", role: "viewer" };
  expect((await api.call(createKey, "/api/v1/api-keys", { cookie, body })).status).toBe(201);
  const headers = { origin: "https://bellwether.example", "x-forwarded-host": "bellwether.example" };
  expect((await api.call(createKey, "/api/v1/api-keys", { cookie, body, headers })).status).toBe(201);
  const key = await api.key(workspace);
  const foreign = { origin: "https://evil.example" };
  expect((await api.call(createKey, "/api/v1/api-keys", { key, body, headers: foreign })).status).toBe(201);
});

test.each([
  ["not JSON", "{name:", 400],
  ["not UTF-8", Buffer.from([0x22, 0xff, 0x22]), 400],
  ["nothing", "", 400],
  ["null", "null", 422],
  ["a list", "[]", 422],
])("a body that is %s answers its own status", async (_, body, expected) => {
  const key = await api.key(await database.workspace());
  const headers = { "content-type": "application/json" };
  const { status, error } = await api.call(echo, "/api/v1/echo", { key, body, headers });
  expect([status, error?.code]).toEqual([expected, "invalid"]);
});

test("every wrong place of a body is named by its path", async () => {
  const key = await api.key(await database.workspace());
  const { status, error } = await api.call(echo, "/api/v1/echo", { key, body: { name: 7, tags: ["a", null] } });
  expect(status).toBe(422);
  expect(error?.details).toEqual([
    { path: "name", message: "must be a string, and is a number" },
    { path: "tags.1", message: "must be a string, and is null" },
  ]);
  const missing = await api.call(echo, "/api/v1/echo", { key, body: {} });
  expect(missing.error?.details).toEqual([{ path: "name", message: "is missing" }]);
});

test("a wrong query value is named, and an unknown one is ignored", async () => {
  const key = await api.key(await database.workspace());
  const body = { name: "a" };
  const wrong = await api.call(echo, "/api/v1/echo?days=zero", { key, body });
  expect([wrong.status, wrong.error?.details?.[0]?.path]).toEqual([422, "days"]);
  const right = await api.call(echo, "/api/v1/echo?days=3&utm=x", { key, body });
  expect(JSON.parse(right.text)).toEqual({ name: "a", days: 3 });
});

test("an empty query value is an absent one", async () => {
  const key = await api.key(await database.workspace());
  const { status, text } = await api.call(echo, "/api/v1/echo?days=&q=", { key, body: { name: "a" } });
  expect([status, text]).toEqual([200, '{"name":"a","days":null}']);
});

test("an empty body is none, whatever type it is sent as", async () => {
  const key = await api.key(await database.workspace());
  const headers = { "content-type": "application/x-www-form-urlencoded", "content-length": "0" };
  const { error } = await api.call(echo, "/api/v1/echo", { key, body: "", headers });
  expect(error?.message).toBe("The request needs a JSON body, and came without one.");
});

test.each(["0000-01-01T00:00:00Z", "2020-01-01T00:00:00+23:59"])(
  "%s, with which the database cannot reckon, is refused, not failed at",
  async (instant) => {
    const key = await api.key(await database.workspace());
    const reckon = plain(async ({ db }) =>
      db.selectFrom("workspace").select("id").where("created_at", ">", sql<Date>`${instant}::timestamptz`).execute(),
    );
    const { status, error } = await api.call(reckon, "/api/v1/plain", { key });
    expect([status, error?.code]).toEqual([422, "invalid"]);
  },
);

test.each(["25006", "53100"])("a database that cannot write (%s) is unavailable", async (code) => {
  const key = await api.key(await database.workspace());
  const full = plain(async () => {
    throw Object.assign(new Error("cannot write"), { code });
  });
  expect((await api.call(full, "/api/v1/plain", { key })).status).toBe(503);
});

/** A body of unknown length; `sent` tells how much of it was taken. */
function streamOf(bytes: number) {
  let sent = 0;
  const body = new ReadableStream<Uint8Array>(
    {
      pull(controller) {
        sent += 1024;
        controller.enqueue(new Uint8Array(1024).fill(0x20));
        if (sent >= bytes) controller.close();
      },
    },
    { highWaterMark: 0 },
  );
  return { body, sent: () => sent };
}

test("a body over the limit is refused naming the limit, and read to its end, so that the answer arrives", async () => {
  const key = await api.key(await database.workspace());
  const headers = { "content-type": "application/json" };
  const large = streamOf(64 * 1024);
  const { status, error } = await api.call(echo, "/api/v1/echo", { key, body: large.body, headers });
  expect([status, error?.code]).toEqual([413, "too_large"]);
  expect(error?.message).toContain("2 KiB");
  await expect.poll(large.sent).toBe(64 * 1024);
});

test("a body that says itself that it is over the limit is not read at all", async () => {
  const key = await api.key(await database.workspace());
  const headers = { "content-type": "application/json", "content-length": "2049" };
  const large = streamOf(2049);
  const { status } = await api.call(echo, "/api/v1/echo", { key, body: large.body, headers });
  expect([status, large.sent()]).toEqual([413, 0]);
});

test("the body of a caller who is refused is not read at all", async () => {
  const large = streamOf(1024);
  const { status } = await api.call(echo, "/api/v1/echo", { key: "bw_wrong", body: large.body });
  expect([status, large.sent()]).toEqual([401, 0]);
});

test("a compressed body is refused in words", async () => {
  const key = await api.key(await database.workspace());
  const headers = { "content-encoding": "gzip" };
  const { status, error } = await api.call(echo, "/api/v1/echo", { key, body: { name: "a" }, headers });
  expect([status, error?.message]).toEqual([400, expect.stringContaining("uncompressed")]);
});

test("an id that is no number is not found, whatever it holds", async () => {
  const key = await api.key(await database.workspace());
  for (const id of ["abc", "1%00", "1'--", "9223372036854775808", "99999999999999999999", "١"]) {
    const { status, error } = await api.call(updateUser, `/api/v1/users/${id}`, { key, body: { name: "x" } });
    expect([status, error?.code]).toEqual([404, "not_found"]);
  }
});

test("text with a NUL is refused, not failed at", async () => {
  const workspace = await database.workspace();
  const body = { name: "a\u0000b", role: "viewer" };
  const { status, error } = await api.call(createKey, "/api/v1/api-keys", { key: await api.key(workspace), body });
  expect([status, error?.message]).toEqual([422, expect.stringContaining("NUL")]);
});

test("a bug answers a fixed text with the request's id; its words and its secrets stay in", async () => {
  const key = await api.key(await database.workspace());
  const broken = plain(async () => {
    throw new Error(`canary ${key}`);
  });
  const { status, error, headers, text } = await api.call(broken, "/api/v1/plain", { key });
  expect([status, error?.code]).toEqual([500, "unavailable"]);
  const id = headers.get("x-request-id") ?? "none";
  expect(text).toContain(id);
  expect(text).not.toMatch(/canary|\.ts|at /);
  const line = api.logged.find((logged) => logged.includes(id));
  expect(line).toContain("canary");
  expect(line).not.toContain(key);
});

test.each([
  "Connection terminated unexpectedly",
  "Client has encountered a connection error and is not queryable",
  "timeout exceeded when trying to connect",
])("a session of the database that broke (%s) is unavailable", (words) => {
  expect(foreseen(new Error(words))).toMatchObject({ code: "unavailable" });
});

test("a database out of reach is unavailable, and says when to ask again", async () => {
  const key = await api.key(await database.workspace());
  const cut = plain(async () => {
    throw Object.assign(new Error("connect ECONNREFUSED 127.0.0.1:5432"), { code: "ECONNREFUSED" });
  });
  const { status, error, headers } = await api.call(cut, "/api/v1/plain", { key });
  expect([status, error?.code, headers.get("retry-after")]).toEqual([503, "unavailable", "5"]);
  expect(error?.message).not.toContain("127.0.0.1");
});

test("JSON knows no NaN and ids keep every digit", async () => {
  const key = await api.key(await database.workspace());
  const odd = plain(async () => ({ none: Number.NaN, id: 9007199254740993n, at: new Date(0) }));
  const { text } = await api.call(odd, "/api/v1/plain", { key });
  expect(text).toBe('{"none":null,"id":"9007199254740993","at":"1970-01-01T00:00:00.000Z"}');
});

test("what a failed call wrote is not there", async () => {
  const workspace = await database.workspace();
  const half = route(
    operation({ id: "half", method: "POST", path: "/api/v1/half", summary: "", role: "admin" }),
    async ({ db, now }) => {
      await db
        .insertInto("account")
        .values({ workspace_id: workspace, external_id: "half", name: "Half", created_at: now, updated_at: now })
        .execute();
      throw new AppError("conflict", "changed its mind");
    },
  );
  const { status } = await api.call(half, "/api/v1/half", { key: await api.key(workspace) });
  expect(status).toBe(409);
  const rows = await database.inWorkspace(workspace, (trx) => trx.selectFrom("account").selectAll().execute());
  expect(rows).toEqual([]);
});

test("a streamed body reaches the call as it comes and breaks at the limit", async () => {
  const key = await api.key(await database.workspace());
  const count = route(
    operation({
      id: "count",
      method: "POST",
      path: "/api/v1/count",
      summary: "",
      role: "viewer",
      span: "long",
      streamed: true,
      maxBody: 4096,
    }),
    async ({ request }) => {
      let bytes = 0;
      for await (const chunk of request.body ?? []) bytes += chunk.byteLength;
      return { bytes };
    },
  );
  const headers = { "content-type": "text/csv" };
  const fits = await api.call(count, "/api/v1/count", { key, body: "a,b\n1,2\n", headers });
  expect(JSON.parse(fits.text)).toEqual({ bytes: 8 });
  const over = await api.call(count, "/api/v1/count", { key, body: streamOf(8192).body, headers });
  expect([over.status, over.error?.code]).toEqual([413, "too_large"]);
  const form = await api.call(count, "/api/v1/count", {
    key,
    body: "x",
    headers: { "content-type": "multipart/form-data; boundary=x" },
  });
  expect([form.status, form.error?.message]).toEqual([400, expect.stringContaining("text/csv")]);
});

test("a body that breaks off is the client's failure, streamed or not, and no line of error", async () => {
  const key = await api.key(await database.workspace());
  const upload = route(
    operation({
      id: "up",
      method: "POST",
      path: "/api/v1/up",
      summary: "",
      role: "viewer",
      span: "long",
      streamed: true,
    }),
    async ({ request }) => ({ length: (await request.text()).length }),
  );
  const broken = () =>
    new ReadableStream({
      pull: (controller) => controller.error(Object.assign(new Error("aborted"), { code: "ECONNRESET" })),
    });
  const logged = api.logged.length;
  const answers = [
    await api.call(upload, "/api/v1/up", { key, body: broken(), headers: { "content-type": "text/csv" } }),
    await api.call(echo, "/api/v1/echo", { key, body: broken(), headers: { "content-type": "application/json" } }),
  ];
  for (const { status, error } of answers)
    expect([status, error?.message]).toEqual([400, expect.stringContaining("ended")]);
  const levels = api.logged.slice(logged).map((line) => JSON.parse(line).level);
  expect(levels).toEqual(["info", "info"]);
});

test("a plain route gives errors in the same form and lets redirects through", async () => {
  const away = plainRoute("away", async () => Response.redirect(`${apiOrigin}/there`));
  const answer = await away(requestOf("GET", "/api/away"), { params: Promise.resolve({}) });
  expect([answer.status, answer.headers.get("location")]).toEqual([302, `${apiOrigin}/there`]);
  const refused = plainRoute("refused", async () => {
    throw new AppError("rate_limited", "too often");
  });
  const refusal = await refused(requestOf("GET", "/api/refused"), { params: Promise.resolve({}) });
  expect([refusal.status, await refusal.json()]).toEqual([
    429,
    { error: { code: "rate_limited", message: "too often" } },
  ]);
});
