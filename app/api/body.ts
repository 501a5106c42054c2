import { createHash, createHmac, type Hash } from "node:crypto";
import type { Fingerprint } from "#lib/api/idempotency.ts";
import { AppError } from "#lib/errors.ts";

/** What is known of a body before it is read. */
export interface BodyRules {
  maxBytes: number;
  /** `json` is read and parsed at once, `stream` (CSV) is handed over as it comes, `none` is never read. */
  kind: "json" | "stream" | "none";
}

export interface ReceivedBody {
  /** The parsed JSON; undefined for an empty body and for the other kinds. */
  value: unknown;
  /** The request whose `body` is the counted stream. */
  request: Request;
  fingerprint: Fingerprint;
}

/**
 * Takes the body of a request under a cap that counts while it streams. Throws `too_large` that names the limit, and a
 * malformed `invalid` for a body that is not what its route reads. `identity` goes into the fingerprint with the body.
 */
export async function receiveBody(
  request: Request,
  rules: BodyRules,
  identity: { key: string; text: string },
): Promise<ReceivedBody> {
  if (rules.kind === "none" || request.body === null || request.headers.get("content-length") === "0") {
    return { value: undefined, request, fingerprint: fingerprintOf(identity, null) };
  }
  requireReadable(request, rules);
  const counted = countBytes(request.body, rules.maxBytes);
  const fingerprint = fingerprintOf(identity, counted);
  if (rules.kind === "stream") return { value: undefined, request: withBody(request, counted.stream), fingerprint };
  const bytes = await readAll(counted.stream);
  return { value: bytes.length === 0 ? undefined : parseJson(bytes), request, fingerprint };
}

const acceptedTypes: Record<"json" | "stream", { pattern: RegExp; say: string }> = {
  json: { pattern: /^application\/([\w.+-]+\+)?json$/, say: "JSON, with Content-Type: application/json" },
  // What browsers and command lines call a CSV file.
  stream: {
    pattern: /^(text\/(csv|plain)|application\/(csv|vnd\.ms-excel|octet-stream|x-www-form-urlencoded))$/,
    say: "the CSV file itself, with Content-Type: text/csv",
  },
};

function requireReadable(request: Request, { kind, maxBytes }: BodyRules): void {
  if (kind === "none") return;
  const type = request.headers.get("content-type")?.split(";")[0]?.trim().toLowerCase();
  const { pattern, say } = acceptedTypes[kind];
  if (type && !pattern.test(type))
    throw malformed(`The body must be ${say}; this one is sent as ${type.slice(0, 100)}.`);
  const encoding = request.headers.get("content-encoding");
  if (encoding && encoding !== "identity")
    throw malformed("Send the body uncompressed: Content-Encoding is not accepted.");
  requireLength(request, maxBytes);
}

/** Refuses at once what says itself that it is too large. */
function requireLength(request: Request, maxBytes: number): void {
  if (Number(request.headers.get("content-length") ?? 0) > maxBytes) throw tooLarge(maxBytes);
}

/** The same request with a body that ends in `too_large` at `maxBytes`, for a reader that has no cap of its own. */
export function cappedRequest(request: Request, maxBytes: number): Request {
  requireLength(request, maxBytes);
  return request.body === null ? request : withBody(request, countBytes(request.body, maxBytes).stream);
}

interface Counted {
  stream: ReadableStream<Uint8Array>;
  /** True once the last byte has gone through. */
  ended: () => boolean;
  hash: Hash;
}

function withBody(request: Request, body: ReadableStream<Uint8Array>): Request {
  const init: RequestInit & { duplex: "half" } = {
    method: request.method,
    headers: request.headers,
    body,
    duplex: "half",
  };
  return new Request(request.url, init);
}

function countBytes(body: ReadableStream<Uint8Array>, maxBytes: number): Counted {
  const reader = body.getReader();
  const hash = createHash("sha256");
  let seen = 0;
  let ended = false;
  const source: UnderlyingDefaultSource<Uint8Array> = {
    async pull(controller) {
      const { done, value } = await reader.read().catch(cutOff);
      ended = done;
      if (done) return controller.close();
      seen += value.byteLength;
      if (seen <= maxBytes) {
        hash.update(value);
        return controller.enqueue(value);
      }
      controller.error(tooLarge(maxBytes));
      void discard(reader);
    },
    cancel: () => void discard(reader),
  };
  // Nothing is read before it is asked for.
  return { stream: new ReadableStream(source, { highWaterMark: 0 }), ended: () => ended, hash };
}

/** The client is gone in the middle: no failure of ours, nor of the database. */
function cutOff(cause: unknown): never {
  throw new AppError("invalid", "The body ended before it was complete.", { malformed: true, cause });
}

const mostDiscarded = 512 * 1024 * 1024;
const longestDiscardMs = 60_000;

/**
 * Reads what nobody wants any more: most clients look at the answer only after they have sent everything, and would see a
 * broken connection instead of the reason. Gives up on one that never ends.
 */
async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  const giveUp = () => reader.cancel().catch(() => {});
  const timer = setTimeout(giveUp, longestDiscardMs);
  timer.unref();
  try {
    for (let discarded = 0; discarded <= mostDiscarded; ) {
      const { done, value } = await reader.read();
      if (done) return;
      discarded += value.byteLength;
    }
    await giveUp();
  } catch {
    // The client is gone: there is nobody left to answer.
  } finally {
    clearTimeout(timer);
  }
}

/** Keyed, since a body may hold a password and the fingerprint goes into the database. */
function fingerprintOf(identity: { key: string; text: string }, counted: Counted | null): Fingerprint {
  const digest = () => {
    const body = counted?.hash.copy().digest() ?? Buffer.alloc(0);
    return createHmac("sha256", identity.key).update(identity.text).update("\0").update(body).digest();
  };
  return {
    async whole() {
      if (counted !== null && !counted.ended()) await pass(counted.stream);
      return digest();
    },
    read: () => (counted === null || counted.ended() ? digest() : null),
  };
}

async function readAll(stream: ReadableStream<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** Reads to the end and keeps nothing: a file may be large, and its hash is taken as it passes. */
async function pass(stream: ReadableStream<Uint8Array>): Promise<void> {
  for await (const _ of stream);
}

function parseJson(bytes: Buffer): unknown {
  const text = textOf(bytes);
  try {
    return JSON.parse(text);
  } catch (error) {
    throw malformed(`The body is not JSON: ${error instanceof Error ? error.message : error}`);
  }
}

/** The text of a body, without a byte order mark. Throws a malformed `invalid` for bytes that are no UTF-8 (row 54). */
export function textOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw malformed("The body is not UTF-8 text.");
  }
}

function malformed(message: string): AppError {
  return new AppError("invalid", message, { malformed: true });
}

function tooLarge(maxBytes: number): AppError {
  const limit = maxBytes >= 1024 * 1024 ? `${maxBytes / (1024 * 1024)} MiB` : `${Math.round(maxBytes / 1024)} KiB`;
  return new AppError("too_large", `The body is larger than ${limit}, the most that is taken here. Send it in parts.`);
}
