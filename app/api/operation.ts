import type { z } from "zod";
import type { Role } from "#lib/auth/shapes.ts";

/**
 * One operation of the HTTP API: what a route checks before it runs, and what the OpenAPI document says of it.
 * The operations of a resource stand together in `app/api/operations/`; a route file names the one it serves.
 */
export interface Operation<
  Query extends z.ZodType = z.ZodType,
  Body extends z.ZodType = z.ZodType,
  Answer extends z.ZodType = z.ZodType,
> {
  id: string;
  method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** As in OpenAPI: `/api/v1/accounts/{id}`. */
  path: string;
  summary: string;
  /** The least role that may call it. */
  role: Role;
  query?: Query;
  body?: Body;
  answer?: Answer;
  /** Status of success; 200 unless told. */
  status?: 200 | 201 | 202 | 204;
  /** Takes an Idempotency-Key: the same key gives the first answer again. */
  idempotent?: boolean;
  /**
   * `transaction` (the default) runs the call in one transaction of the caller's workspace; `long` hands it the pool, for
   * calls that stream, wait for Zendesk or commit in steps.
   */
  span?: "transaction" | "long";
  /** Largest body in bytes; 5 MiB unless told. Bodies of `text/csv` are handed over as a stream. */
  maxBody?: number;
  /** The body is streamed as it comes (CSV), not parsed as JSON. */
  streamed?: boolean;
  /** Asked every few seconds: its line in the log is at `debug`. */
  quiet?: boolean;
}

export const operation = <Q extends z.ZodType, B extends z.ZodType, A extends z.ZodType>(
  definition: Operation<Q, B, A>,
): Operation<Q, B, A> => definition;
