import { once } from "node:events";
import { finished } from "node:stream/promises";
import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { from as copyFrom } from "pg-copy-streams";
import type { Trx } from "#db/client.ts";
import { lockMigrations, migrateWithin, migrationNames } from "#db/migrate.ts";
import type { Database } from "#db/schema.ts";
import {
  columnList,
  quoted,
  readMigrations,
  readTables,
  type SequencePosition,
  type TableShape,
  toolSettings,
} from "#db/tables.ts";

/** What a database holds before something is put in its place. */
export type Occupancy = "empty" | "ours" | "newer" | "foreign";

/** A database that is being filled anew, in a transaction: nothing of it stays where anything fails. */
export interface Load {
  /** Puts pieces of COPY's text format into a table, in the order in which they are given; `end` gives the number of rows. */
  into(table: TableShape): { put(piece: Buffer): Promise<void>; end(): Promise<number> };
}

export interface Incoming {
  /** The state of the schema that the rows fit. */
  migrations: string[];
  tables: TableShape[];
  sequences: SequencePosition[];
}

export class Target {
  private readonly client: pg.Client;
  private readonly db: Kysely<Database>;
  /** Ends a COPY that stands open: until then the connection takes no other statement, the rollback included. */
  private breakOff: () => Promise<void> = async () => {};

  private constructor(client: pg.Client) {
    this.client = client;
    const pool = { connect: async () => Object.assign(client, { release() {} }) as pg.PoolClient, end: async () => {} };
    this.db = new Kysely({ dialect: new PostgresDialect({ pool }) });
  }

  /** Opens the database at `url` (the owner's address); a start that wants to migrate it waits until `close`. */
  static async open(url: string): Promise<Target> {
    const client = new pg.Client({
      connectionString: url,
      application_name: "bellwether restore",
      options: toolSettings,
    });
    client.on("error", () => {}); // a server that dies under us also fails the query
    await client.connect();
    const target = new Target(client);
    await lockMigrations(target.db);
    return target;
  }

  async close(): Promise<void> {
    await this.client.end().catch(() => {});
  }

  async occupancy(): Promise<Occupancy> {
    const [present, migrations] = [await readTables(this.client), await readMigrations(this.client)];
    if (present.length === 0) return "empty";
    if (!migrations.includes(migrationNames[0] ?? "")) return "foreign";
    if (migrations.some((name) => !migrationNames.includes(name))) return "newer";
    const { rows } = await this.client.query("select from workspace limit 1");
    return rows.length > 0 ? "ours" : "empty";
  }

  /** How many connections serving processes have open just now, and the seconds since one of them said that it works. */
  async usage(): Promise<{ connections: number; lastBeat: number | null }> {
    const { rows } = await this.client.query<{ connections: number }>(
      `select count(*)::int as connections from pg_stat_activity
        where datname = current_database() and application_name = 'bellwether'`,
    );
    return { connections: rows[0]?.connections ?? 0, lastBeat: await this.lastBeat() };
  }

  /**
   * Puts what `fill` loads in the place of everything that is there and brings it to this program's schema; then `settle`
   * does its work for each workspace, whose rows are visible meanwhile.
   */
  async replace(
    incoming: Incoming,
    fill: (load: Load) => Promise<void>,
    settle: (trx: Trx, workspaceId: number) => Promise<void>,
  ): Promise<void> {
    await this.db.transaction().execute(async (trx) => {
      if ((await readMigrations(this.client)).length > 0) await migrateWithin(trx, migrationNames);
      for (const { name } of await readTables(this.client)) await this.client.query(`drop table ${quoted(name)}`);
      await migrateWithin(trx, incoming.migrations, { afresh: true });
      const bound = incoming.tables.filter(({ byWorkspace }) => byWorkspace);
      // Rows cannot be loaded through row-level security, by whoever it binds; nobody else sees the tables yet.
      for (const { name } of bound) await this.client.query(`alter table ${quoted(name)} no force row level security`);
      try {
        await fill({ into: (table) => this.copyInto(table) });
      } catch (error) {
        await this.breakOff();
        throw error;
      }
      for (const sequence of incoming.sequences) await this.moveSequence(sequence);
      for (const { name } of bound) await this.client.query(`alter table ${quoted(name)} force row level security`);
      await migrateWithin(trx, migrationNames);
      await this.eachWorkspace(trx, settle);
    });
  }

  private copyInto(table: TableShape) {
    const rows = this.client.query(copyFrom(`copy public.${quoted(table.name)} (${columnList(table)}) from stdin`));
    const failed = new Promise<never>((_, reject) => rows.once("error", reject));
    let isOpen = true;
    const close = () => {
      isOpen = false;
    };
    failed.catch(close); // whoever writes or ends hears of it
    this.breakOff = async () => {
      if (!isOpen) return;
      rows.destroy();
      await failed.catch(close);
    };
    return {
      async put(piece: Buffer) {
        if (!rows.write(piece)) await Promise.race([once(rows, "drain"), failed]);
      },
      async end() {
        close();
        rows.end();
        await Promise.race([finished(rows), failed]);
        return rows.rowCount;
      },
    };
  }

  private async eachWorkspace(trx: Trx, work: (trx: Trx, workspaceId: number) => Promise<void>): Promise<void> {
    for (const { id } of await trx.selectFrom("workspace").select("id").orderBy("id").execute()) {
      await this.client.query("select set_config('app.workspace', $1, true)", [String(id)]);
      await work(trx, id);
    }
  }

  /** Numbers that were given out once are not given out again, also where their rows are gone. */
  private async moveSequence({ table, column, value }: SequencePosition): Promise<void> {
    await this.client.query("select setval(pg_get_serial_sequence($1, $2), $3)", [`public.${table}`, column, value]);
  }

  private async lastBeat(): Promise<number | null> {
    const present = await readTables(this.client);
    if (!present.some(({ name }) => name === "connection_lease")) return null;
    const { rows: workspaces } = await this.client.query<{ id: number }>("select id from workspace");
    const ages: number[] = [];
    for (const { id } of workspaces) {
      await this.client.query("select set_config('app.workspace', $1, false)", [String(id)]);
      const { rows } = await this.client.query<{ age: number | null }>(
        `select min(extract(epoch from clock_timestamp() - heartbeat_at))::float8 as age
           from connection_lease where workspace_id = $1 and holder is not null`,
        [id],
      );
      if (rows[0]?.age != null) ages.push(rows[0].age);
    }
    await this.client.query("select set_config('app.workspace', '', false)");
    return ages.length > 0 ? Math.min(...ages) : null;
  }
}
