import type pg from "pg";
import type { TicketRow } from "#lib/zendesk/row-types.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { copyIn } from "./copy.ts";

/**
 * The least that storing the same rows can cost: an upsert that does nothing else, and COPY of bytes that were prepared
 * beforehand. Tables of their own, without policies.
 */

const columns: readonly (readonly [name: string, type: string, of: (row: TicketRow) => unknown])[] = [
  ["id", "bigint", (row) => row.id],
  ["created_at", "timestamptz", (row) => row.createdAt?.toISOString() ?? null],
  ["updated_at", "timestamptz", (row) => row.updatedAt?.toISOString() ?? null],
  ["generated_timestamp", "bigint", (row) => row.generatedTimestamp],
  ["solved_at", "timestamptz", (row) => row.solvedAt?.toISOString() ?? null],
  ["deleted_at", "timestamptz", (row) => row.deletedAt?.toISOString() ?? null],
  ["organization_id", "bigint", (row) => row.organizationId],
  ["requester_id", "bigint", (row) => row.requesterId],
  ["assignee_id", "bigint", (row) => row.assigneeId],
  ["group_id", "bigint", (row) => row.groupId],
  ["custom_status_id", "bigint", (row) => row.customStatusId],
  ["content_hash", "bigint", (row) => row.contentHash],
  ["reopens", "int", (row) => row.reopens],
  ["merged", "boolean", (row) => row.merged],
  ["priority", "text", (row) => row.priority],
  ["status", "text", (row) => row.status],
  ["type", "text", (row) => row.type],
  ["channel", "text", (row) => row.channel],
  ["external_id", "text", (row) => row.externalId],
  ["subject", "text", (row) => row.subject],
  ["tags", "text", (row) => `{${row.tags.map((tag) => `"${tag}"`).join(",")}}`],
];
const names = columns.map(([name]) => name);

/** `plain_*`: the tickets again with the indexes that reading needs; `bare_*`: the primary key alone; `copied_*`: unlogged. */
export async function makeLimitTables(owner: pg.Client, scope: Scope): Promise<void> {
  for (const table of ["ticket", "ticket_payload"]) {
    await owner.query(`create table plain_${table} (like ${table} including defaults)`);
    await owner.query(`insert into plain_${table} select * from ${table} where workspace_id = ${scope.workspaceId}`);
    await owner.query(`create table bare_${table} (like ${table} including defaults)`);
    await owner.query(`create unlogged table copied_${table} (like ${table} including defaults)`);
    for (const name of ["plain", "bare"]) {
      await owner.query(`alter table ${name}_${table} add primary key (workspace_id, connection_id, id)`);
    }
  }
  const { rows } = await owner.query<{ indexdef: string }>(
    "select indexdef from pg_indexes where schemaname = 'public' and tablename = 'ticket' and indexname <> 'ticket_pkey'",
  );
  for (const { indexdef } of rows) {
    await owner.query(indexdef.replace(/^create (unique )?index \S+ on \S+ /i, "create $1index on plain_ticket "));
  }
  await owner.query("vacuum analyze plain_ticket");
}

/** Writes the page and its payloads: two statements, one transaction. */
export async function plainUpsert(
  client: pg.Client,
  table: "plain" | "bare",
  scope: Scope,
  rows: readonly TicketRow[],
) {
  const keys = `${scope.workspaceId}, ${scope.connectionId}`;
  const overwrite = (all: readonly string[]) =>
    all
      .filter((name) => name !== "id")
      .map((name) => `${name} = excluded.${name}`)
      .join(", ");
  await client.query("begin");
  await client.query(
    `insert into ${table}_ticket (workspace_id, connection_id, ${names.join(", ")}, status_category)
     select ${keys}, ${names.map((name) => (name === "tags" ? "tags::text[]" : name)).join(", ")}, status
       from unnest(${columns.map(([, type], index) => `$${index + 1}::${type}[]`).join(", ")}) page(${names.join(", ")})
     on conflict (workspace_id, connection_id, id) do update set ${overwrite(names)}, status_category = excluded.status_category`,
    columns.map(([, , of]) => rows.map(of)),
  );
  await client.query(
    `insert into ${table}_ticket_payload (workspace_id, connection_id, id, payload)
     select ${keys}, * from unnest($1::bigint[], $2::text[])
     on conflict (workspace_id, connection_id, id) do update set ${overwrite(["payload"])}`,
    [rows.map((row) => row.id), rows.map((row) => row.payload)],
  );
  await client.query("commit");
}

export interface CopyBytes {
  tickets: Buffer;
  payloads: Buffer;
}

export function copyBytes(scope: Scope, rows: readonly TicketRow[]): CopyBytes {
  const keys = [scope.workspaceId, scope.connectionId];
  const lines = (of: (row: TicketRow) => unknown[]) =>
    Buffer.from(rows.map((row) => `${[...keys, ...of(row)].map(copyText).join("\t")}\n`).join(""));
  return {
    tickets: lines((row) => [...columns.map(([, , of]) => of(row)), row.status]),
    payloads: lines((row) => [row.id, row.payload]),
  };
}

export async function copyPage(client: pg.Client, bytes: CopyBytes): Promise<void> {
  const all = ["workspace_id", "connection_id", ...names, "status_category"].join(", ");
  await copyIn(client, `copy copied_ticket (${all}) from stdin`, bytes.tickets);
  await copyIn(client, "copy copied_ticket_payload from stdin", bytes.payloads);
}

export async function emptyCopies(client: pg.Client): Promise<void> {
  await client.query("truncate copied_ticket, copied_ticket_payload");
}

function copyText(value: unknown): string {
  if (value === null) return "\\N";
  return String(value).replace(/[\\\n\r\t]/g, (character) => {
    const escapes: Record<string, string> = { "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t" };
    return escapes[character] ?? character;
  });
}
