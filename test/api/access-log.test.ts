import { beforeEach, describe, expect, test } from "vitest";
import { type PlainCall, plainRoute } from "#app/api/handler.ts";
import { GET as live } from "#app/api/health/live/route.ts";
import { GET as accounts } from "#app/api/v1/accounts/route.ts";
import { GET as session } from "#app/api/v1/session/route.ts";
import { AppError } from "#lib/errors.ts";
import { apart, registerSecrets } from "#lib/log.ts";
import { requestOf, useApi } from "#test/support/api.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const api = useApi(database);

interface Line {
  level: string;
  msg: string;
  requestId?: string;
  [field: string]: unknown;
}
const lines = (): Line[] => api.logged.map((line) => JSON.parse(line));
const answered = () => lines().filter(({ msg }) => msg === "a request was answered");
const noParams = { params: Promise.resolve({}) };

/** A route outside the catalogue that does what a test wants. */
function serving(serve: (call: PlainCall) => Promise<Response> | Response) {
  return plainRoute("under test", async (_, call) => serve(call));
}

beforeEach(() => {
  api.logged.length = 0;
  api.context.log.level = "info";
});

describe("the line of a request", () => {
  test("says which operation was asked by whom, how it ended and how long it took, and no value of the query", async () => {
    const workspace = await database.workspace();
    const key = await api.key(workspace, "viewer");
    const { headers } = await api.call(accounts, "/api/v1/accounts?q=ada%40example.com&windowDays=30", { key });
    const [line] = answered();
    expect(line).toEqual({
      level: "info",
      time: expect.any(String),
      msg: "a request was answered",
      requestId: headers.get("x-request-id"),
      operation: accounts.operation.id,
      method: "GET",
      path: "/api/v1/accounts",
      status: 200,
      durationMs: expect.any(Number),
      actor: { type: "key", id: expect.stringMatching(/^\d+$/) },
      workspaceId: workspace,
    });
    expect(answered()).toHaveLength(1);
    expect(api.logged.join("")).not.toContain("ada");
  });

  test("names a person by number, never by address", async () => {
    const workspace = await database.workspace();
    const { cookie, userId, email } = await api.person(workspace, "csm");
    await api.call(session, "/api/v1/session", { cookie });
    expect(answered()).toMatchObject([{ actor: { type: "person", id: userId }, workspaceId: workspace, status: 200 }]);
    expect(api.logged.join("")).not.toContain(email);
  });

  test("is written for refusals too, without an actor where nobody is known", async () => {
    await api.call(session, "/api/v1/session", { key: "nonsense" });
    const [line] = answered();
    expect(line).toMatchObject({ status: 401, operation: "getSession" });
    expect(line).not.toHaveProperty("actor");
  });

  test("of what is asked every few seconds stands at debug", async () => {
    await live(requestOf("GET", "/api/health/live"), noParams);
    expect(answered()).toEqual([]);
    api.context.log.level = "debug";
    await live(requestOf("GET", "/api/health/live"), noParams);
    expect(answered()).toMatchObject([{ level: "debug", path: "/api/health/live" }]);
  });

  test("of what fails every few seconds for one known reason stands once, without a stack, and once when that is over", async () => {
    let answer: () => Response = () => {
      throw new AppError("unavailable", "The database is away.", { cause: new Error("ECONNREFUSED") });
    };
    const polled = plainRoute("polled", async () => answer(), { quiet: true });
    const poll = async () => (await polled(requestOf("GET", "/api/x"), noParams)).status;
    expect([await poll(), await poll(), await poll()]).toEqual([503, 503, 503]);
    expect(lines()).toMatchObject([{ level: "warn", operation: "polled", reason: "The database is away." }]);
    expect(lines()[0]).toMatchObject({ cause: "ECONNREFUSED" });
    expect(api.logged.join("")).not.toContain("stack");
    answer = () => new Response(null);
    expect([await poll(), await poll()]).toEqual([200, 200]);
    expect(lines()).toHaveLength(2);
    expect(lines()[1]).toMatchObject({ level: "info", operation: "polled" });
  });

  test("cannot be forged, nor made to hold a secret", async () => {
    registerSecrets(["canary-secret-value"]);
    const path = "/api/canary-secret-value/%0A%7B%22level%22:%22info%22%7D";
    await serving(() => new Response(null))(requestOf("GET", path), noParams);
    expect(api.logged).toHaveLength(1);
    expect(api.logged[0]?.trimEnd()).not.toMatch(/[\n\r]/);
    expect(api.logged[0]).not.toContain("canary-secret-value");
  });
});

describe("the request id", () => {
  const idsOf = async (given?: string) => {
    const headers = given === undefined ? undefined : { "x-request-id": given };
    const route = serving(({ context }) => {
      context.log.child({ part: "inner" }).info("inside");
      return new Response(null, { status: 204 });
    });
    const response = await route(requestOf("GET", "/api/x", headers ? { headers } : {}), noParams);
    return [response.headers.get("x-request-id"), ...lines().map(({ requestId }) => requestId)];
  };

  test("is taken from a caller who gives a well-formed one, told in the answer and in every line", async () => {
    expect(await idsOf("proxy-2026:0007.a")).toEqual(Array(3).fill("proxy-2026:0007.a"));
  });

  test.each([
    ["absent", undefined],
    ["short", "abc"],
    ["long", "x".repeat(129)],
    ["strange", "a b{c}<d>;;"],
  ])("is made where the caller's is %s", async (_, given) => {
    const [answeredId, ...logged] = await idsOf(given);
    expect(answeredId).toMatch(/^[0-9a-f-]{36}$/);
    expect(logged).toEqual([answeredId, answeredId]);
  });

  test("of two requests at once does not get mixed up", async () => {
    const open: (() => void)[] = [];
    const route = serving(async ({ context }) => {
      await new Promise<void>((resolve) => open.push(resolve));
      context.log.info("late");
      return new Response(null);
    });
    const ids = ["request-first", "request-second"];
    const served = ids.map((id) => route(requestOf("GET", "/api/x", { headers: { "x-request-id": id } }), noParams));
    await expect.poll(() => open.length).toBe(2);
    for (const go of open.reverse()) go();
    await Promise.all(served);
    const late = lines().filter(({ msg }) => msg === "late");
    expect(late.map(({ requestId }) => requestId)).toEqual([...ids].reverse());
  });

  test("does not stick to what a request sets off and leaves running", async () => {
    let left: Promise<void> | undefined;
    const route = serving(({ context }) => {
      left = apart(async () => {
        await new Promise((resolve) => setImmediate(resolve));
        context.log.info("left running");
      });
      return new Response(null);
    });
    await route(requestOf("GET", "/api/x"), noParams);
    await left;
    expect(lines().find(({ msg }) => msg === "left running")).not.toHaveProperty("requestId");
  });

  test("stands in the line of what went wrong and in what the caller is told", async () => {
    const response = await serving(() => {
      throw new Error("a bug");
    })(requestOf("GET", "/api/x"), noParams);
    const id = response.headers.get("x-request-id");
    expect((await response.json()).error.message).toContain(id);
    expect(lines()).toMatchObject([
      { level: "error", requestId: id, err: { message: "a bug" }, operation: "under test" },
      { level: "info", requestId: id, status: 500 },
    ]);
  });
});
