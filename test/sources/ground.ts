import http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, beforeAll } from "vitest";
import { POST as createSource } from "#app/api/v1/sources/route.ts";
import { answerAtDoor } from "#app/v1/in-front.ts";
import { processDeliverer } from "#lib/destinations/deliverer.ts";
import { type Api, useApi } from "#test/support/api.ts";
import { type TestDatabase, useDatabase } from "#test/support/database.ts";

/** A workspace with a source, and who may change it. */
export interface Sending {
  workspace: number;
  /** An administrator's API key. */
  key: string;
  sourceId: string;
  writeKey: string;
}

export interface Doors {
  database: TestDatabase;
  api: Api;
  /** Where the doors are, as a base address for SDKs. */
  readonly origin: string;
  source(workspace?: number): Promise<Sending>;
  /** Calls a door as a program would; the body is JSON unless it is text or bytes. */
  send(door: string, writeKey: string | null, body: unknown, headers?: Record<string, string>): Promise<Answered>;
  stored(workspace: number): Promise<Stored[]>;
}

export interface Answered {
  status: number;
  headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: what an answer holds is what the tests claim
  body: any;
}

export type Stored = Awaited<ReturnType<typeof storedEvents>>[number];

/** The event doors behind a real HTTP server, on a database of the test file's own. Call at the top of a file. */
export function useDoors(): Doors {
  const database = useDatabase();
  const api = useApi(database);
  let server: http.Server;
  const origin = () => `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  beforeAll(async () => {
    // What becomes of the events is told elsewhere.
    await processDeliverer(api.context).stop(0);
    server = http.createServer((message, response) => {
      if (!answerAtDoor(message, response)) response.writeHead(404).end();
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  });
  afterAll(() => {
    server.close();
    server.closeAllConnections();
  });
  return {
    database,
    api,
    get origin() {
      return origin();
    },
    async source(given) {
      const workspace = given ?? (await database.workspace());
      const key = await api.key(workspace);
      const { id, writeKey } = (await api.call(createSource, "/api/v1/sources", { key, body: { name: "Shop" } })).body;
      return { workspace, key, sourceId: id, writeKey };
    },
    async send(door, writeKey, body, headers = {}) {
      const isRaw = typeof body === "string" || body instanceof Uint8Array;
      const response = await fetch(`${origin()}/v1/${door}`, {
        method: "POST",
        headers: { "content-type": "application/json", ...(writeKey !== null && basic(writeKey)), ...headers },
        body: isRaw ? (body as BodyInit) : JSON.stringify(body),
      });
      return { status: response.status, headers: response.headers, body: await response.json() };
    },
    stored: (workspace) => storedEvents(database, workspace),
  };
}

export const basic = (writeKey: string) => ({
  authorization: `Basic ${Buffer.from(`${writeKey}:`).toString("base64")}`,
});

function storedEvents(database: TestDatabase, workspace: number) {
  return database.inWorkspace(workspace, (trx) =>
    trx.selectFrom("event").selectAll().where("workspace_id", "=", workspace).orderBy("id").execute(),
  );
}
