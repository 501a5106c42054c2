import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { openDatabase } from "#db/client.ts";
import { useDatabase } from "#test/support/database.ts";

/* What keeps workspaces apart where a statement forgets to (row 113), as the catalogue of the database has it. */

const database = useDatabase();
let owner: pg.Client;
beforeAll(async () => {
  owner = new pg.Client({ connectionString: database.url });
  await owner.connect();
});
afterAll(() => owner.end());

const catalogue = async <Row extends pg.QueryResultRow>(text: string) => (await owner.query<Row>(text)).rows;
const ours = "c.relnamespace = 'public'::regnamespace";

/** Found by a secret or a name before a workspace is known: by who signs in or calls, Zendesk and the doors for events. */
const directory = ["api_key", "app_user", "ended_session", "webhook", "write_key"];
/** One budget for each account, whoever reads it (row 8). */
const ofEverybody = ["workspace", "zendesk_account", "zendesk_budget"];

const ownWorkspace = "(workspace_id = (NULLIF(current_setting('app.workspace'::text, true), ''::text))::integer)";

describe("row security", () => {
  test("binds everybody, the owner too, to the own workspace in every table that has one, but those that are read before one is known", async () => {
    const tables = await catalogue<{ name: string; enabled: boolean; forced: boolean; policies: unknown[] }>(
      `select c.relname as name, c.relrowsecurity as enabled, c.relforcerowsecurity as forced,
              coalesce(json_agg(json_build_object('command', p.polcmd, 'roles', p.polroles, 'permissive', p.polpermissive,
                'reads', pg_get_expr(p.polqual, c.oid), 'writes', pg_get_expr(p.polwithcheck, c.oid)))
                filter (where p.oid is not null), '[]') as policies
         from pg_class c
         join pg_attribute a on a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped
         left join pg_policy p on p.polrelid = c.oid
        where ${ours} and c.relkind in ('r', 'p') group by c.oid order by c.relname`,
    );
    expect(tables.length).toBeGreaterThan(40);
    expect(tables.filter(({ enabled }) => !enabled).map(({ name }) => name)).toEqual(directory);
    // Of several policies one that lets in is enough: there is no other.
    const everybody = ["0"];
    const only = { command: "*", roles: everybody, permissive: true, reads: ownWorkspace, writes: ownWorkspace };
    for (const { name, ...table } of tables.filter(({ enabled }) => enabled))
      expect(table, name).toEqual({ enabled: true, forced: true, policies: [only] });
  });

  test("covers whatever a workspace has rows in: every other table is of the whole installation", async () => {
    const others = await catalogue<{ name: string }>(
      `select c.relname as name from pg_class c
        where ${ours} and c.relkind in ('r', 'p') and c.relname not like 'kysely%' and not exists (
          select from pg_attribute a where a.attrelid = c.oid and a.attname = 'workspace_id' and not a.attisdropped)
        order by 1`,
    );
    expect(others.map(({ name }) => name)).toEqual(ofEverybody);
  });

  test("has no way around it: no view, and no function that runs as somebody else", async () => {
    expect(
      await catalogue(
        `select c.relname from pg_class c where ${ours} and c.relkind not in ('r', 'p', 'i', 'I', 'S', 't')`,
      ),
    ).toEqual([]);
    expect(
      await catalogue("select proname from pg_proc where prosecdef and pronamespace = 'public'::regnamespace"),
    ).toEqual([]);
  });
});

test("whoever serves is a plain role that owns nothing here, bypasses nothing and may become nobody who does", async () => {
  const { db, pool } = openDatabase(database.url, { poolSize: 1 });
  try {
    const { rows } = await pool.query(
      `select r.rolname as name, r.rolsuper as super, r.rolbypassrls as bypasses, r.rolcreaterole as creates,
              (select count(*)::int from pg_class c where ${ours} and c.relowner = r.oid) as owns,
              (select count(*)::int from pg_roles o where o.oid <> r.oid and pg_has_role(r.oid, o.oid, 'member')
                  and (o.rolsuper or o.rolbypassrls or exists (select from pg_class c where ${ours} and c.relowner = o.oid))) as becomes,
              has_schema_privilege(r.oid, 'public', 'create') as makes
         from pg_roles r where r.rolname = current_user`,
    );
    const none = { super: false, bypasses: false, creates: false, owns: 0, becomes: 0, makes: false };
    expect(rows).toEqual([{ name: "bellwether_app", ...none }]);
  } finally {
    await db.destroy();
  }
});
