import { randomBytes, randomUUID } from "node:crypto";
import { encode } from "next-auth/jwt";
import { afterAll, beforeAll } from "vitest";
import { z } from "zod";
import type { ApiRoute } from "#app/api/handler.ts";
import type { Operation } from "#app/api/operation.ts";
import { errorAnswer } from "#lib/api/shapes.ts";
import { createApiKey } from "#lib/auth/api-keys.ts";
import { sessionCookieName } from "#lib/auth/session.ts";
import type { Role } from "#lib/auth/shapes.ts";
import { type Environment, readConfig } from "#lib/config.ts";
import type { Context } from "#lib/context.ts";
import { openLog } from "#lib/log.ts";
import type { TestDatabase } from "#test/support/database.ts";

export const apiOrigin = "http://127.0.0.1:3000";

export interface CallOptions {
  /** An API key, sent as Bearer. */
  key?: string;
  /** A session cookie of `person()`; unsafe methods then carry our own Origin unless `headers` names another. */
  cookie?: string;
  /** Sent as JSON; a string, bytes or a stream goes as it is. */
  body?: unknown;
  headers?: Record<string, string>;
}

export interface ApiAnswer<Body> {
  status: number;
  headers: Headers;
  text: string;
  /** The parsed body of a success, checked against the operation's answer. Reading it off a failure throws that failure. */
  readonly body: Body;
  /** The error of a failure, else null. */
  error: z.infer<typeof errorAnswer>["error"] | null;
}

export interface Api {
  /** The process's context, with its log in `logged`. */
  context: Context;
  logged: string[];
  /** Calls a route's exported function as the server does; `path` with its query, `/api/v1/accounts/12?windowDays=30`. */
  call<O extends Operation>(
    route: ApiRoute<O>,
    path: string,
    options?: CallOptions,
  ): Promise<ApiAnswer<z.output<Extract<O["answer"], z.ZodType>>>>;
  /** A fresh API key of the workspace; an administrator's unless told. */
  key(workspaceId: number, role?: Role): Promise<string>;
  /** A person of the workspace with a signed-in browser. */
  person(workspaceId: number, role?: Role, email?: string): Promise<{ userId: string; email: string; cookie: string }>;
}

/**
 * Points the process's context at the test file's database, so that the functions exported by route files can be called as
 * the server would. Call once at the top of a file, after `useDatabase()`.
 */
export function useApi(database: TestDatabase, environment: Environment = {}): Api {
  const home = globalThis as typeof globalThis & { bellwetherContext?: Context };
  const logged: string[] = [];

  beforeAll(() => {
    home.bellwetherContext = {
      config: readConfig({ ...testEnvironment, DATABASE_URL: database.url, ...environment }),
      db: database.db,
      get pool(): never {
        throw new Error("The tests' context has no pool of its own; use db.");
      },
      log: openLog((line) => logged.push(line)),
    };
  });
  afterAll(() => {
    delete home.bellwetherContext;
  });

  const context = () => {
    if (!home.bellwetherContext) throw new Error("The context is there inside tests and hooks only.");
    return home.bellwetherContext;
  };
  return {
    get context() {
      return context();
    },
    logged,
    call: callRoute,
    async key(workspaceId, role = "admin") {
      const body = { name: `test ${role}`, role };
      return (await createApiKey(database.db, workspaceId, body, null, new Date())).key;
    },
    async person(workspaceId, role = "admin", email = `${randomBytes(6).toString("hex")}@example.com`) {
      const { id: userId, session_version: version } = await database.db
        .insertInto("app_user")
        .values({ workspace_id: workspaceId, email, name: null, role, password_hash: null, created_at: new Date() })
        .returning(["id", "session_version"])
        .executeTakeFirstOrThrow();
      const token = { uid: userId, workspace: workspaceId, version, session: randomUUID() };
      const cookie = `${sessionCookieName}=${await encode({ token, secret: context().config.secrets.auth })}`;
      return { userId, email, cookie };
    },
  };
}

export const testEnvironment = {
  AUTH_SECRET: "test-auth-secret-0123456789abcdefghij",
  ENCRYPTION_KEY: "test-encryption-key-0123456789abcdef",
  CRON_SECRET: "test-cron-secret-0123456789abcdefghi",
};

async function callRoute<O extends Operation>(
  route: ApiRoute<O>,
  path: string,
  options: CallOptions = {},
): Promise<ApiAnswer<z.output<Extract<O["answer"], z.ZodType>>>> {
  const { operation } = route;
  const params = paramsOf(operation.path, new URL(path, apiOrigin).pathname);
  const response = await route(requestOf(operation.method, path, options), { params: Promise.resolve(params) });
  const text = await response.text();
  const isJson = response.headers.get("content-type")?.includes("json") ?? false;
  const parsed: unknown = isJson ? JSON.parse(text) : undefined;
  const succeeded = response.status < 400;
  return {
    status: response.status,
    headers: response.headers,
    text,
    error: succeeded ? null : errorAnswer.parse(parsed).error,
    get body() {
      if (!succeeded) throw new Error(`${operation.method} ${path} answered ${response.status}: ${text}`);
      const checked = operation.answer?.safeParse(parsed);
      if (checked && !checked.success && isJson) {
        throw new Error(`${operation.id} answered what its schema does not allow: ${z.prettifyError(checked.error)}`);
      }
      return parsed as z.output<Extract<O["answer"], z.ZodType>>;
    },
  };
}

/** The request that a client's call would become. */
export function requestOf(method: string, path: string, options: CallOptions = {}): Request {
  const { key, cookie, body } = options;
  const headers = new Headers({ host: new URL(apiOrigin).host });
  if (key !== undefined) headers.set("authorization", `Bearer ${key}`);
  if (cookie !== undefined) headers.set("cookie", cookie);
  if (cookie !== undefined && method !== "GET") headers.set("origin", apiOrigin);
  const isRaw = typeof body === "string" || body instanceof Uint8Array || body instanceof ReadableStream;
  if (body !== undefined && !isRaw) headers.set("content-type", "application/json");
  for (const [name, value] of Object.entries(options.headers ?? {})) headers.set(name, value);
  const init: RequestInit & { duplex: "half" } = { method, headers, duplex: "half" };
  if (body !== undefined) init.body = isRaw ? (body as BodyInit) : JSON.stringify(body);
  return new Request(new URL(path, apiOrigin), init);
}

/** What the server takes from the address for `/api/v1/accounts/{id}`. */
function paramsOf(template: string, pathname: string): Record<string, string> {
  const given = pathname.split("/").map(decodeURIComponent);
  const wanted = template.split("/");
  const fits = wanted.length === given.length && wanted.every((part, i) => part.startsWith("{") || part === given[i]);
  if (!fits) throw new Error(`${pathname} is not an address of ${template}`);
  const names = wanted.flatMap((part, index) =>
    part.startsWith("{") ? [[part.slice(1, -1), given[index] ?? ""]] : [],
  );
  return Object.fromEntries(names);
}
