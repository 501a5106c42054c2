import { rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll } from "vitest";
import { POST as archive } from "#app/api/v1/connections/[id]/archive/route.ts";
import { POST as disconnect } from "#app/api/v1/connections/[id]/disconnect/route.ts";
import { GET as runs } from "#app/api/v1/connections/[id]/runs/route.ts";
import { POST as create } from "#app/api/v1/connections/route.ts";
import { createConnection } from "#lib/connections/create.ts";
import { type ConnectionAuth, connectionBody, type Run, type RunState } from "#lib/connections/shapes.ts";
import { processWorker } from "#lib/jobs/process.ts";
import { type Api, useApi } from "#test/support/api.ts";
import { type TestDatabase, useDatabase } from "#test/support/database.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import { World } from "#test/support/zendesk/world/world.ts";

export const connectionsPath = "/api/v1/connections";

export const byToken = (world: World): ConnectionAuth => ({
  type: "api_token",
  email: world.credentials.email,
  token: world.credentials.token,
});
export const byClient = (world: World): ConnectionAuth => ({
  type: "oauth_client_credentials",
  clientId: world.credentials.clientId,
  clientSecret: world.credentials.clientSecret,
});

/** A connection made through the API, with what the next calls need. */
export interface Connected {
  workspace: number;
  key: string;
  id: string;
  path: string;
  world: World;
  auth: ConnectionAuth;
}

export interface ConnectOptions {
  /** A connection in whose workspace this one is made. */
  beside?: Connected;
  auth?: (world: World) => ConnectionAuth;
  /** Done to the account before it is connected. */
  before?: (world: World) => void;
  body?: object;
}

export interface Ground {
  database: TestDatabase;
  api: Api;
  zendesk: Zendesk;
  /** Puts a small account at `subdomain`: an organization, its people and ten tickets, old enough to be exported. */
  account(subdomain: string): World;
  /** The same, connected: the first run has been asked for. */
  connect(subdomain: string, options?: ConnectOptions): Promise<Connected>;
  /** Connected, but this process leaves the first run to others. */
  connectQueued(subdomain: string, options?: ConnectOptions): Promise<Connected>;
  /** The newest run, once it is over. */
  settled(connected: Connected): Promise<Run>;
  /** The newest run, once it stands in a state. */
  reached(connected: Connected, state: RunState): Promise<Run>;
  /** Returns when the account has been asked for something under `path`. */
  requested(connected: Connected, path: string): Promise<void>;
  /** Returns when this process executes nothing for the connection. */
  idle(connected: Connected): Promise<void>;
  /** Disconnects and archives. */
  putAway(connected: Connected): Promise<void>;
}

/**
 * A database, the API and a stand-in Zendesk for one test file; what was asked for runs in this process, as in a server with
 * SCHEDULER=off. Call at the top of a file.
 */
export function useGround(environment: Record<string, string> = {}): Ground {
  const database = useDatabase();
  let zendesk: Zendesk | undefined;
  const started = () => {
    if (!zendesk) throw new Error("The stand-in Zendesk is there inside tests and hooks only.");
    return zendesk;
  };
  beforeAll(async () => {
    zendesk = await startZendesk({ worlds: [] });
  });
  const api = useApi(database, {
    SCHEDULER: "off",
    DATA_DIR: join(tmpdir(), `bellwether-ground-${process.pid}`),
    ...environment,
    get ZENDESK_URL() {
      return started().url;
    },
  });
  afterAll(async () => {
    await processWorker(api.context).drain(10_000);
    await zendesk?.close();
    rmSync(api.context.config.dataDir, { recursive: true, force: true });
  });

  const account = (subdomain: string) => {
    const world = smallAccount(subdomain);
    started().serve(world);
    return world;
  };
  const login = async (subdomain: string, options: ConnectOptions = {}) => {
    const { beside, auth = byClient, before } = options;
    const world = account(subdomain);
    before?.(world);
    const workspace = beside?.workspace ?? (await database.workspace());
    return { world, workspace, key: beside?.key ?? (await api.key(workspace)), auth: auth(world) };
  };
  const newest = async (connected: Connected) =>
    (await api.call(runs, `${connected.path}/runs?limit=1`, connected)).body.items[0];
  const scopeOf = ({ workspace, id }: Connected) => ({ workspaceId: workspace, connectionId: Number(id) });
  return {
    database,
    api,
    get zendesk() {
      return started();
    },
    account,
    async connect(subdomain, options = {}) {
      const ready = await login(subdomain, options);
      const body = { kind: "zendesk", subdomain, access: "read", auth: ready.auth, ...options.body };
      const { id } = (await api.call(create, connectionsPath, { key: ready.key, body })).body;
      return { ...ready, id, path: `${connectionsPath}/${id}` };
    },
    async connectQueued(subdomain, options = {}) {
      const ready = await login(subdomain, options);
      const body = connectionBody.parse({ kind: "zendesk", subdomain, auth: ready.auth, ...options.body });
      const scope = await createConnection(api.context, ready.workspace, body, "the test", new Date());
      const id = String(scope.connectionId);
      return { ...ready, id, path: `${connectionsPath}/${id}` };
    },
    settled: (connected) =>
      eventually(async () => {
        const run = await newest(connected);
        return run && !["queued", "running", "waiting"].includes(run.state) ? run : null;
      }, "the run to end"),
    reached: (connected, state) =>
      eventually(async () => {
        const run = await newest(connected);
        return run?.state === state ? run : null;
      }, `a run that is ${state}`),
    requested: (connected, path) =>
      eventually(
        async () => (started().journal.to(path, connected.world.subdomain).length > 0 ? undefined : null),
        `a request for ${path}`,
      ),
    idle: (connected) =>
      eventually(
        async () => (processWorker(api.context).executes(scopeOf(connected)) ? null : undefined),
        "the process to be idle",
      ),
    async putAway(connected) {
      await api.call(disconnect, `${connected.path}/disconnect`, connected);
      await api.call(archive, `${connected.path}/archive`, connected);
    },
  };
}

/** Asks again and again until the answer is not null; fails after a minute, naming what did not come. */
export async function eventually<T>(ask: () => Promise<T | null>, what: string): Promise<T> {
  for (let attempt = 0; attempt < 1200; attempt++) {
    const answer = await ask();
    if (answer !== null) return answer;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`Waited in vain for ${what}.`);
}

function smallAccount(subdomain: string): World {
  const world = new World({ subdomain, clock: "2026-02-01T09:00:00Z" });
  const { id: organizationId } = world.organizations.create({ name: "Northwind", externalId: "NW-1" });
  const { id: requesterId } = world.users.create({
    name: "Ada Miller",
    email: "ada@northwind.example",
    organizationId,
  });
  for (let day = 0; day < 10; day++) {
    world.tickets.create({ subject: `Question ${day}`, priority: "urgent", requesterId, organizationId });
    world.advance(86_400_000);
  }
  return world;
}
