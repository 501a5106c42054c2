import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

/** A host that nothing may be sent to: it remembers whoever calls. */
export interface Canary {
  origin: string;
  /** What came: method, address and whether it carried credentials. */
  visits: string[];
  close(): Promise<void>;
}

export async function openCanary(): Promise<Canary> {
  const visits: string[] = [];
  const server = createServer((request, response) => {
    const signed = request.headers.authorization ? "with credentials" : "without credentials";
    visits.push(`${request.method} ${request.url} ${signed}`);
    response.writeHead(200, { "content-type": "application/json" });
    response.end("{}");
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    origin: `http://127.0.0.1:${port}`,
    visits,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}
