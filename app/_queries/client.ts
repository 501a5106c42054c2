import { keepPreviousData, QueryClient } from "@tanstack/react-query";
import type { ErrorCode, ErrorDetail } from "#lib/errors.ts";

/** What the browser's side adds to the API's own codes: no answer came at all, or one that is not ours. */
export type ApiErrorCode = ErrorCode | "offline" | "unexpected";

/** An answer of the API that is not 2xx, or none. `message` is a sentence for the reader. */
export class ApiError extends Error {
  override readonly name = "ApiError";
  /** The HTTP status, or 0 when no answer came. */
  readonly status: number;
  readonly code: ApiErrorCode;
  readonly details: readonly ErrorDetail[];

  constructor(status: number, code: ApiErrorCode, message: string, details: readonly ErrorDetail[] = []) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }

  /** The message about one place in what was sent, for the field that it belongs to. */
  about(path: string): string | null {
    return this.details.find((detail) => detail.path === path)?.message ?? null;
  }
}

type Param = string | number | boolean | null | undefined;
export type Params = Readonly<Record<string, Param>>;

/** A path with its query; what is null, undefined or empty is left out. */
export function apiPath(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== null && value !== undefined && value !== "") query.set(name, String(value));
  }
  const text = query.toString();
  return text ? `${path}?${text}` : path;
}

/** Reads JSON from the API. Throws `ApiError`. */
export function apiGet<Answer>(path: string, params?: Params, signal?: AbortSignal): Promise<Answer> {
  return answerOf<Answer>(apiPath(path, params), { signal });
}

type SendOptions = {
  params?: Params;
  signal?: AbortSignal;
  /** Given, repeating the request gives the first answer again instead of doing the work twice. */
  idempotencyKey?: string;
};

/**
 * Writes to the API. A plain value is sent as JSON; text as CSV; a Blob or File as it is, with its own type.
 * Throws `ApiError`.
 */
export function apiSend<Answer = void>(
  method: "POST" | "PUT" | "PATCH" | "DELETE",
  path: string,
  body?: unknown,
  { params, signal, idempotencyKey }: SendOptions = {},
): Promise<Answer> {
  const headers = new Headers();
  if (idempotencyKey) headers.set("Idempotency-Key", idempotencyKey);
  return answerOf<Answer>(apiPath(path, params), { method, signal, headers, body: encode(body, headers) });
}

function encode(body: unknown, headers: Headers): BodyInit | undefined {
  if (body === undefined) return undefined;
  if (typeof body === "string" || body instanceof Blob) {
    headers.set("Content-Type", body instanceof Blob && body.type ? body.type : "text/csv; charset=utf-8");
    return body;
  }
  headers.set("Content-Type", "application/json");
  return JSON.stringify(body);
}

const noAnswer = "The server does not answer. Check the connection, then try again.";

/** A signal that gives up after so many milliseconds as well. `AbortSignal.any` is younger than the browsers that are served. */
export function givingUpAfter(milliseconds: number, signal: AbortSignal): AbortSignal {
  const controller = new AbortController();
  const timer = setTimeout(() => controller.abort(new DOMException(noAnswer, "TimeoutError")), milliseconds);
  signal.addEventListener("abort", () => {
    clearTimeout(timer);
    controller.abort(signal.reason);
  });
  return controller.signal;
}

async function answerOf<Answer>(path: string, init: RequestInit): Promise<Answer> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === "AbortError") throw error;
    throw new ApiError(0, "offline", noAnswer);
  }
  if (response.ok) return (response.status === 204 ? undefined : await response.json()) as Answer;
  throw await errorOf(response);
}

async function errorOf(response: Response): Promise<ApiError> {
  try {
    const { error } = (await response.json()) as {
      error: { code: ErrorCode; message: string; details?: ErrorDetail[] };
    };
    return new ApiError(response.status, error.code, error.message, error.details);
  } catch {
    return new ApiError(
      response.status,
      "unexpected",
      `The server answered ${response.status} without saying why. Try again; if it stays, tell an administrator.`,
    );
  }
}

const STALE_MS = 30_000;
const RETRIES = 2;

/** The cache of one browser tab: fresh for 30 s, asked again on focus, old values kept while new ones come. */
export function createQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: STALE_MS,
        refetchOnWindowFocus: true,
        placeholderData: keepPreviousData,
        // What the request itself got wrong stays wrong; only an absent or overloaded server is asked again.
        retry: (failures, error) => failures < RETRIES && !(error instanceof ApiError && isFinal(error)),
      },
    },
  });
}

function isFinal({ status }: ApiError): boolean {
  return status >= 400 && status < 500 && status !== 429;
}
