import type { Fault, Transport } from "./faults.ts";
import { type Answer, htmlPage } from "./server/answer.ts";
import type { ApiRequest } from "./server/request.ts";

/** The faults that tests ask for by name. Each is a value for `faults.add(match, fault)`. */

type Row = Record<string, unknown>;

export function answers(label: string, answer: Answer | ((request: ApiRequest) => Answer)): Fault {
  return { label, effects: [{ kind: "answer", answer }] };
}

export function travels(transport: Transport): Fault {
  return { label: transport.kind, effects: [{ kind: "transport", transport }] };
}

export function changes(label: string, change: (answer: Answer, request: ApiRequest) => Answer): Fault {
  return { label, effects: [{ kind: "change", change }] };
}

export interface TooManyRequests {
  /** The header as text: seconds, a date, junk; null for none. Default `1`. */
  retryAfter?: string | null;
  body?: "account" | "incremental" | "user" | "organization" | "html";
}

const tooManyBodies: Record<NonNullable<TooManyRequests["body"]>, Partial<Answer>> = {
  account: { text: "Number of allowed API requests per minute exceeded", contentType: "text/plain; charset=utf-8" },
  incremental: {
    json: {
      error: "APIRateLimitExceeded",
      description: "Number of allowed incremental export API requests per minute exceeded",
    },
  },
  user: { text: "Rate limit for updating a single unique user exceeded", contentType: "text/plain; charset=utf-8" },
  organization: { json: { errors: [{ code: "TooManyRequests", title: "Too many requests to update" }] } },
  html: htmlPage(429, "Too many requests"),
};

/** 429 in all the shapes it is seen in. */
export function tooManyRequests({ retryAfter = "1", body = "account" }: TooManyRequests = {}): Fault {
  const headers: Record<string, string> = {};
  if (retryAfter !== null) headers["retry-after"] = retryAfter;
  return answers("429", { ...tooManyBodies[body], headers, status: 429 });
}

/** Any status with a body in JSON. */
export function status(code: number, json: unknown = { error: "Injected" }, headers?: Record<string, string>): Fault {
  return answers(String(code), { status: code, json, ...(headers && { headers }) });
}

/** Any status with a page for people. */
export function html(code: number, title = "Something went wrong", headers?: Record<string, string>): Fault {
  return answers(`html ${code}`, { ...htmlPage(code, title), ...(headers && { headers }) });
}

/** 403 in each of the envelopes. */
export function forbidden(envelope: "scope" | "titled" | "listed" | "html" = "titled"): Fault {
  if (envelope === "html") return html(403, "Forbidden");
  const bodies = {
    scope: { error: "Forbidden", description: "You are missing the following required scopes: read" },
    titled: { error: { title: "Forbidden", message: "You do not have access to this page." } },
    listed: { errors: [{ code: "Forbidden", status: "403", title: "Forbidden" }] },
  };
  return status(403, bodies[envelope]);
}

/** 401 as for an API token, or as for an access token. */
export function unauthorized(kind: "token" | "bearer" = "bearer"): Fault {
  if (kind === "token") return status(401, { error: "Couldn't authenticate you" });
  const description = "The access token provided is expired, revoked, malformed or invalid for other reasons.";
  return status(401, { error: "invalid_token", error_description: description });
}

/** 200 with something that is no page: `<html>`, nothing, `null`, `[]`, `{"error": …}`; 204; or 206, a part that looks whole. */
export function notAPage(
  kind: "html" | "empty" | "null" | "list" | "error" | "error beside rows" | "no-content" | "part",
): Fault {
  if (kind === "html") return html(200, "Down for maintenance");
  if (kind === "empty") return answers("200 empty", { status: 200, text: "", contentType: "application/json" });
  if (kind === "part") return changes("206", (answer) => ({ ...answer, status: 206 }));
  if (kind === "no-content") return answers("204", { status: 204 });
  if (kind === "error beside rows") return changesBody("200 with an error", (body) => ({ ...body, error: "Internal" }));
  const bodies = { null: null, list: [], error: { error: "Internal" } };
  return answers(`200 ${kind}`, { status: 200, json: bodies[kind] });
}

/** A move to another address: `base`, such as `http://127.0.0.1:4011/new-name`, with the request's own path. */
export function redirect(code: 301 | 302 | 307 | 308, base: string): Fault {
  return answers(`${code}`, (request) => ({
    status: code,
    headers: { location: `${base.replace(/\/$/, "")}${request.path}?${request.query}` },
  }));
}

