import { type Kysely, sql } from "kysely";

/** Bound by row-level security, as those of the first migration. */
const workspaceTables = [
  "webhook_delivery",
  "webhook_hint",
  "drift_day",
  "drift_row",
  "drift_seen",
  "organization_membership",
  "absence",
  "absence_approval",
  "doctor_check",
  "notice",
];

/**
 * Read before a workspace is known: a delivery of Zendesk names its connection only, and the budget of a Zendesk account is
 * one, whichever workspaces connect it. Secrets in them are sealed. Who asks is known before the workspace is, and so is who
 * has signed out.
 */
const directoryTables = ["webhook", "zendesk_account", "zendesk_budget", "ended_session"];

/** Webhooks, the ledger of the nightly check, absent rows, the doctor's findings, notices, and budgets in the database. */
export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);

  await run(`alter table connection
    add column clock_skew_seconds int,
    add column zendesk_account_id text,
    add column login_ends_at timestamptz`);
  await run(`alter table oauth_state add column confirm_login boolean not null default false`);
  await run(`alter table ticket add column fetched_at timestamptz`);
  await run(`alter table zendesk_user add column fetched_at timestamptz`);
  await run(`alter table organization add column fetched_at timestamptz`);

  await run(`create table webhook (
    workspace_id int not null,
    connection_id int not null,
    kind text,
    zendesk_id text,
    trigger_id text,
    endpoint text,
    state text not null default 'none',
    secret text,
    previous_secret text,
    previous_until timestamptz,
    rotated_at timestamptz,
    checked_at timestamptz,
    next_check_at timestamptz,
    last_delivery_at timestamptz,
    changed_at timestamptz,
    failure_code text,
    failure_message text,
    failure_since timestamptz,
    failure_action text,
    primary key (workspace_id, connection_id))`);
  await run(`create unique index webhook_connection on webhook (connection_id)`);

  // For the version of what screens show: one look-up each.
  await run(`create index account_updated on account (workspace_id, updated_at)`);
  await run(`create index match_decision_decided on match_decision (workspace_id, decided_at)`);

  await run(`create table webhook_delivery (
    workspace_id int not null,
    connection_id int not null,
    delivery_key bytea not null,
    type text,
    subject text,
    subject_id bigint,
    sent_at timestamptz not null,
    received_at timestamptz not null,
    primary key (workspace_id, connection_id, delivery_key))`);
  await run(`create index webhook_delivery_received on webhook_delivery (workspace_id, connection_id, received_at)`);

  await run(`create table webhook_hint (
    workspace_id int not null,
    connection_id int not null,
    subject text not null,
    subject_id bigint not null,
    hints bigint not null default 1,
    first_at timestamptz not null,
    last_at timestamptz not null,
    claimed_until timestamptz,
    attempts int not null default 0,
    primary key (workspace_id, connection_id, subject, subject_id))`);

  await run(`create table drift_day (
    workspace_id int not null,
    connection_id int not null,
    run_id bigint not null,
    stream text not null,
    day date not null,
    compared bigint not null default 0,
    missing bigint not null default 0,
    extra bigint not null default 0,
    older bigint not null default 0,
    different bigint not null default 0,
    repaired bigint not null default 0,
    primary key (workspace_id, connection_id, run_id, stream, day))`);
  await run(`create table drift_row (
    workspace_id int not null,
    connection_id int not null,
    run_id bigint not null,
    stream text not null,
    row_key text not null,
    day date not null,
    difference text not null,
    repaired boolean not null,
    found_at timestamptz not null,
    columns text[] not null default '{}',
    primary key (workspace_id, connection_id, run_id, stream, row_key))`);
  await run(`create table drift_seen (
    workspace_id int not null,
    connection_id int not null,
    stream text not null,
    keys bigint[] not null)`);
  await run(`create index drift_seen_stream on drift_seen (workspace_id, connection_id, stream)`);

  await run(`create table organization_membership (
    workspace_id int not null,
    connection_id int not null,
    id bigint not null,
    user_id bigint not null,
    organization_id bigint not null,
    is_default boolean not null,
    updated_at timestamptz,
    primary key (workspace_id, connection_id, id))`);
  await run(`create index organization_membership_user
    on organization_membership (workspace_id, connection_id, user_id, organization_id)`);

  await run(`create table absence (
    workspace_id int not null,
    connection_id int not null,
    stream text not null,
    row_id bigint not null,
    first_missed_at timestamptz not null,
    last_missed_at timestamptz not null,
    not_found_at timestamptz,
    held boolean not null default false,
    counted_run_id bigint,
    counted_day date,
    asked_run_id bigint,
    primary key (workspace_id, connection_id, stream, row_id))`);
  await run(`create table absence_approval (
    workspace_id int not null,
    connection_id int not null,
    stream text not null,
    ceiling int not null,
    approved_by text not null,
    approved_at timestamptz not null,
    primary key (workspace_id, connection_id, stream))`);
  // What the first version kept among the held rows; workspace by workspace, since row-level security binds an owner too.
  await run(`do $$
    declare w record;
    begin
      for w in select id from workspace loop
        perform set_config('app.workspace', w.id::text, true);
        insert into absence (workspace_id, connection_id, stream, row_id, first_missed_at, last_missed_at, not_found_at)
        select workspace_id, connection_id, stream, substring(row_key from 9)::bigint, first_held_at, last_held_at, first_held_at
          from held_row where workspace_id = w.id and row_key ~ '^missing:-?[0-9]{1,18}$';
        delete from held_row where workspace_id = w.id and row_key like 'missing:%';
      end loop;
    end $$`);

  await run(`create table doctor_check (
    workspace_id int not null,
    connection_id int not null,
    key text not null,
    state text not null,
    found text not null,
    action text,
    checked_at timestamptz not null,
    primary key (workspace_id, connection_id, key))`);

  await run(`create table notice (
    workspace_id int not null,
    id bigint generated always as identity,
    connection_id int not null,
    code text not null,
    message text not null,
    action text not null,
    raised_at timestamptz not null,
    cleared_at timestamptz,
    mailed_at timestamptz,
    clear_mailed_at timestamptz,
    mail_attempts int not null default 0,
    next_mail_at timestamptz,
    mail_failure text,
    primary key (workspace_id, id))`);
  await run(`create unique index notice_open on notice (workspace_id, connection_id, code) where cleared_at is null`);

  await run(`create table ended_session (
    workspace_id int not null,
    id uuid not null,
    ends_at timestamptz not null,
    primary key (workspace_id, id))`);

  await run(`create table zendesk_account (
    account text primary key,
    blocked_until timestamptz,
    slow_until timestamptz)`);
  await run(`create table zendesk_budget (
    account text not null,
    bucket text not null,
    drawn_by text[] not null default '{}',
    announced boolean not null default false,
    "limit" int not null,
    remaining int not null,
    used int not null default 0,
    counted_from timestamptz not null,
    others int not null default 0,
    others_at timestamptz not null,
    window_ms int not null,
    reset_at timestamptz not null,
    last_taken_at timestamptz not null,
    recent timestamptz[] not null default '{}',
    primary key (account, bucket))`);

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
