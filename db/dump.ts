import pg from "pg";
import { to as copyTo } from "pg-copy-streams";
import {
  columnList,
  quoted,
  readMigrations,
  readSequences,
  readTables,
  type SequencePosition,
  type TableShape,
  toolSettings,
} from "#db/tables.ts";

/** The whole database as it was at one instant. */
export interface Snapshot {
  migrations: string[];
  tables: TableShape[];
  sequences: SequencePosition[];
  /** Hands over a table's rows in COPY's text format, piece by piece, and gives their number. */
  copyOut(table: TableShape, take: (piece: Buffer) => Promise<void>): Promise<number>;
}

/** Lets `work` read one snapshot, in a transaction that holds up nobody who writes. `url`: the owner of the tables. */
export async function withSnapshot<T>(url: string, work: (snapshot: Snapshot) => Promise<T>): Promise<T> {
  const client = new pg.Client({ connectionString: url, application_name: "bellwether backup", options: toolSettings });
  client.on("error", () => {}); // a server that dies under us also fails the query
  await client.connect();
  try {
    await client.query("start transaction isolation level repeatable read, read only");
    const tables = await readTables(client);
    const workspaces = tables.length > 0 ? await readWorkspaces(client) : [];
    return await work({
      migrations: await readMigrations(client),
      tables,
      sequences: await readSequences(client),
      copyOut: (table, take) => copyOut(client, table, workspaces, take),
    });
  } finally {
    await client.end().catch(() => {});
  }
}

async function readWorkspaces(client: pg.Client): Promise<number[]> {
  const { rows } = await client.query<{ id: number }>("select id from workspace order by id");
  return rows.map(({ id }) => id);
}

async function copyOut(
  client: pg.Client,
  table: TableShape,
  workspaces: number[],
  take: (piece: Buffer) => Promise<void>,
): Promise<number> {
  const all = `select ${columnList(table)} from ${quoted(table.name)}`;
  if (!table.byWorkspace) return copyQuery(client, all, take);
  let rows = 0;
  for (const id of workspaces) {
    await client.query("select set_config('app.workspace', $1, true)", [String(id)]);
    rows += await copyQuery(client, `${all} where workspace_id = ${id}`, take);
  }
  return rows;
}

async function copyQuery(client: pg.Client, query: string, take: (piece: Buffer) => Promise<void>): Promise<number> {
  const rows = client.query(copyTo(`copy (${query}) to stdout`));
  for await (const piece of rows) await take(piece);
  return rows.rowCount;
}
