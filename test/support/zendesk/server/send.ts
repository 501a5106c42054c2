import type { ServerResponse } from "node:http";
import { gzipSync } from "node:zlib";
import type { Transport } from "../faults.ts";
import { encode } from "../wire/json.ts";
import type { Answer } from "./answer.ts";

/** Writes an answer to the socket, in the way that the transports ask for. Resolves when nothing more is to come. */
export async function send(
  response: ServerResponse,
  answer: Answer,
  headers: Record<string, string>,
  transports: readonly Transport[],
): Promise<void> {
  for (const transport of transports) {
    if (transport.kind === "delay") await pause(transport.milliseconds, response);
    if (transport.kind === "hang") return;
    if (transport.kind === "reset" && transport.moment === "accept") return cut(response);
  }
  const compressed =
    transports.some((transport) => "gzip" in transport && transport.gzip === true) ||
    transports.some((transport) => transport.kind === "gzip");
  const plain = bytesOf(answer);
  const body = compressed ? gzipSync(plain, { level: 1 }) : plain;
  const truncation = transports.find((transport) => transport.kind === "truncate");
  const allHeaders: Record<string, string> = {
    ...headers,
    ...(plain.length > 0 && { "content-type": answer.contentType ?? "application/json; charset=utf-8" }),
    ...(compressed && { "content-encoding": "gzip" }),
    ...answer.headers,
  };
  const framing = truncation?.framing ?? "content-length";
  if (framing === "content-length" && answer.status !== 204) allHeaders["content-length"] = String(body.length);
  if (framing === "close") {
    // Without length or chunks the end of the connection is the end of the body: a cut looks like an end.
    response.useChunkedEncodingByDefault = false;
    response.shouldKeepAlive = false;
  }
  response.writeHead(answer.status, allHeaders);

  for (const transport of transports) {
    if (transport.kind === "silence-after-headers") return response.flushHeaders();
    if (transport.kind === "reset") return resetDuring(response, body, transport.moment);
    if (transport.kind === "dribble") return dribble(response, body, transport.bytesPerSecond);
    if (transport.kind === "truncate") return truncate(response, body, transport);
  }
  response.end(body);
}

function bytesOf(answer: Answer): Buffer {
  if (answer.text !== undefined) return Buffer.from(answer.text);
  return answer.json === undefined ? Buffer.alloc(0) : encode(answer.json);
}

async function resetDuring(response: ServerResponse, body: Buffer, moment: "accept" | "headers" | "body") {
  if (moment === "body") await written(response, body.subarray(0, Math.floor(body.length / 2)));
  else response.flushHeaders();
  await pause(20, response);
  cut(response);
}

async function truncate(response: ServerResponse, body: Buffer, transport: Extract<Transport, { kind: "truncate" }>) {
  const at = transport.at < 1 ? Math.floor(body.length * transport.at) : Math.min(transport.at, body.length);
  await written(response, body.subarray(0, at));
  if (transport.framing === "close") return void response.socket?.end();
  await pause(5, response);
  response.socket?.destroy();
}

async function dribble(response: ServerResponse, body: Buffer, bytesPerSecond: number): Promise<void> {
  for (const byte of body) {
    if (response.destroyed) return;
    response.write(Uint8Array.of(byte));
    await pause(1000 / bytesPerSecond, response);
  }
  response.end();
}

function written(response: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve) => {
    if (bytes.length === 0) {
      response.flushHeaders();
      resolve();
    } else {
      response.write(bytes, () => resolve());
    }
  });
}

/** RST instead of a polite end. */
function cut(response: ServerResponse): void {
  response.socket?.resetAndDestroy();
}

/** Waits, but no longer than the client does. */
function pause(milliseconds: number, response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      response.off("close", end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    response.once("close", end);
  });
}
