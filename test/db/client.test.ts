import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { sql } from "kysely";
import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { inWorkspace, openDatabase } from "#db/client.ts";
import { ensurePostgres, stopPostgres } from "#db/embedded.ts";
import { migrateToLatest } from "#db/migrate.ts";

// Roles belong to the whole server: these tests have one of their own.
let folder: string;
let ownerUrl: string;

beforeAll(async () => {
  folder = fs.mkdtempSync(path.join(os.tmpdir(), "bellwether-client-"));
  ({ ownerUrl } = await ensurePostgres(path.join(folder, "pg"), { throwaway: true }));
});

afterAll(async () => {
  await stopPostgres(path.join(folder, "pg"));
  fs.rmSync(folder, { recursive: true, force: true });
});

/** The address of a new database that belongs to a new login with these attributes. */
async function databaseOf(login: string, attributes: string): Promise<string> {
  const owner = new pg.Client({ connectionString: ownerUrl });
  await owner.connect();
  await owner.query(`create role ${login} login password 'test' ${attributes}`);
  await owner.query(`create database ${login} owner ${login}`);
  await owner.end();
  const url = new URL(ownerUrl);
  Object.assign(url, { username: login, password: "test", pathname: `/${login}` });
  return url.href;
}

test("a login that may neither make roles nor is bound by row-level security is refused with a remedy", async () => {
  const url = await databaseOf("unbound", "bypassrls");
  await expect(migrateToLatest(url)).rejects.toThrow("take BYPASSRLS from it, or give it CREATEROLE");
});

test.each([
  ["owner_only", ""],
  ["cloud_administrator", "bypassrls createrole"],
])("a login that is %s migrates, serves, and sees no row outside of its workspace", async (login, attributes) => {
  const url = await databaseOf(login, attributes);
  await migrateToLatest(url);
  const { db } = openDatabase(url, { poolSize: 2 });
  try {
    const count = sql<{ accounts: number }>`select count(*)::int as accounts from account`;
    await inWorkspace(db, 1, (trx) =>
      sql`insert into account (workspace_id, external_id, name, created_at, updated_at)
        values (1, 'a', 'A', now(), now())`.execute(trx),
    );
    expect((await inWorkspace(db, 1, (trx) => count.execute(trx))).rows).toEqual([{ accounts: 1 }]);
    expect((await inWorkspace(db, 2, (trx) => count.execute(trx))).rows).toEqual([{ accounts: 0 }]);
    expect((await count.execute(db)).rows).toEqual([{ accounts: 0 }]);
  } finally {
    await db.destroy();
  }
});

test("a connection of the pool keeps nobody waiting for good: statements, waits for locks and idle transactions end", async () => {
  const { db, pool } = openDatabase(ownerUrl, { poolSize: 2 });
  try {
    const { rows } = await pool.query<{ name: string; seconds: number }>(
      `select name, setting::int / 1000 as seconds from pg_settings
        where name in ('statement_timeout', 'lock_timeout', 'idle_in_transaction_session_timeout') order by name`,
    );
    expect(rows).toEqual([
      { name: "idle_in_transaction_session_timeout", seconds: 60 },
      { name: "lock_timeout", seconds: 30 },
      { name: "statement_timeout", seconds: 300 },
    ]);
    const held = await pool.connect();
    await held.query("begin; set local idle_in_transaction_session_timeout = 50; select pg_advisory_xact_lock(1)");
    await pool.query("select pg_advisory_xact_lock(1)");
    await expect(held.query("select 1")).rejects.toThrow();
    held.release(true);
  } finally {
    await db.destroy();
  }
});
