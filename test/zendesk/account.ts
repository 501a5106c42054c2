import { afterEach } from "vitest";
import { inWorkspace, type Trx } from "#db/client.ts";
import type { StreamName, SyncMode } from "#lib/connections/shapes.ts";
import type { ClientOptions } from "#lib/zendesk/client-options.ts";
import { tryCredentials } from "#lib/zendesk/credentials.ts";
import { type RunOutcome, runStreams, type SyncJob } from "#lib/zendesk/sync.ts";
import type { TestDatabase } from "#test/support/database.ts";
import { startZendesk, type Zendesk } from "#test/support/zendesk/start.ts";
import type { World } from "#test/support/zendesk/world/world.ts";
import { configFor, silentLog } from "#test/zendesk/account-config.ts";

export interface Account {
  zendesk: Zendesk;
  world: World;
  workspaceId: number;
  connectionId: number;
  /** Delays that the run asked for instead of sleeping, in milliseconds. */
  slept: number[];
  sync(options?: SyncOptions): Promise<RunOutcome & { runId: string }>;
  read<T>(work: (trx: Trx) => Promise<T>): Promise<T>;
}

export interface SyncOptions {
  mode?: SyncMode;
  runId?: string;
  streams?: StreamName[];
  deadline?: () => boolean;
  clock?: () => Date;
  options?: Partial<ClientOptions>;
  connection?: Record<string, unknown>;
  /** Another way to the account than the direct one. */
  through?: { urlTemplate: string };
  fence?: SyncJob["fence"];
}

const opened: Zendesk[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((zendesk) => zendesk.close()));
});

/** A workspace with one connection to a stand-in Zendesk of this world, closed after the test. */
export async function connect(
  database: TestDatabase,
  world: World,
  options: {
    limits?: object;
    history?: { history_days?: number; event_history_days?: number };
    access?: "read" | "read_write";
  } = {},
): Promise<Account> {
  const zendesk = await startZendesk({ worlds: [world], ...(options.limits ? { limits: options.limits } : {}) });
  opened.push(zendesk);
  const config = configFor(zendesk);
  const clock = () => new Date(world.now());
  const workspaceId = await database.workspace();
  const { clientId, clientSecret } = world.credentials;
  const auth = { type: "oauth_client_credentials" as const, clientId, clientSecret };
  const { access = "read" } = options;
  const tried = await tryCredentials(
    { config, db: database.db },
    { subdomain: world.subdomain, auth, access, now: clock() },
  );
  const { id: connectionId } = await inWorkspace(database.db, workspaceId, (trx) =>
    trx
      .insertInto("connection")
      .values({
        workspace_id: workspaceId,
        name: "Test",
        subdomain: world.subdomain,
        access,
        event_history_days: 0,
        ...options.history,
        ...tried.stored,
        created_at: new Date(),
        updated_at: new Date(),
      })
      .returning("id")
      .executeTakeFirstOrThrow(),
  );
  zendesk.journal.clear();
  const scope = { workspaceId, connectionId };
  const slept: number[] = [];
  const read = <T>(work: (trx: Trx) => Promise<T>) => inWorkspace(database.db, workspaceId, work);

  // Sleeping moves the account on: budgets are counted in its time.
  async function nap(milliseconds: number): Promise<void> {
    slept.push(milliseconds);
    world.advance(milliseconds);
  }

  async function sync(given: SyncOptions = {}) {
    const mode = given.mode ?? "incremental";
    const runId = given.runId ?? (await newRun(mode));
    const connection = await read((trx) =>
      trx.selectFrom("connection").selectAll().where("id", "=", connectionId).executeTakeFirstOrThrow(),
    );
    let state = "interrupted";
    try {
      const outcome = await runStreams(
        { config: { ...config, zendesk: { ...config.zendesk, ...given.through } }, db: database.db, log: silentLog },
        {
          scope,
          connection: { ...connection, ...given.connection },
          mode,
          runId,
          fence: given.fence ?? (async () => {}),
          deadline: given.deadline ?? (() => false),
          clock: given.clock ?? clock,
          ...(given.streams ? { streams: given.streams } : {}),
          options: { sleep: nap, ...given.options },
        },
      );
      state = outcome.waitingUntil ? "waiting" : "succeeded";
      return { ...outcome, runId };
    } finally {
      await read((trx) => trx.updateTable("sync_run").set({ state }).where("id", "=", runId).execute());
    }
  }

  async function newRun(mode: string): Promise<string> {
    const { id } = await read(async (trx) => {
      // What a killed process, or a turn that nobody went on with, left behind.
      await trx
        .updateTable("sync_run")
        .set({ state: "interrupted" })
        .where("state", "in", ["running", "waiting"])
        .execute();
      return trx
        .insertInto("sync_run")
        .values({
          workspace_id: workspaceId,
          connection_id: connectionId,
          mode,
          trigger: "person",
          state: "running",
          requested_at: new Date(),
        })
        .returning("id")
        .executeTakeFirstOrThrow();
    });
    return id;
  }

  return { zendesk, world, workspaceId, connectionId, slept, sync, read };
}
