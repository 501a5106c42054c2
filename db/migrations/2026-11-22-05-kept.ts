import { type Kysely, sql } from "kysely";

const newTables = ["former_rating"];

/** What is kept beside the newest state: held rows that a person set aside, answers that were changed later, counts of a run. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);

  await run(`alter table held_row
    add column set_aside_at timestamptz,
    add column set_aside_by text`);
  await run(`alter table sync_run_stream
    add column cleaned bigint not null default 0,
    add column restarts int not null default 0`);
  await run(`alter table field_definition add column absent_since timestamptz`);
  await run(`create table former_rating (
    workspace_id int not null,
    connection_id int not null,
    system text not null,
    rating_id text not null,
    rated_at timestamptz not null,
    ticket_id bigint not null,
    category text not null,
    comment text,
    primary key (workspace_id, connection_id, system, rating_id, rated_at))`);
  await run(`create index former_rating_ticket on former_rating (workspace_id, connection_id, ticket_id)`);
  // Words of rows that were gone for good and stayed among the held ones; workspace by workspace, since row-level security binds an owner too.
  await run(`do $$
    declare w record;
    begin
      for w in select id from workspace loop
        perform set_config('app.workspace', w.id::text, true);
        delete from held_row h where h.workspace_id = w.id and h.row_key ~ '^-?[0-9]{1,18}$' and (
          h.stream = 'tickets' and exists (select from ticket t where t.workspace_id = w.id
            and t.connection_id = h.connection_id and t.id = h.row_key::bigint and t.deleted_at is not null and t.content_hash = 0)
          or h.stream = 'organizations' and exists (select from organization o where o.workspace_id = w.id
            and o.connection_id = h.connection_id and o.id = h.row_key::bigint and o.deleted_at is not null and o.content_hash = 0));
      end loop;
    end $$`);

  for (const table of newTables) {
    await run(`alter table ${table} enable row level security`);
    await run(`alter table ${table} force row level security`);
    await run(`create policy own_workspace on ${table}
      using (workspace_id = nullif(current_setting('app.workspace', true), '')::int)
      with check (workspace_id = nullif(current_setting('app.workspace', true), '')::int)`);
  }
  await run(`do $$ begin
    if exists (select from pg_roles where rolname = 'bellwether_app') then
      grant select, insert, update, delete on ${newTables.join(", ")} to bellwether_app;
    end if;
  end $$`);
}