export const hang = (): Fault => travels({ kind: "hang" });
export const silenceAfterHeaders = (): Fault => travels({ kind: "silence-after-headers" });
export const reset = (moment: "accept" | "headers" | "body"): Fault => travels({ kind: "reset", moment });
export const slow = (milliseconds: number): Fault => travels({ kind: "delay", milliseconds });
export const dribble = (bytesPerSecond = 1): Fault => travels({ kind: "dribble", bytesPerSecond });
export const truncate = (
  at: number,
  options: { gzip?: boolean; framing?: "content-length" | "chunked" | "close" } = {},
) => travels({ kind: "truncate", at, ...options });

/** Pages above a size never arrive. */
export function tooHeavy(above: number, code = 504): Fault {
  return {
    label: `too heavy above ${above}`,
    effects: [
      {
        kind: "change",
        change: (answer, request) => {
          const asked = Number(request.query.get("per_page") ?? request.query.get("page[size]") ?? 1000);
          return asked > above ? htmlPage(code, "Gateway timeout") : answer;
        },
      },
    ],
  };
}

/** A cursor that the account no longer takes. Meets only requests that carry one. */
export function cursorRejected(code: 400 | 404 | 422 = 400): Fault {
  return changes(`cursor ${code}`, (answer, request) => {
    const carries = request.query.has("cursor") || request.query.has("page[after]");
    return carries ? { status: code, json: { error: "InvalidValue", description: "Invalid cursor" } } : answer;
  });
}

/** Takes keys out of the envelope: `end_of_stream`, `count`, `meta`. */
export function withoutKeys(...keys: string[]): Fault {
  return changesBody(`without ${keys.join()}`, (body) =>
    Object.fromEntries(Object.entries(body).filter(([key]) => !keys.includes(key))),
  );
}

/** No rows, no end, and the cursor where it was. */
export function emptyPage(): Fault {
  return changes("empty page", (answer, request) => {
    const body = bodyOf(answer);
    const key = rowsKey(body);
    if (key === null) return answer;
    const stay = request.query.get("cursor") ?? request.query.get("page[after]");
    // The first page of a cursor export has no place to stay at: without its rows it would hide them for good.
    if (stay === null && "end_of_stream" in body && "after_cursor" in body) return answer;
    const json = {
      ...body,
      [key]: [],
      ...("end_of_stream" in body && { end_of_stream: false }),
      ...("after_cursor" in body && stay !== null && { after_cursor: stay }),
      ...("end_time" in body && { end_time: Number(request.query.get("start_time")), count: 0 }),
      ...("meta" in body && { meta: { has_more: true, after_cursor: stay, before_cursor: null } }),
    };
    return { status: answer.status, json, ...(answer.headers && { headers: answer.headers }) };
  });
}

/** Changes the envelope: `after_url` on another host, a count that is off. */
export function changesBody(label: string, change: (body: Row, request: ApiRequest) => Row): Fault {
  return changes(label, (answer, request) =>
    answer.status === 200 ? { ...answer, json: change(bodyOf(answer), request) } : answer,
  );
}

/** Changes the rows of each page, and what the page says of their number. */
export function changesRows(label: string, change: (rows: Row[], request: ApiRequest) => Row[]): Fault {
  return changesBody(label, (body, request) => {
    const key = rowsKey(body);
    if (key === null) return body;
    const was = body[key] as Row[];
    const rows = change(was, request);
    return { ...body, [key]: rows, ...(body.count === was.length && { count: rows.length }) };
  });
}

/** The last `count` rows of a page come again at the head of the next one. */
export function repeatsRows(count: number): Fault {
  const tails = new Map<string, Row[]>();
  return changesRows(`repeats ${count}`, (rows, request) => {
    const list = `${request.subdomain}${request.path}`;
    const repeated = request.page > 1 ? (tails.get(list) ?? []) : [];
    tails.set(list, rows.slice(-count));
    return [...repeated, ...rows];
  });
}

/** One row of each page stands there twice: its older version after it, or before it. */
export function sameRowTwice(older: (row: Row) => Row, order: "older-first" | "older-last" = "older-last"): Fault {
  return changesRows("same row twice", (rows) => {
    const [first, ...rest] = rows;
    if (first === undefined) return rows;
    return order === "older-first" ? [older(first), first, ...rest] : [first, older(first), ...rest];
  });
}

/** Ends an access token, a login, whatever `run` does, in the moment of the request. */
export function inTheMoment(label: string, run: (request: ApiRequest) => void): Fault {
  return { label, effects: [{ kind: "before", run }] };
}

function bodyOf(answer: Answer): Row {
  return typeof answer.json === "object" && answer.json !== null ? (answer.json as Row) : {};
}

/** The rows are the first array of an envelope. */
function rowsKey(body: Row): string | null {
  return Object.keys(body).find((key) => Array.isArray(body[key])) ?? null;
}
