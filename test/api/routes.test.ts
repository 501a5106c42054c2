import { randomUUID } from "node:crypto";
import { readdirSync } from "node:fs";
import path from "node:path";
import { encode } from "next-auth/jwt";
import { expect, test } from "vitest";
import { z } from "zod";
import type { ApiRoute } from "#app/api/handler.ts";
import type { Operation } from "#app/api/operation.ts";
import { allOperations, openApiDocument } from "#app/api/v1/openapi.json/document.ts";
import { bodyExamples } from "#app/api/v1/openapi.json/examples.ts";
import { GET as getOpenApi } from "#app/api/v1/openapi.json/route.ts";
import { sessionCookieName } from "#lib/auth/session.ts";
import { type CallOptions, requestOf, useApi } from "#test/support/api.ts";
import { useDatabase } from "#test/support/database.ts";

const database = useDatabase();
const api = useApi(database);

const apiFolder = path.resolve(import.meta.dirname, "../../app/api");
/** Open to everybody on purpose: health, sign-in itself, and the answer for addresses that are nobody's. */
const openFolders = /^(health|auth|\[\.\.\.path\])\//;
const routeFiles = readdirSync(apiFolder, { recursive: true, encoding: "utf8" })
  .filter((file) => path.basename(file) === "route.ts" && !openFolders.test(file))
  .map((file) => ({ file, address: `/api/${path.dirname(file).replaceAll("[", "{").replaceAll("]", "}")}` }));
/** They send the browser to Zendesk and take it back, and answer no JSON. */
const browserFlow = ["/api/v1/connections/oauth/start", "/api/v1/connections/oauth/callback"];
const methods = ["GET", "POST", "PUT", "PATCH", "DELETE"] as const;

type Route = (request: Request, route: { params: Promise<Record<string, string>> }) => Promise<Response>;
interface Served {
  address: string;
  method: string;
  serve: Route & Partial<ApiRoute<Operation>>;
}

async function servedRoutes(): Promise<Served[]> {
  const served: Served[] = [];
  for (const { file, address } of routeFiles) {
    const module: Record<string, Served["serve"] | undefined> = await import(path.join(apiFolder, file));
    for (const method of methods) {
      const serve = module[method];
      if (serve && !("refuses" in serve)) served.push({ address, method, serve });
    }
  }
  return served;
}

const name = ({ method, path: address }: { method: string; path: string }) => `${method} ${address}`;

test("every operation of the catalogue has its route, and every route serves an operation at its own address", async () => {
  const served = (await servedRoutes()).filter(
    ({ address }) => address.startsWith("/api/v1/") && !browserFlow.includes(address),
  );
  const misplaced = served.filter(
    ({ serve, method, address }) => !serve.operation || name(serve.operation) !== `${method} ${address}`,
  );
  expect(misplaced.map(({ method, address }) => `${method} ${address}`)).toEqual([]);
  expect(served.map(({ method, address }) => `${method} ${address}`).toSorted()).toEqual(
    allOperations.map(name).toSorted(),
  );
});

test("every POST takes an Idempotency-Key, but those that start and write nothing (row 105)", () => {
  const asking = allOperations.filter(({ method, idempotent }) => method === "POST" && !idempotent);
  expect(asking.map(({ id }) => id).toSorted()).toEqual(["dryRunDestination", "previewActions", "previewMatchKeys"]);
});

test("ids of operations are unique", () => {
  expect(new Set(allOperations.map(({ id }) => id)).size).toBe(allOperations.length);
});

test("every route refuses who is nobody, whatever headers come along", async () => {
  const { cookie: left, userId } = await api.person(await database.workspace());
  await database.db.updateTable("app_user").set({ disabled_at: new Date() }).where("id", "=", userId).execute();
  const bypass: Record<string, string>[] = [
    ...["proxy", "middleware", "src/middleware", "pages/_middleware", "app/middleware"].flatMap((name) => [
      { "x-middleware-subrequest": name },
      { "x-middleware-subrequest": Array(5).fill(name).join(":") },
    ]),
    { rsc: "1", "next-router-prefetch": "1", "next-router-state-tree": "%5B%22%22%5D" },
    {
      "x-nextjs-data": "1",
      "x-middleware-prefetch": "1",
      "x-invoke-path": "/api/health/live",
      "x-matched-path": "/sign-in",
    },
    {
      "next-action": "0".repeat(42),
      "x-forwarded-host": "127.0.0.1",
      "x-original-url": "/sign-in",
      "x-rewrite-url": "/",
    },
  ];
  const nobodies: CallOptions[] = [
    {},
    { cookie: left },
    { cookie: await expiredCookie() },
    ...bypass.map((headers) => ({ headers })),
    { key: "undefined" },
    { key: "bw_0000000000000000000000000000000000000000000" },
    { cookie: "bellwether-session=eyJhbGciOiJkaXIifQ..x.x.x" },
    { headers: { "x-middleware-subrequest": "proxy:proxy:proxy:proxy:proxy", "x-forwarded-for": "127.0.0.1" } },
    { headers: { authorization: "Basic OmFkbWlu", rsc: "1", "next-router-state-tree": "%5B%22%22%5D" } },
  ];
  const params = Promise.resolve({ id: "1", runId: "1", organizationId: "1" });
  for (const { address, method, serve } of await servedRoutes()) {
    for (const options of nobodies) {
      const response = await serve(requestOf(method, address.replaceAll(/\{\w+\}/g, "1"), options), { params });
      expect([method, address, options, response.status]).toEqual([method, address, options, 401]);
      expect(await response.json()).toMatchObject({ error: { code: "unauthenticated" } });
    }
  }
});

