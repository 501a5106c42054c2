import { randomUUID } from "node:crypto";
import pg from "pg";
import { afterAll, beforeAll } from "vitest";
import { type Db, inWorkspace, openDatabase, type Trx } from "#db/client.ts";
import { migrateToLatest } from "#db/migrate.ts";

/** A migrated PostgreSQL database of the test file's own. */
export interface TestDatabase {
  db: Db;
  /** The address with the server's owner login (for tools that need it). */
  url: string;
  /** Shorthand for a transaction that sees one workspace. */
  inWorkspace<T>(workspaceId: number, work: (trx: Trx) => Promise<T>): Promise<T>;
  /** A new, empty workspace; its id. */
  workspace(overrides?: Partial<{ name: string; time_zone: string; windows: number[] }>): Promise<number>;
}

/**
 * Gives the calling test file its own database on the server named by TEST_DATABASE_URL (started by the global set-up) and
 * drops it afterwards. Call at the top of a file; the members may be used inside tests and hooks.
 */
export function useDatabase(): TestDatabase {
  const server = process.env.TEST_DATABASE_URL;
  if (!server) throw new Error("TEST_DATABASE_URL is not set: run the tests through vitest's global set-up.");
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  const url = withDatabase(server, name);
  let open: ReturnType<typeof openDatabase> | undefined;

  beforeAll(async () => {
    await administer(server, `create database ${name}`);
    await migrateToLatest(url);
    open = openDatabase(url, { poolSize: 8 });
  }, 60_000);

  afterAll(async () => {
    await open?.db.destroy();
    await administer(server, `drop database if exists ${name} with (force)`);
  });

  const db = () => {
    if (!open) throw new Error("The test database is open inside tests and hooks only.");
    return open.db;
  };
  return {
    get db() {
      return db();
    },
    url,
    inWorkspace: (workspaceId, work) => inWorkspace(db(), workspaceId, work),
    async workspace(overrides = {}) {
      const { id } = await db()
        .insertInto("workspace")
        .values({ name: "Test", created_at: new Date("2026-01-01T00:00:00Z"), ...overrides })
        .returning("id")
        .executeTakeFirstOrThrow();
      return id;
    },
  };
}

function withDatabase(server: string, name: string): string {
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}

async function administer(server: string, statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: server });
  await client.connect();
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}
