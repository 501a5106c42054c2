import type { IncomingMessage, ServerResponse } from "node:http";
import { OPTIONS, POST } from "#app/v1/[door]/route.ts";
import { mostCallBytes } from "#app/v1/call-body.ts";
import { HeldBytes } from "#app/v1/held-bytes.ts";
import { keyShown } from "#app/v1/write-key.ts";
import { context } from "#lib/context.ts";
import { AppError } from "#lib/errors.ts";
import { ownerOf } from "#lib/sources/calls.ts";

/*
 * The doors, asked before the framework is: its way to a route costs several times what storing an event does. The routes
 * are the same; where nothing stands in front of the framework, it finds them by itself. Of whoever shows a key that does
 * not work no byte is read.
 */

type Route = typeof POST;
const routes: Record<string, Route | undefined> = { POST, OPTIONS };

/** Answers a call to a door. False: it is none, and somebody else's to answer. */
export function answerAtDoor(message: IncomingMessage, response: ServerResponse): boolean {
  const door = /^\/v1\/(\w+)(?:\?|$)/.exec(message.url ?? "")?.[1];
  const route = routes[message.method ?? ""];
  if (door === undefined || route === undefined) return false;
  answer(message, response, route, door).catch(() => response.destroy());
  return true;
}

async function answer(message: IncomingMessage, response: ServerResponse, route: Route, door: string): Promise<void> {
  const shown = keyShown(message.headers.authorization);
  const isLetIn = shown === null || (await opens(shown));
  const held = new HeldBytes(shown === null ? "strangers" : "judged");
  try {
    const request = await requestOf(message, isLetIn, held);
    const answered = await route(request, { params: Promise.resolve({ door }) });
    const headers = Object.fromEntries(answered.headers);
    const body = Buffer.from(await answered.arrayBuffer());
    // An answer before the end of the body: nobody may use this connection for another call.
    const isEarly = !message.complete;
    if (isEarly) headers.connection = "close";
    response.writeHead(answered.status, {
      ...headers,
      "x-content-type-options": "nosniff",
      // An answer without content may not speak of its length either (RFC 9110, 8.6).
      ...(answered.status !== 204 && { "content-length": body.length }),
    });
    if (!isEarly) return void response.end(body);
    response.write(body);
    await listenOn(message);
    response.end();
  } finally {
    held.release();
  }
}

/** Whether a key that does not work is told so before anything of the body is read: by the route, which says why. */
async function opens(key: string): Promise<boolean> {
  try {
    await ownerOf(context(), key, new Date());
    return true;
  } catch {
    return false;
  }
}

const listeningMs = 2_000;

/** Who still sends would see a broken connection instead of the answer: for a moment, what comes is thrown away. */
async function listenOn(message: IncomingMessage): Promise<void> {
  if (message.destroyed) return;
  message.resume();
  await new Promise<void>((done) => {
    const timer = setTimeout(done, listeningMs);
    message.once("close", () => {
      clearTimeout(timer);
      done();
    });
  });
}

async function requestOf(message: IncomingMessage, isLetIn: boolean, held: HeldBytes): Promise<Request> {
  const headers = new Headers();
  for (let at = 0; at < message.rawHeaders.length; at += 2) {
    headers.append(message.rawHeaders[at] ?? "", message.rawHeaders[at + 1] ?? "");
  }
  const init: RequestInit & { duplex: "half" } = { method: message.method ?? "", headers, duplex: "half" };
  if (message.method === "POST") init.body = isLetIn ? await bodyOf(message, held) : asAsked(message, held);
  return new Request(new URL(message.url ?? "/", "http://door"), init);
}

/** What is of a promised and modest length is read at once: a stream of its own costs more than such a body. */
async function bodyOf(message: IncomingMessage, held: HeldBytes): Promise<BodyInit> {
  const length = Number(message.headers["content-length"] ?? Number.NaN);
  if (!(length <= mostCallBytes)) return asAsked(message, held);
  const chunks: Uint8Array[] = [];
  try {
    for await (const chunk of counted(message, held)) chunks.push(chunk);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return new ReadableStream({ pull: (body) => body.error(error) });
  }
  return Buffer.concat(chunks);
}

/** Nothing is read of it before it is asked for. */
function asAsked(message: IncomingMessage, held: HeldBytes): ReadableStream {
  const chunks = counted(message, held);
  const source: UnderlyingDefaultSource<Uint8Array> = {
    async pull(body) {
      const { done, value } = await chunks.next();
      if (done) body.close();
      else body.enqueue(value);
    },
  };
  return new ReadableStream(source, { highWaterMark: 0 });
}

async function* counted(message: IncomingMessage, held: HeldBytes): AsyncGenerator<Uint8Array, void> {
  // Whoever is answered in the middle is still connected.
  for await (const chunk of message.iterator({ destroyOnReturn: false })) {
    held.add(chunk.length);
    yield chunk;
  }
}
