import { afterAll, beforeAll } from "vitest";
import { type Db, inWorkspace, openDatabase, type Trx } from "#db/client.ts";
import { addressOf, administer, dropDatabase, newName } from "#test/support/template-database.ts";

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
  const { TEST_DATABASE_URL: server, TEST_DATABASE_TEMPLATE: template } = process.env;
  if (!server || !template) throw new Error("There is no test database: run the tests through vitest's global set-up.");
  const name = newName("test");
  const url = addressOf(server, name);
  let open: ReturnType<typeof openDatabase> | undefined;

  beforeAll(async () => {
    await administer(server, `create database ${name} template ${template}`);
    open = openDatabase(url, { poolSize: 8 });
  }, 60_000);

  afterAll(async () => {
    await open?.db.destroy();
    await dropDatabase(server, name);
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
