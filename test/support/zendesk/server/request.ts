import { randomUUID } from "node:crypto";
import type { IncomingHttpHeaders, IncomingMessage } from "node:http";
import type { World } from "../world/world.ts";

/** A request to an account, as routes and faults see it. */
export interface ApiRequest {
  method: string;
  subdomain: string;
  /** Below the account's base, without `.json`: `/api/v2/incremental/tickets/cursor`. */
  path: string;
  /** The path ended in `.json`. */
  hadSuffix: boolean;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** Which page of a list this asks for: 1 for the first, the same again for a repeated request. */
  page: number;
  /** The address of the account: `http://127.0.0.1:4010/acme`. */
  base: string;
  /** `x-request-id` of the answer. */
  requestId: string;
}

/** A request that belongs to a known account. */
export interface AccountRequest extends ApiRequest {
  world: World;
}

const accountPath = /^\/([^/]+)(\/.*)?$/;

/** Splits `/{subdomain}/rest`; null when there is no account in the path. */
export function readAddress(message: IncomingMessage, origin: string): Omit<ApiRequest, "body" | "page"> | null {
  const url = new URL(message.url ?? "/", origin);
  const match = accountPath.exec(url.pathname);
  if (match === null) return null;
  const [, subdomain = "", rest = "/"] = match;
  const hadSuffix = rest.endsWith(".json");
  return {
    method: message.method ?? "GET",
    subdomain: decodeURIComponent(subdomain),
    path: hadSuffix ? rest.slice(0, -".json".length) : rest,
    hadSuffix,
    query: url.searchParams,
    headers: message.headers,
    base: `${origin}/${subdomain}`,
    requestId: randomUUID(),
  };
}

export async function readBody(message: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of message) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

/** What tells the pages of one list apart. */
export function pageToken(query: URLSearchParams): string | null {
  return query.get("cursor") ?? query.get("page[after]") ?? query.get("page") ?? query.get("start_time");
}
