import { randomUUID } from "node:crypto";
import type { z } from "zod";
import { receiveBody } from "#app/api/body.ts";
import type { Operation } from "#app/api/operation.ts";
import { foreseen } from "#lib/api/failures.ts";
import { type Answer, answerOnce, answerOnceInSteps, type Fingerprint, type Once } from "#lib/api/idempotency.ts";
import { isWholeId } from "#lib/api/shapes.ts";
import { parse } from "#lib/api/validation.ts";
import { type Actor, identify } from "#lib/auth/actor.ts";
import { requireOurOrigin } from "#lib/auth/origin.ts";
import { allows } from "#lib/auth/roles.ts";
import { inWorkspace, type Trx } from "#lib/auth/workspace-transaction.ts";
import { type Context, context } from "#lib/context.ts";
import { AppError, type ErrorCode, notFound } from "#lib/errors.ts";
import { servingRequest } from "#lib/log.ts";
import { observeRequest } from "#lib/monitoring/registry.ts";
import { tellStanding } from "#lib/monitoring/standing.ts";

/** What a route's one call gets: everything parsed, permitted and bound to the caller's workspace. */
export interface Call<O extends Operation> {
  context: Context;
  /** A transaction of the caller's workspace, or the pool where the operation's span is `long`. */
  db: Context["db"];
  /** The same transaction, for functions that are only right inside one. Throws where the span is `long`. */
  readonly trx: Trx;
  workspaceId: number;
  actor: Actor;
  params: Params;
  query: Parsed<O["query"]>;
  body: Parsed<O["body"]>;
  /** Of a streamed operation, with a body that ends in `too_large` at the operation's limit. */
  request: Request;
  now: Date;
}

/** Those that the operation's path names, each a whole number as text: another id is not found before the call. */
type Params = Record<"id" | "runId" | "organizationId", string>;
type Parsed<Schema> = z.output<Extract<Schema, z.ZodType>>;
type AnswerOf<O extends Operation> = z.input<Extract<O["answer"], z.ZodType>>;
type RouteParams = { params: Promise<Record<string, string | string[] | undefined>> };

/** A route's exported function; `operation` tells tests and the OpenAPI document what it serves. */
export type ApiRoute<O extends Operation> = ((request: Request, route: RouteParams) => Promise<Response>) & {
  operation: O;
};

const statusOf: Record<ErrorCode, number> = {
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  invalid: 422,
  conflict: 409,
  too_large: 413,
  rate_limited: 429,
  upstream: 502,
  unavailable: 503,
};

const defaultMaxBody = 5 * 1024 * 1024;
const longestKey = 255;

/**
 * Serves an operation: who is asking → may they → parse → one call → JSON.
 * A `Response` from the call goes out as it is (CSV).
 */
export function route<O extends Operation>(
  operation: O,
  call: (call: Call<O>) => Promise<AnswerOf<O> | Response>,
): ApiRoute<O> {
  const { id: name, quiet = false } = operation;
  const serveCall = async (request: Request, { context: ctx, params, now, askedBy }: PlainCall) => {
    const actor = await identify(ctx, request, now);
    askedBy(actor);
    if (!allows(actor.role, operation.role)) {
      throw new AppError("forbidden", `This needs the role ${operation.role}; yours is ${actor.role}.`);
    }
    if (actor.type === "person" && operation.method !== "GET") requireOurOrigin(request, ctx.config.server.publicUrl);
    const url = new URL(request.url);
    const common = { context: ctx, workspaceId: actor.workspaceId, actor, params: ids(params), now };
    const query = (operation.query && parse(operation.query, givenIn(url.searchParams))) as Parsed<O["query"]>;
    const key = operation.idempotent ? idempotencyKey(request) : null;
    const asker = actor.type === "person" ? `person ${actor.userId}` : `key ${actor.keyId}`;
    const identity = { key: ctx.config.secrets.encryption, text: `${asker}\0${url.pathname}${url.search}` };
    const received = await receiveBody(request, bodyRules(operation), identity);
    const body = parseBody(operation, received.value) as Parsed<O["body"]>;
    const perform = (db: Context["db"]) => {
      const trx = { get: () => transactionOf(db, operation) };
      const parsed = { ...common, db, query, body, request: received.request };
      return call(Object.defineProperty(parsed, "trx", trx) as Call<O>);
    };

    if (key !== null) {
      const once = onceOf(operation, ctx, actor, { key, fingerprint: received.fingerprint, now });
      const work = async (db: Context["db"]) => answerOf(operation, await perform(db));
      const isLong = operation.span === "long";
      return responseOf(
        await (isLong ? answerOnceInSteps(ctx.db, once, () => work(ctx.db)) : answerOnce(ctx.db, once, work)),
      );
    }
    const answer = await (operation.span === "long"
      ? perform(ctx.db)
      : inWorkspace(ctx.db, actor.workspaceId, perform));
    return answer instanceof Response ? answer : responseOf(await answerOf(operation, answer));
  };
  return Object.assign(plainRoute(name, serveCall, { quiet }), { operation });
}

