import { type Kysely, sql } from "kysely";

/** Bound by row-level security, as those of the migrations before. */
const workspaceTables = [
  "source",
  "event",
  "event_message",
  "destination",
  "destination_source",
  "destination_action",
  "delivery",
  "delivery_lane",
  "delivery_exchange",
  "customer_event",
  "write_back_rule",
  "write_back_value",
];

/** Read before a workspace is known: an event names its write key only. Of a key the digest is kept. */
const directoryTables = ["write_key"];

/** Events in, Zendesk out: sources with their write keys, events, destinations with their actions, and every write. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);

  await run(`create table source (
    workspace_id int not null,
    id int generated always as identity,
    name text not null,
    enabled boolean not null default true,
    created_by text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    deleted_at timestamptz,
    primary key (workspace_id, id))`);
  await run(`create table write_key (
    workspace_id int not null,
    id bigint generated always as identity,
    source_id int not null,
    key_hash bytea not null,
    hint text not null,
    created_at timestamptz not null,
    ends_at timestamptz,
    last_used_at timestamptz,
    primary key (workspace_id, id))`);
  await run(`create unique index write_key_hash on write_key (key_hash)`);

  await run(`create table event (
    workspace_id int not null,
    id bigint generated always as identity,
    source_id int not null,
    message_id text not null,
    type text not null,
    name text,
    user_id text,
    anonymous_id text,
    group_id text,
    email text,
    occurred_at timestamptz not null,
    received_at timestamptz not null,
    payload text not null,
    rejection text,
    routed_at timestamptz,
    primary key (workspace_id, id))`);
  await run(`create index event_unrouted on event (workspace_id, id) where routed_at is null and rejection is null`);
  await run(`create index event_source on event (workspace_id, source_id, id)`);
  await run(`create index event_message_id on event (workspace_id, message_id, id)`);
  // What events are looked for by, in the order in which they are listed.
  for (const column of ["user_id", "anonymous_id", "group_id", "email", "name"]) {
    await run(`create index event_${column} on event (workspace_id, ${column}, id) where ${column} is not null`);
  }
  await run(`create index event_received on event (workspace_id, received_at)`);
  await run(`create table event_message (
    workspace_id int not null,
    source_id int not null,
    message_id text not null,
    received_at timestamptz not null,
    primary key (workspace_id, source_id, message_id))`);
  await run(`create index event_message_received on event_message (workspace_id, received_at)`);

  await run(`create table destination (
    workspace_id int not null,
    id int generated always as identity,
    connection_id int not null,
    name text not null,
    profile text not null,
    enabled boolean not null,
    stopped_at timestamptz,
    stopped_by text,
    unknown_user_on_track text not null,
    unknown_user_traits text not null,
    unknown_organization_traits text not null,
    associate_on_group boolean not null,
    accept_group_without_user boolean not null,
    allow_removals boolean not null,
    create_verified boolean not null,
    skip_verify_email boolean not null,
    tested_at timestamptz,
    deleted_at timestamptz,
    write_back_version text,
    created_by text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (workspace_id, id))`);
  await run(`create index destination_connection on destination (workspace_id, connection_id)`);
  await run(`create table destination_source (
    workspace_id int not null,
    destination_id int not null,
    source_id int not null,
    primary key (workspace_id, destination_id, source_id))`);
  await run(`create index destination_source_source on destination_source (workspace_id, source_id)`);
  await run(`create table destination_action (
    workspace_id int not null,
    destination_id int not null,
    action text not null,
    version int not null,
    position int not null,
    enabled boolean not null,
    trigger text not null,
    mapping text not null,
    created_by text,
    created_at timestamptz not null,
    primary key (workspace_id, destination_id, action, version))`);

  await run(`create table delivery (
    workspace_id int not null,
    id bigint generated always as identity,
    destination_id int not null,
    connection_id int not null,
    zendesk_account text,
    event_id bigint,
    message_id text,
    action text not null,
    action_version int not null,
    command text not null,
    command_key text not null,
    lanes text[] not null,
    state text not null,
    attempts int not null default 0,
    retries int not null default 0,
    is_test boolean not null default false,
    is_late boolean not null default false,
    code text,
    reason text,
    fix text,
    notes text[] not null default '{}',
    result_kind text,
    result_id text,
    affected text,
    approved_by text,
    approved_at timestamptz,
    approved_for text[] not null default '{}',
    due_at timestamptz,
    waits_for bigint,
    claimed_by text,
    claimed_until timestamptz,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (workspace_id, id))`);
  await run(`create unique index delivery_command on delivery (workspace_id, destination_id, command_key)`);
  await run(`create index delivery_due on delivery (workspace_id, connection_id, due_at, id)
    where state in ('queued', 'sending', 'unknown') and due_at is not null and waits_for is null`);
  await run(`create index delivery_waiting on delivery (workspace_id, waits_for) where waits_for is not null`);
  await run(`create index delivery_claimed on delivery (workspace_id, connection_id) where claimed_until is not null`);
  await run(`create index delivery_state on delivery (workspace_id, state, id)`);
  await run(`create index delivery_destination on delivery (workspace_id, destination_id, id)`);
  await run(`create index delivery_open on delivery (workspace_id, destination_id, state) where state <> 'done'`);
  await run(`create index delivery_done on delivery (workspace_id, destination_id, updated_at) where state = 'done'`);
  await run(`create index delivery_result on delivery (workspace_id, result_id) where result_id is not null`);
  await run(`create index delivery_message on delivery (workspace_id, message_id)`);
  await run(`create index delivery_event on delivery (workspace_id, event_id)`);
  await run(`create index delivery_updated on delivery (workspace_id, updated_at)`);
  await run(`create table delivery_lane (
    workspace_id int not null,
    connection_id int not null,
    lane text not null,
    delivery_id bigint not null,
    state text not null,
    primary key (workspace_id, delivery_id, lane))`);
  await run(`create index delivery_lane_order
    on delivery_lane (workspace_id, lane, connection_id, state, delivery_id)`);
  await run(`create table delivery_exchange (
    workspace_id int not null,
    delivery_id bigint not null,
    position int not null,
    attempt int not null,
    step text not null,
    is_write boolean not null,
    method text not null,
    path text not null,
    request text,
    status int,
    response text,
    outcome text not null,
    sent_at timestamptz not null,
    ended_at timestamptz,
    primary key (workspace_id, delivery_id, position))`);

  await run(`create table customer_event (
    workspace_id int not null,
    connection_id int not null,
    event_id bigint not null,
    zendesk_user_id bigint not null,
    organization_id bigint,
    name text not null,
    properties text not null,
    occurred_at timestamptz not null,
    primary key (workspace_id, connection_id, event_id))`);
  await run(`create index customer_event_organization
    on customer_event (workspace_id, connection_id, organization_id, occurred_at)`);

  await run(`create table write_back_rule (
    workspace_id int not null,
    destination_id int not null,
    organization_field text not null,
    measure text not null,
    position int not null,
    enabled boolean not null,
    created_by text,
    created_at timestamptz not null,
    primary key (workspace_id, destination_id, organization_field))`);
  await run(`create table write_back_value (
    workspace_id int not null,
    destination_id int not null,
    organization_id bigint not null,
    organization_field text not null,
    value text,
    delivery_id bigint,
    set_at timestamptz not null,
    primary key (workspace_id, destination_id, organization_id, organization_field))`);

  for (const table of workspaceTables) {
    await run(`alter table ${table} enable row level security`);
    await run(`alter table ${table} force row level security`);
    await run(`create policy own_workspace on ${table}
      using (workspace_id = nullif(current_setting('app.workspace', true), '')::int)
      with check (workspace_id = nullif(current_setting('app.workspace', true), '')::int)`);
  }
  await run(`do $$ begin
    if exists (select from pg_roles where rolname = 'bellwether_app') then
      grant select, insert, update, delete on ${[...workspaceTables, ...directoryTables].join(", ")} to bellwether_app;
      grant usage on all sequences in schema public to bellwether_app;
    end if;
  end $$`);
}
