import { afterEach, expect, test, vi } from "vitest";
import { ApiError, apiGet, apiPath, apiSend } from "#app/_queries/client.ts";

afterEach(() => vi.unstubAllGlobals());

function answer(response: Response | Error) {
  const requests: Request[] = [];
  vi.stubGlobal("fetch", async (path: string, init: RequestInit) => {
    requests.push(new Request(new URL(path, "http://host"), init));
    if (response instanceof Error) throw response;
    return response;
  });
  return requests;
}
const failureOf = (promise: Promise<unknown>) =>
  promise.then(
    () => null,
    (error: ApiError) => error,
  );

test("what is not set is left out of the query; a zero and a false stay", () => {
  expect(apiPath("/x", { a: null, b: undefined, c: "", d: 0, e: false, f: "ü &" })).toBe("/x?d=0&e=false&f=%C3%BC+%26");
});

test("the API's own error arrives with its status, code, sentence and places", async () => {
  const details = [{ path: "auth.token", message: "was refused" }];
  answer(Response.json({ error: { code: "invalid", message: "Not accepted.", details } }, { status: 422 }));
  const error = await failureOf(apiSend("POST", "/x", {}));
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 422, code: "invalid", message: "Not accepted." });
  expect([error?.about("auth.token"), error?.about("subdomain")]).toEqual(["was refused", null]);
});

test("an answer that is not ours is an error too, never an empty result", async () => {
  answer(new Response("<html>", { status: 502 }));
  expect(await failureOf(apiGet("/x"))).toMatchObject({ status: 502, code: "unexpected" });
});

test("no answer at all says that the server does not answer", async () => {
  answer(new TypeError("fetch failed"));
  expect(await failureOf(apiGet("/x"))).toMatchObject({ status: 0, code: "offline" });
});

test("an object goes as JSON, text as CSV, a file as what it is; 204 gives nothing", async () => {
  const requests = answer(new Response(null, { status: 204 }));
  await apiSend("PUT", "/x", { a: 1 }, { idempotencyKey: "k" });
  await apiSend("POST", "/x", "a,b");
  await apiSend("POST", "/x", new Blob(["a"], { type: "text/tab-separated-values" }));
  expect(requests.map(({ method, headers }) => [method, headers.get("content-type")])).toEqual([
    ["PUT", "application/json"],
    ["POST", "text/csv; charset=utf-8"],
    ["POST", "text/tab-separated-values"],
  ]);
  expect(requests[0]?.headers.get("idempotency-key")).toBe("k");
});
