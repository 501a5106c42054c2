import { execFile } from "node:child_process";
import { randomUUID } from "node:crypto";
import path from "node:path";
import { promisify } from "node:util";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { afterAll, expect, test } from "vitest";
import { isMigrated, migrateToLatest, migrateWithin, migrationNames } from "#db/migrate.ts";
import type { Database } from "#db/schema.ts";

/* A new version comes while the old one still serves, and whoever brings it may be killed (row 84). */

const server = process.env.TEST_DATABASE_URL ?? "";
const run = promisify(execFile);
const made: string[] = [];

async function query<Row>(url: string, text: string): Promise<Row[]> {
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  return client.query(text).then(
    ({ rows }) => client.end().then(() => rows as Row[]),
    (error) => client.end().then(() => Promise.reject(error)),
  );
}

async function emptyDatabase(): Promise<string> {
  const name = `test_${randomUUID().replaceAll("-", "")}`;
  await query(server, `create database ${name}`);
  made.push(name);
  const url = new URL(server);
  url.pathname = `/${name}`;
  return url.href;
}
afterAll(async () => {
  for (const name of made) await query(server, `drop database if exists ${name} with (force)`);
});

/** A database as the version before the last migration left it. */
async function before(count: number): Promise<string> {
  const url = await emptyDatabase();
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const db = new Kysely<Database>({ dialect: new PostgresDialect({ pool }) });
  await db.transaction().execute((trx) => migrateWithin(trx, migrationNames.slice(0, count)));
  await db.destroy();
  return url;
}

interface Column {
  table: string;
  column: string;
  type: string;
  required: boolean;
  filled: boolean;
}
const columnsOf = (url: string) =>
  query<Column>(
    url,
    `select c.relname as table, a.attname as column, format_type(a.atttypid, a.atttypmod) as type,
            a.attnotnull as required, a.atthasdef or a.attidentity <> '' as filled
       from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname not like 'kysely%'
      order by 1, 2`,
  );
const uniqueOf = (url: string) =>
  query<{ table: string; definition: string }>(
    url,
    "select tablename as table, indexdef as definition from pg_indexes where schemaname = 'public' and tablename not like 'kysely%' and indexdef like '%UNIQUE%' order by indexdef",
  );

/** What else a table says to whoever reads and writes it. A new one refuses or changes what the version before says; one that is gone lets through what it relies on. */
const rulesOf = (url: string) =>
  query<{ table: string; rule: string }>(
    url,
    `with rules as (
       select conrelid as oid, conname || ': ' || pg_get_constraintdef(oid) as rule
         from pg_constraint where contype in ('c', 'f', 'x')
       union all
       select tgrelid, pg_get_triggerdef(oid) || ', enabled ' || tgenabled::text from pg_trigger where not tgisinternal
       union all
       select ev_class, pg_get_ruledef(oid) from pg_rewrite where rulename <> '_RETURN'
       union all
       select polrelid, concat_ws(' ', 'policy', polname, polcmd, polpermissive, polroles,
              'using', pg_get_expr(polqual, polrelid), 'with check', pg_get_expr(polwithcheck, polrelid))
         from pg_policy
       union all
       select oid, concat_ws(' ', 'row security', relrowsecurity, relforcerowsecurity) from pg_class
       union all
       select c.oid, concat_ws(' ', granted.grantee::regrole, 'may', granted.privilege_type)
         from pg_class c, aclexplode(c.relacl) as granted)
     select c.relname as table, rules.rule from rules join pg_class c on c.oid = rules.oid
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname not like 'kysely%'
      order by 1, 2`,
  );

async function migrated(url: string): Promise<boolean> {
  const pool = new pg.Pool({ connectionString: url, max: 1 });
  const db = new Kysely<never>({ dialect: new PostgresDialect({ pool }) });
  return isMigrated(db).finally(() => db.destroy());
}

test("two migrators at once make one schema, and a third finds nothing to do", async () => {
  const url = await emptyDatabase();
  const script = 'const { migrateToLatest } = await import("#db/migrate.ts"); await migrateToLatest(process.env.URL);';
  const migrator = () =>
    run(process.execPath, ["--import", "tsx", "--input-type=module", "-e", script], {
      cwd: path.resolve(import.meta.dirname, "..", ".."),
      env: { ...process.env, URL: url },
    });
  await Promise.all([migrator(), migrateToLatest(url), migrateToLatest(url)]);
  await migrateToLatest(url);
  expect(await query(url, "select name from kysely_migration order by name")).toEqual(
    migrationNames.map((name) => ({ name })),
  );
}, 60_000);

