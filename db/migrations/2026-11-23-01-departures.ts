import { type Kysely, sql } from "kysely";

/** Organizations that rows have left and that nobody has asked Zendesk about since, with where the rows went. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);
  await run(`create table departure (
    workspace_id int not null,
    connection_id int not null,
    organization_id bigint not null,
    went_to bigint,
    rows int not null,
    noted_at timestamptz not null,
    asked_in bigint,
    unique nulls not distinct (workspace_id, connection_id, organization_id, went_to))`);
  await run("alter table departure enable row level security");
  await run("alter table departure force row level security");
  await run(`create policy own_workspace on departure
    using (workspace_id = nullif(current_setting('app.workspace', true), '')::int)
    with check (workspace_id = nullif(current_setting('app.workspace', true), '')::int)`);
  await run(`do $$ begin
    if exists (select from pg_roles where rolname = 'bellwether_app') then
      grant select, insert, update, delete on departure to bellwether_app;
    end if;
  end $$`);
}