/** What a route outside the catalogue gets; it judges by itself who is asking. */
export interface PlainCall {
  context: Context;
  params: Record<string, string | string[] | undefined>;
  now: Date;
  /** Tells the log who is asking, as soon as that is known. */
  askedBy: (actor: Asker) => void;
}

type Asker =
  | Actor
  | { type: "webhook"; workspaceId: number; connectionId: string }
  | { type: "source"; workspaceId: number; sourceId: string };

/**
 * A route outside the catalogue (cron, health, sign-in): only what every answer has in common, errors as JSON and the line
 * in the log included. `name` stands in the log; of a `quiet` one only at `debug`. `often`: asked thousands of times a second,
 * so that only what was refused stands above `debug`.
 */
export function plainRoute(
  name: string,
  serve: (request: Request, call: PlainCall) => Promise<Response>,
  { quiet = false, often = false } = {},
) {
  return (request: Request, { params }: RouteParams): Promise<Response> => {
    const requestId = requestIdOf(request);
    return servingRequest(requestId, async () => {
      const now = new Date();
      const started = performance.now();
      const asked: { by: Asker | null } = { by: null };
      const askedBy = (actor: Asker) => {
        asked.by = actor;
      };
      let response: Response;
      try {
        response = await serve(request, { context: context(), params: (await params) ?? {}, now, askedBy });
        if (quiet) tellStanding(context().log, name, null);
      } catch (error) {
        response = responseOf(refusal(error, requestId));
        if (response.status >= 500) tellFailure(name, error, quiet);
      }
      const durationMs = Math.round((performance.now() - started) * 10) / 10;
      const { status } = response;
      observeRequest({ operation: name, method: request.method, status }, durationMs);
      const told = { operation: name, method: request.method, path: pathOf(request), status, durationMs };
      context().log[quiet || (often && status < 400) ? "debug" : "info"](
        { ...told, ...identityOf(asked.by) },
        "a request was answered",
      );
      return withHeaders(response, requestId);
    });
  };
}

/** What probes and open screens ask every few seconds fails for the same known reason every few seconds. */
function tellFailure(name: string, error: unknown, quiet: boolean): void {
  const known = quiet ? foreseen(error) : null;
  if (known !== null) tellStanding(context().log, name, known);
  else context().log.error({ err: error, operation: name }, "a request failed");
}

/** Another program's id for the same request, so that its log and ours can be laid side by side; else one of our own. */
function requestIdOf(request: Request): string {
  const given = request.headers.get("x-request-id");
  return given !== null && /^[\w.:-]{8,128}$/.test(given) ? given : randomUUID();
}

/** Without the query, whose values may be somebody's address or name. */
const pathOf = (request: Request) => new URL(request.url).pathname.slice(0, 200);

function identityOf(asker: Asker | null): object {
  if (asker === null) return {};
  const { type, workspaceId } = asker;
  const id = idOf(asker);
  return { actor: { type, id }, workspaceId };
}

