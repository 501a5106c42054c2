import { type Kysely, sql } from "kysely";

/** Since when a webhook works, and of which changes that runs found it had told: from that a lost delivery shows (row 87). */
export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);

  await run(`alter table webhook add column active_since timestamptz`);
  await run(`alter table sync_run_stream
    add column announced bigint not null default 0,
    add column unannounced bigint not null default 0`);
  await run(`create index webhook_delivery_subject
    on webhook_delivery (workspace_id, connection_id, subject, subject_id, sent_at)`);
}
