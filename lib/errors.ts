/**
 * The closed list of error codes that the API may answer (api.md, Conventions).
 * `lib` throws them; `app/api/handler.ts` is the only place that turns a code into an HTTP status.
 */
export type ErrorCode =
  | "unauthenticated"
  | "forbidden"
  | "not_found"
  | "invalid"
  | "conflict"
  | "too_large"
  | "rate_limited"
  | "upstream"
  | "unavailable";

/** One wrong place in what the caller sent: a dotted path and what to do about it. */
export type ErrorDetail = { path: string; message: string };

export class AppError extends Error {
  override readonly name = "AppError";
  readonly code: ErrorCode;
  readonly details: ErrorDetail[] | undefined;
  /** A body that could be read but whose values are wrong is 422; one that could not be read is 400. */
  readonly malformed: boolean;

  constructor(
    code: ErrorCode,
    message: string,
    options: { details?: ErrorDetail[]; malformed?: boolean; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.details = options.details;
    this.malformed = options.malformed ?? false;
  }
}

/** The thing asked for does not exist in this workspace (or belongs to another one: the answer is the same). */
export function notFound(what: string): AppError {
  return new AppError("not_found", `${what} was not found in this workspace.`);
}

/** Values that could be read but cannot be accepted. */
export function invalid(message: string, details?: ErrorDetail[]): AppError {
  return new AppError("invalid", message, details ? { details } : {});
}