async function expiredCookie(): Promise<string> {
  const workspace = await database.workspace();
  const { userId: uid } = await api.person(workspace);
  const token = { uid, workspace, version: 1, session: randomUUID() };
  return `${sessionCookieName}=${await encode({ token, secret: api.context.config.secrets.auth, maxAge: -60 })}`;
}

test("every route asks for its operation's role", async () => {
  const workspace = await database.workspace();
  const key = await api.key(workspace, "viewer");
  const params = Promise.resolve({ id: "1", runId: "1", organizationId: "1" });
  for (const { address, method, serve } of await servedRoutes()) {
    if (!serve.operation || serve.operation.role === "viewer") continue;
    const response = await serve(requestOf(method, address.replaceAll(/\{\w+\}/g, "1"), { key }), { params });
    expect([method, address, response.status]).toEqual([method, address, 403]);
  }
});

test("a method that an address does not serve is refused in the API's own form, with those that it takes", async () => {
  const files = readdirSync(apiFolder, { recursive: true, encoding: "utf8" }).filter(
    (file) => path.basename(file) === "route.ts" && !file.startsWith("[...path]"),
  );
  let refused = 0;
  for (const file of files) {
    const module: Record<string, Served["serve"] | undefined> = await import(path.join(apiFolder, file));
    expect([file, methods.filter((method) => module[method] === undefined)]).toEqual([file, []]);
    const taken = methods.filter((method) => !("refuses" in (module[method] ?? {})));
    for (const method of methods.filter((each) => !taken.includes(each))) {
      const response = await module[method]?.(requestOf(method, "/api/v1/it"), { params: Promise.resolve({}) });
      expect([file, method, response?.status, response?.headers.get("allow")]).toEqual([
        file,
        method,
        405,
        taken.join(", "),
      ]);
      expect(await response?.json()).toEqual({
        error: {
          code: "not_found",
          message: `${method} is not answered at /api/v1/it, which takes ${taken.join(", ")}.`,
        },
      });
      refused++;
    }
  }
  expect(refused).toBeGreaterThan(100);
});

test("the document describes every operation, in a form that other programs read", async () => {
  const { body } = await api.call(getOpenApi, "/api/v1/openapi.json", {
    key: await api.key(await database.workspace()),
  });
  expect(body.openapi).toBe("3.1.0");
  const described = Object.entries(body.paths).flatMap(([address, item]) =>
    Object.keys(item as object).map((method) => `${method.toUpperCase()} ${address}`),
  );
  expect(described).toEqual(expect.arrayContaining(allOperations.map(name)));
  const text = JSON.stringify(body);
  for (const [, target] of text.matchAll(/"\$ref":"#\/([^"]+)"/g)) {
    const found = (target ?? "")
      .split("/")
      .reduce<unknown>((node, part) => (node as Record<string, unknown>)?.[part], body);
    expect(found, `#/${target}`).toBeDefined();
  }
  expect(text).not.toContain("$schema");
});

test("the document says what a call needs: path, query, body, key and failures", () => {
  const { paths } = openApiDocument();
  expect(paths["/api/v1/accounts/{id}/tickets"]?.get).toMatchObject({
    operationId: "listAccountTickets",
    "x-role": "viewer",
    parameters: expect.arrayContaining([
      { name: "id", in: "path", required: true, schema: { type: "string" } },
      {
        name: "limit",
        in: "query",
        required: false,
        schema: { type: "integer", default: 50, minimum: 1, maximum: 500 },
      },
    ]),
    responses: { 200: { content: { "application/json": {}, "text/csv": {} } }, 404: {}, 422: {} },
  });
  expect(paths["/api/v1/accounts/bulk"]?.post).toMatchObject({
    parameters: [{ name: "Idempotency-Key", in: "header" }],
    requestBody: { required: true, content: { "application/json": { schema: { required: ["accounts"] } } } },
  });
  expect(paths["/api/v1/accounts/import"]?.post).toMatchObject({ requestBody: { content: { "text/csv": {} } } });
});

test("the examples of the document are accepted by the schemas that validate", () => {
  for (const [id, example] of Object.entries(bodyExamples)) {
    const body = allOperations.find((each) => each.id === id)?.body ?? z.never();
    expect([id, body.safeParse(example).error]).toEqual([id, undefined]);
  }
});

test("an address under /api that is nobody's is not found, in the API's own form", async () => {
  const { GET } = await import(path.join(apiFolder, "[...path]", "route.ts"));
  const response: Response = await GET(requestOf("GET", "/api/v2/accounts"), {
    params: Promise.resolve({ path: ["v2"] }),
  });
  expect([response.status, await response.json()]).toEqual([
    404,
    { error: { code: "not_found", message: expect.stringContaining("/api/v2/accounts") } },
  ]);
});