test("a migrator that is killed in the middle leaves the old schema whole; the next one finishes", async () => {
  const url = await before(migrationNames.length - 1);
  const old = await columnsOf(url);
  const rival = new pg.Client({ connectionString: url });
  await rival.connect();
  // Everything of the last migration is done, but nobody can note that it is.
  await rival.query("begin; lock table kysely_migration in share mode");
  const dies = migrateToLatest(url).catch((error: Error) => error);
  await expect
    .poll(() =>
      query(
        server,
        `select from pg_locks where not granted and database = (select oid from pg_database where datname = '${new URL(url).pathname.slice(1)}')`,
      ),
    )
    .toHaveLength(1);
  await query(
    server,
    `select pg_terminate_backend(pid) from pg_locks where not granted
      and database = (select oid from pg_database where datname = '${new URL(url).pathname.slice(1)}')`,
  );
  expect(await dies).toBeInstanceOf(Error);
  await rival.query("rollback");
  await rival.end();
  expect(await columnsOf(url)).toEqual(old);
  expect(await migrated(url)).toBe(false);
  await migrateToLatest(url);
  expect(await migrated(url)).toBe(true);
});

test.each(migrationNames.slice(1).map((name, index) => [name, index + 1] as const))(
  "%s only expands: what the version before it says to the database holds after it",
  async (_, count) => {
    const [older, newer] = [await before(count), await before(count + 1)];
    const after = await columnsOf(newer);
    for (const column of await columnsOf(older)) {
      const now = after.find((other) => other.table === column.table && other.column === column.column);
      expect(now, `${column.table}.${column.column}`).toEqual(column);
    }
    const known = new Set((await columnsOf(older)).map(({ table }) => table));
    const had = new Set((await columnsOf(older)).map(({ table, column }) => `${table}.${column}`));
    const added = after.filter(({ table, column }) => known.has(table) && !had.has(`${table}.${column}`));
    // The version before does not name them when it inserts.
    expect(added.filter(({ required, filled }) => required && !filled)).toEqual([]);
    const indexes = await uniqueOf(older);
    expect((await uniqueOf(newer)).filter(({ table }) => known.has(table))).toEqual(indexes);
    const rules = await rulesOf(older);
    expect((await rulesOf(newer)).filter(({ table }) => known.has(table))).toEqual(rules);
  },
);

test("held rows of what was gone for good already leave with the version that no longer keeps them (rows 26, 40)", async () => {
  const url = await before(migrationNames.indexOf("2026-11-22-05-kept"));
  const [workspace] = await query<{ id: number }>(
    url,
    "insert into workspace (name, created_at) values ('Acme', now()) returning id",
  );
  const ws = workspace?.id;
  await query(
    url,
    `insert into ticket (workspace_id, connection_id, id, generated_timestamp, merged, content_hash, deleted_at, fetched_at)
     values (${ws}, 1, 1, 1, false, 0, now(), now()), (${ws}, 1, 2, 1, false, 7, now(), now()), (${ws}, 1, 3, 1, false, 7, null, now())`,
  );
  await query(
    url,
    `insert into held_row (workspace_id, connection_id, stream, row_key, payload, reason, first_held_at, last_held_at)
     select ${ws}, 1, stream, row_key, 'Secret words', 'stored, but', now(), now()
       from (values ('tickets', '1'), ('tickets', '2'), ('tickets', '3'), ('users', '1'), ('tickets', 'no id')) as held (stream, row_key)`,
  );
  await migrateToLatest(url);
  expect(await query(url, "select stream, row_key from held_row order by stream, row_key")).toEqual([
    { stream: "tickets", row_key: "2" },
    { stream: "tickets", row_key: "3" },
    { stream: "tickets", row_key: "no id" },
    { stream: "users", row_key: "1" },
  ]);
});

test("all tables may be published to other systems: rows of each can still be deleted", async () => {
  const url = await emptyDatabase();
  await migrateToLatest(url);
  await query(url, "create publication everything for all tables");
  const tables = await query<{ name: string }>(
    url,
    "select tablename as name from pg_tables where schemaname = 'public'",
  );
  expect(tables.length).toBeGreaterThan(50);
  for (const { name } of tables) await query(url, `delete from ${name} where false`);
});