function idOf(asker: Asker): string {
  if (asker.type === "person") return asker.userId;
  if (asker.type === "key") return asker.keyId;
  return asker.type === "webhook" ? asker.connectionId : asker.sourceId;
}

/** The only place where an error becomes a status and a body; what was not foreseen never leaves in its own words. */
function refusal(error: unknown, requestId: string): Answer {
  const known = foreseen(error);
  if (known === null) {
    const message = `Something went wrong in Bellwether itself. The log says more under request ${requestId}.`;
    return { status: 500, body: JSON.stringify({ error: { code: "unavailable", message } }) };
  }
  const { code, message, details, malformed } = known;
  const status = code === "invalid" && malformed ? 400 : statusOf[code];
  return { status, body: JSON.stringify({ error: { code, message, ...(details && { details }) } }) };
}

function onceOf(
  operation: Operation,
  ctx: Context,
  actor: Actor,
  named: { key: string; fingerprint: Fingerprint; now: Date },
): Once {
  return {
    id: { workspaceId: actor.workspaceId, key: named.key, operation: operation.id },
    fingerprint: named.fingerprint,
    encryptionKey: ctx.config.secrets.encryption,
    now: named.now,
    refusal(error) {
      const refused = refusal(error, "");
      return refused.status < 500 && refused.status !== statusOf.rate_limited ? refused : null;
    },
  };
}

function idempotencyKey(request: Request): string | null {
  const key = request.headers.get("idempotency-key");
  if (key === null || (key.length > 0 && key.length <= longestKey)) return key;
  throw new AppError("invalid", `Idempotency-Key must have 1 to ${longestKey} characters.`, {
    details: [{ path: "Idempotency-Key", message: `must have 1 to ${longestKey} characters` }],
  });
}

function bodyRules(operation: Operation) {
  const kind = operation.streamed ? "stream" : operation.body ? "json" : "none";
  return { kind, maxBytes: operation.maxBody ?? defaultMaxBody } as const;
}

/** No body at all is the empty object where that is enough. */
function parseBody(operation: Operation, value: unknown): unknown {
  if (!operation.body) return undefined;
  if (value !== undefined) return parse(operation.body, value);
  const empty = operation.body.safeParse({});
  if (empty.success) return empty.data;
  throw new AppError("invalid", "The request needs a JSON body, and came without one.", { malformed: true });
}

function transactionOf(db: Context["db"], operation: Operation): Trx {
  if (db.isTransaction) return db as Trx;
  throw new Error(`${operation.id} has a long span: it opens its own transactions with inWorkspace().`);
}

/** A value that is empty, as in `?q=&cursor=`, is one that is not there. */
function givenIn(query: URLSearchParams): Record<string, string> {
  return Object.fromEntries([...query].filter(([, value]) => value !== ""));
}

/** All our ids and Zendesk's are whole numbers: anything else is the name of nothing. */
function ids(params: PlainCall["params"]): Params {
  for (const value of Object.values(params)) {
    if (typeof value !== "string" || !isWholeId(value)) throw notFound("What the address names");
  }
  return params as Params;
}

async function answerOf(operation: Operation, answer: unknown): Promise<Answer> {
  if (answer instanceof Response) return { status: answer.status, body: await answer.text() };
  const status = operation.status ?? 200;
  // A bigint is an id: text. What is not a finite number (NaN) is null, as JSON knows no other unknown.
  const body =
    status === 204 ? null : JSON.stringify(answer, (_, value) => (typeof value === "bigint" ? `${value}` : value));
  return { status, body };
}

function responseOf({ status, body }: Answer): Response {
  return new Response(body, { status, ...(body !== null && { headers: { "content-type": "application/json" } }) });
}

/** A new response: those of Response.redirect() have headers that cannot be set. */
function withHeaders(response: Response, requestId: string): Response {
  const headers = new Headers(response.headers);
  headers.set("x-request-id", requestId);
  headers.set("cache-control", "private, no-store");
  if (response.status === 503) headers.set("retry-after", "5");
  return new Response(response.body, { status: response.status, headers });
}
