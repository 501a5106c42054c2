import type pg from "pg";
import type { Database } from "#db/schema.ts";

/** Every table of ours, once: what a backup holds. The compiler insists that none is missing. */
const everyTable: Record<keyof Database, true> = {
  workspace: true,
  app_user: true,
  api_key: true,
  account: true,
  account_attribute: true,
  connection: true,
  connection_lease: true,
  stream_state: true,
  sync_run: true,
  sync_run_stream: true,
  held_row: true,
  organization: true,
  organization_field_value: true,
  match_key: true,
  match_decision: true,
  zendesk_user: true,
  zendesk_group: true,
  field_definition: true,
  custom_status: true,
  ticket: true,
  ticket_payload: true,
  ticket_event: true,
  satisfaction_rating: true,
  former_rating: true,
  timeline_entry: true,
  org_metric: true,
  org_day: true,
  account_metric: true,
  oauth_state: true,
  idempotency_key: true,
  webhook: true,
  webhook_delivery: true,
  webhook_hint: true,
  drift_day: true,
  drift_row: true,
  drift_seen: true,
  organization_membership: true,
  absence: true,
  departure: true,
  absence_approval: true,
  doctor_check: true,
  notice: true,
  zendesk_account: true,
  zendesk_budget: true,
  ended_session: true,
  source: true,
  write_key: true,
  event: true,
  event_message: true,
  destination: true,
  destination_source: true,
  destination_action: true,
  delivery: true,
  delivery_lane: true,
  delivery_exchange: true,
  customer_event: true,
  write_back_rule: true,
  write_back_value: true,
};

export interface TableShape {
  name: string;
  /** Those that are stored, without the ones that PostgreSQL generates from others. */
  columns: string[];
  /** Its rows are shown workspace by workspace, even to a login that owns it (row 113). */
  byWorkspace: boolean;
}

/** The last value that an identity column gave out. */
export interface SequencePosition {
  table: string;
  column: string;
  value: string;
}

/** Our tables as this database has them: of an older schema, those that were there already. */
export async function readTables(client: pg.ClientBase): Promise<TableShape[]> {
  const { rows } = await client.query<TableShape>(
    `select c.relname as name, c.relrowsecurity as "byWorkspace",
            array_agg(a.attname::text order by a.attnum) as columns
       from pg_class c
       join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = ''
      where c.relnamespace = 'public'::regnamespace and c.relkind in ('r', 'p') and c.relname = any($1)
      group by c.relname, c.relrowsecurity order by c.relname`,
    [Object.keys(everyTable)],
  );
  return rows;
}

export async function readSequences(client: pg.ClientBase): Promise<SequencePosition[]> {
  const { rows } = await client.query<SequencePosition>(
    `select c.relname as table, a.attname as column, s.last_value::text as value
       from pg_attribute a
       join pg_class c on c.oid = a.attrelid and c.relnamespace = 'public'::regnamespace and c.relname = any($1)
       join pg_sequences s
         on format('%I.%I', s.schemaname, s.sequencename) = pg_get_serial_sequence('public.' || c.relname, a.attname)
      where a.attidentity <> '' and s.last_value is not null
      order by c.relname`,
    [Object.keys(everyTable)],
  );
  return rows;
}

/** The migrations that this database went through; none where it is not one of ours. */
export async function readMigrations(client: pg.ClientBase): Promise<string[]> {
  const known = await client.query<{ is: boolean }>(`select to_regclass('public.kysely_migration') is not null as is`);
  if (!known.rows[0]?.is) return [];
  const { rows } = await client.query<{ name: string }>("select name from public.kysely_migration order by name");
  return rows.map(({ name }) => name);
}

/** A name of ours, quoted: nothing from a file gets into a statement in any other way. */
export function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function columnList({ columns }: TableShape): string {
  return columns.map(quoted).join(", ");
}

/** For one long piece of work: no time-out ends it, and values are written in one way, whatever the server's settings. */
export const toolSettings =
  "-c timezone=UTC -c datestyle=ISO -c intervalstyle=postgres -c statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0";
