import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Readable } from "node:stream";

/** A real HTTP server on loopback in front of functions that take a Request, as the product's routes do. */
export interface Endpoint {
  origin: string;
  /** Statuses in the order of answering. */
  statuses: number[];
  close(): Promise<void>;
}

export async function startEndpoint(answer: (request: Request) => Promise<Response>): Promise<Endpoint> {
  const statuses: number[] = [];
  const server = createServer((message, response) => {
    serve(message, response).catch(() => response.destroy());
  });
  // A socket that is closed while it waits would look like a delivery that nobody answered.
  server.keepAliveTimeout = 60_000;
  const serve = async (message: IncomingMessage, response: ServerResponse) => {
    const answered = await answer(requestOf(message));
    statuses.push(answered.status);
    // An answer before the body was read to its end: nobody may use this socket for another request.
    if (!message.complete) response.shouldKeepAlive = false;
    response.writeHead(answered.status, Object.fromEntries(answered.headers));
    response.end(Buffer.from(await answered.arrayBuffer()));
  };
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    statuses,
    close: async () => {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

function requestOf(message: IncomingMessage): Request {
  const headers = new Headers();
  for (const [name, value] of Object.entries(message.headers))
    if (value !== undefined) headers.set(name, String(value));
  const init: RequestInit & { duplex: "half" } = { method: message.method ?? "GET", headers, duplex: "half" };
  if (init.method !== "GET") init.body = Readable.toWeb(message) as ReadableStream;
  return new Request(new URL(message.url ?? "/", "http://127.0.0.1"), init);
}
