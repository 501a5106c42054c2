import { promisify } from "node:util";
import { gunzip } from "node:zlib";
import { Agent, type Dispatcher } from "undici";
import { publicLookup } from "#lib/zendesk/address.ts";
import { within } from "#lib/zendesk/deadline.ts";

const unzip = promisify(gunzip);

/** All in milliseconds; each aborts the socket (row 70). */
export interface Deadlines {
  connect: number;
  /** From the request to its headers: an export page may take Zendesk a while. */
  headers: number;
  /** Between two pieces of the body. */
  idle: number;
  /** The whole exchange, for answers that dribble. */
  total: number;
}
export const defaultDeadlines: Deadlines = { connect: 10_000, headers: 60_000, idle: 30_000, total: 180_000 };

/** Largest body we hold, zipped or not (row 57). */
export const largestBody = 64 * 1024 * 1024;

export interface HttpAnswer {
  status: number;
  headers: Record<string, string | string[] | undefined>;
  body: Buffer;
  /** How long the exchange took. */
  elapsed: number;
}

/** The exchange did not happen, or not wholly. */
export class TransportError extends Error {
  override readonly name = "TransportError";
  readonly kind: "timeout" | "too_large" | "refused" | "broken" | "aborted";

  constructor(kind: TransportError["kind"], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
  }
}

export interface TransportOptions {
  /** Sockets are opened to this origin only. */
  origin: string;
  refusePrivateAddresses: boolean;
  deadlines?: Partial<Deadlines>;
  largestBody?: number;
}

/** HTTP to one origin and nothing else: no redirect is followed, no answer is believed before it is whole. */
export class Transport {
  private readonly agent: Agent;
  private readonly origin: string;
  private readonly deadlines: Deadlines;
  private readonly largest: number;

  constructor(options: TransportOptions) {
    this.origin = options.origin;
    this.deadlines = { ...defaultDeadlines, ...options.deadlines };
    this.largest = options.largestBody ?? largestBody;
    this.agent = new Agent({
      connections: 5,
      pipelining: 1,
      keepAliveTimeout: 4000,
      headersTimeout: this.deadlines.headers,
      bodyTimeout: this.deadlines.idle,
      connect: {
        timeout: this.deadlines.connect,
        ...(options.refusePrivateAddresses ? { lookup: publicLookup() } : {}),
      },
    });
  }

  async request(request: {
    method: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
    url: string;
    headers: Record<string, string>;
    body?: string;
    signal?: AbortSignal;
  }): Promise<HttpAnswer> {
    if (new URL(request.url).origin !== this.origin) throw new Error("A request left the account's own origin.");
    const { signal, clear } = within(this.deadlines.total, request.signal);
    const started = performance.now();
    try {
      const { statusCode, headers, body } = await this.agent.request({
        origin: this.origin,
        path: request.url.slice(this.origin.length),
        method: request.method,
        headers: { "accept-encoding": "gzip", ...request.headers },
        body: request.body ?? null,
        signal,
      });
      const whole = await this.readBody(body, headers["content-encoding"]).catch((error: unknown) => {
        // What these ask for stands in their headers, and is no less meant without their words (rows 1, 61).
        if ([401, 429, 503].includes(statusCode)) return Buffer.alloc(0);
        throw error;
      });
      return { status: statusCode, headers, body: whole, elapsed: performance.now() - started };
    } catch (error) {
      throw asTransportError(error, request.signal);
    } finally {
      clear();
    }
  }

  close(): Promise<void> {
    return this.agent.destroy();
  }

  private async readBody(
    body: Dispatcher.ResponseData["body"],
    encoding: string | string[] | undefined,
  ): Promise<Buffer> {
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body) {
      size += (chunk as Buffer).length;
      if (size > this.largest) throw new TransportError("too_large", `the answer is larger than ${this.largest} bytes`);
      chunks.push(chunk as Buffer);
    }
    const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
    if (encoding === undefined || encoding === "" || encoding === "identity") return bytes;
    if (encoding !== "gzip" && encoding !== "x-gzip")
      throw new TransportError("broken", `unknown encoding ${encoding}`);
    return unzip(bytes, { maxOutputLength: this.largest });
  }
}

function asTransportError(thrown: unknown, signal: AbortSignal | undefined): TransportError {
  if (thrown instanceof TransportError) return thrown;
  const error = withoutBytes(thrown);
  if (signal?.aborted) return new TransportError("aborted", "the run was told to stop", error);
  const { code = "", name = "", message = "" } = error as { code?: string; name?: string; message?: string };
  if (name === "TimeoutError" || /TIMEOUT|ETIMEDOUT/.test(code)) {
    return new TransportError("timeout", "no complete answer in time", error);
  }
  if (code === "ERR_BUFFER_TOO_LARGE")
    return new TransportError("too_large", "the unzipped answer is too large", error);
  if (code === "EPRIVATE") return new TransportError("refused", message, error);
  if (/ENOTFOUND|EAI_|ECONNREFUSED|ENETUNREACH|EHOSTUNREACH|CERT|TLS|SSL|SELF_SIGNED|UNABLE_TO/.test(code)) {
    return new TransportError("broken", `no connection (${code})`, error);
  }
  return new TransportError("broken", code || message || "the connection broke", error);
}

/** The parser's own error carries the bytes that it could not read: a token, or somebody's ticket. They are for no log. */
function withoutBytes(error: unknown): unknown {
  if (!(error instanceof Error && "data" in error)) return error;
  const { name, message } = error;
  const { code } = error as { code?: string };
  return Object.assign(new Error(message), { name, ...(code === undefined ? {} : { code }) });
}
