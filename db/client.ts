import { Kysely, PostgresDialect, sql, type Transaction } from "kysely";
import pg from "pg";
import type { Database } from "#db/schema.ts";

/** A connection to the database, or a transaction on it: functions take either. */
export type Db = Kysely<Database>;
/** For functions that are only right inside a transaction. */
export type Trx = Transaction<Database>;

const INT8 = 20;
const INT8_ARRAY = 1016;
const DATE = 1082;

// int8 stays text (Zendesk ids pass 2^53) and a date stays the calendar day it is: neither may go through a Number or a Date.
const types: pg.CustomTypesConfig = {
  getTypeParser(oid, format) {
    if (oid === INT8 || oid === DATE) return (value: string) => value;
    if (Number(oid) === INT8_ARRAY) return (value: string) => (value === "{}" ? [] : value.slice(1, -1).split(","));
    return pg.types.getTypeParser(oid, format);
  },
};

/**
 * What the server itself ends, so that a stuck statement or a process that stands still keeps no connection, and no lock, from
 * the others for good (rows 78, 82). The longest work in one statement is the rebuild of a workspace's numbers: seconds
 * at five million tickets. Nobody waits for a lock longer than it takes somebody else to renew a token (20 s) or to rebuild.
 * A transaction idles while a token is renewed, and while a reader of a long list does not read on.
 */
const timeouts = { statement_timeout: "5min", lock_timeout: "30s", idle_in_transaction_session_timeout: "60s" };

/**
 * Opens a pool. Sessions are pinned to UTC and read committed, and a login that row-level security would not bind (a
 * superuser) steps down to the plain role that the migrations made (row 113). `onError` hears of connections that broke while
 * idle; without a listener a restart of the database would end the process (row 78).
 */
export function openDatabase(
  url: string,
  options: { poolSize?: number; applicationName?: string; onError?: (error: Error) => void } = {},
): { db: Db; pool: pg.Pool } {
  const pool = new pg.Pool({
    connectionString: url,
    max: options.poolSize ?? 10,
    idleTimeoutMillis: 60_000,
    connectionTimeoutMillis: 10_000,
    application_name: options.applicationName ?? "bellwether",
    keepAlive: true,
    options: settings({ ...sessions, ...timeouts }),
    types,
    onConnect: stepDown,
  });
  const hear = options.onError ?? (() => {});
  pool.on("error", hear);
  pool.on("connect", (client) => client.on("error", hear));
  return { db: new Kysely<Database>({ dialect: new PostgresDialect({ pool }) }), pool };
}

/**
 * Whoever has waited for a lock must see what was committed meanwhile, whatever level the database was given: guards and locks are
 * what is relied on (row 83). A blank in a value is escaped.
 */
const sessions = { timezone: "UTC", default_transaction_isolation: "read\\ committed" };

const settings = (values: Record<string, string>) =>
  Object.entries(values)
    .map(([name, value]) => `-c ${name}=${value}`)
    .join(" ");

async function stepDown(client: pg.ClientBase): Promise<void> {
  const { rows } = await client.query<{ bypasses: boolean; available: boolean }>(
    `select r.rolsuper or r.rolbypassrls as bypasses,
            exists (select from pg_roles where rolname = 'bellwether_app') as available
       from pg_roles r where r.rolname = current_user`,
  );
  if (rows[0]?.bypasses && rows[0].available) await client.query("set role bellwether_app");
}

/**
 * Runs `work` in a transaction that sees the rows of one workspace only. Every read or write of a workspace's tables goes
 * through here: without it row-level security shows nothing.
 */
export function inWorkspace<T>(db: Db, workspaceId: number, work: (trx: Trx) => Promise<T>): Promise<T> {
  return db.transaction().execute(async (trx) => {
    await sql`select set_config('app.workspace', ${String(workspaceId)}, true)`.execute(trx);
    return work(trx);
  });
}
