import { type Kysely, sql } from "kysely";

/**
 * Tables whose rows a workspace's own queries see: row-level security shows the rows of the workspace named by
 * the setting `app.workspace` of the running transaction, and none when it is absent (reliability row 113).
 */
const workspaceTables = [
  "account",
  "account_attribute",
  "connection",
  "connection_lease",
  "stream_state",
  "sync_run",
  "sync_run_stream",
  "held_row",
  "organization",
  "organization_field_value",
  "match_key",
  "match_decision",
  "zendesk_user",
  "zendesk_group",
  "field_definition",
  "custom_status",
  "ticket",
  "ticket_payload",
  "ticket_event",
  "satisfaction_rating",
  "timeline_entry",
  "org_metric",
  "org_day",
  "account_metric",
  "oauth_state",
  "idempotency_key",
];

/** Read before a workspace is known (sign-in, API key, schedule): no policy, so only these few tables. */
const directoryTables = ["workspace", "app_user", "api_key"];

const windowCounts = ["created", "created_top", "good", "neutral", "bad", "good_top", "neutral_top", "bad_top"];
const slots = [1, 2, 3, 4, 5];
const trendBlocks = Array.from({ length: 12 }, (_, index) => index + 1);

export async function up(db: Kysely<unknown>): Promise<void> {
  const run = (text: string) => sql.raw(text).execute(db);

  await run(`create table workspace (
    id int primary key generated always as identity,
    name text not null,
    time_zone text not null default 'UTC',
    windows int[] not null default '{7,14,30,90,180}',
    top_priorities text[] not null default '{high,urgent}',
    minimum_ratings int not null default 5,
    count_merged boolean not null default true,
    sync_interval_minutes int not null default 60,
    demo boolean not null default false,
    accounts int not null default 0,
    metrics_day date,
    metrics_verified_at timestamptz,
    created_at timestamptz not null)`);

  await run(`create table app_user (
    workspace_id int not null,
    id bigint generated always as identity,
    email text not null,
    name text,
    role text not null,
    password_hash text,
    session_version int not null default 1,
    failed_attempts int not null default 0,
    locked_until timestamptz,
    disabled_at timestamptz,
    last_sign_in_at timestamptz,
    created_at timestamptz not null,
    primary key (workspace_id, id),
    unique (workspace_id, email))`);

  await run(`create table api_key (
    workspace_id int not null,
    id bigint generated always as identity,
    name text not null,
    role text not null,
    key_hash bytea not null,
    hint text not null,
    created_by text,
    created_at timestamptz not null,
    last_used_at timestamptz,
    revoked_at timestamptz,
    primary key (workspace_id, id))`);
  await run(`create unique index api_key_hash on api_key (key_hash)`);

  await run(`create table account (
    workspace_id int not null,
    id bigint generated always as identity,
    external_id text not null,
    name text not null,
    owner_email text,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    primary key (workspace_id, id),
    unique (workspace_id, external_id))`);
  await run(`create index account_owner on account (workspace_id, owner_email)`);
  await run(`create index account_name on account (workspace_id, name)`);

  await run(`create table account_attribute (
    workspace_id int not null,
    account_id bigint not null,
    key text not null,
    value text not null,
    primary key (workspace_id, account_id, key))`);
  await run(`create index account_attribute_value on account_attribute (workspace_id, key, md5(value))`);

  await run(`create table connection (
    workspace_id int not null,
    id int generated always as identity,
    kind text not null default 'zendesk',
    name text not null,
    subdomain text not null,
    access text not null,
    state text not null default 'active',
    paused_until timestamptz,
    auth_type text not null,
    auth_secret text,
    token_secret text,
    token_expires_at timestamptz,
    scopes text[],
    login_id bigint,
    login_email text,
    login_role text,
    connected_by text,
    failure_code text,
    failure_message text,
    failure_since timestamptz,
    failure_action text,
    history_days int not null default 0,
    event_history_days int not null default 365,
    sync_interval_minutes int,
    csat_system text,
    next_sync_at timestamptz,
    next_reconcile_at timestamptz,
    verified_at timestamptz,
    verified_tickets bigint,
    verified_repaired bigint,
    created_at timestamptz not null,
    updated_at timestamptz not null,
    disconnected_at timestamptz,
    archived_at timestamptz,
    primary key (workspace_id, id))`);

  await run(`create table connection_lease (
    workspace_id int not null,
    connection_id int not null,
    epoch bigint not null,
    holder text,
    heartbeat_at timestamptz,
    primary key (workspace_id, connection_id))`);

  await run(`create table stream_state (
    workspace_id int not null,
    connection_id int not null,
    stream text not null,
    purpose text not null,
    position text,
    resume_from timestamptz,
    caught_up boolean not null default false,
    state text not null default 'waiting',
    fresh_through timestamptz,
    last_run_at timestamptz,
    failure_code text,
    failure_message text,
    failure_since timestamptz,
    failure_action text,
    page_size int,
    updated_at timestamptz not null,
    primary key (workspace_id, connection_id, stream, purpose))`);

  await run(`create table sync_run (
    workspace_id int not null,
    connection_id int not null,
    id bigint generated always as identity,
    mode text not null,
    trigger text not null,
    state text not null,
    requested_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz,
    waiting_until timestamptz,
    epoch bigint,
    requests int not null default 0,
    failure_code text,
    failure_message text,
    failure_action text,
    primary key (workspace_id, connection_id, id))`);
  await run(`create unique index sync_run_one_live on sync_run (workspace_id, connection_id)
    where state in ('queued', 'running', 'waiting')`);

  await run(`create table sync_run_stream (
    workspace_id int not null,
    connection_id int not null,
    run_id bigint not null,
    stream text not null,
    state text not null,
    pages int not null default 0,
    rows_read bigint not null default 0,
    inserted bigint not null default 0,
    updated bigint not null default 0,
    unchanged bigint not null default 0,
    deleted bigint not null default 0,
    repaired bigint not null default 0,
    held bigint not null default 0,
    failure_code text,
    failure_message text,
    primary key (workspace_id, connection_id, run_id, stream))`);

  await run(`create table held_row (
    workspace_id int not null,
    connection_id int not null,
    stream text not null,
    row_key text not null,
    payload text not null,
    reason text not null,
    first_held_at timestamptz not null,
    last_held_at timestamptz not null,
    primary key (workspace_id, connection_id, stream, row_key))`);

  await run(`create table organization (
    workspace_id int not null,
    connection_id int not null,
    id bigint not null,
    name text,
    external_id text,
    domain_names text[] not null default '{}',
    group_id bigint,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    merged_into bigint,
    content_hash bigint not null,
    account_id bigint,
    match_state text not null default 'unmatched',
    match_key_index smallint,
    match_candidates bigint[],
    primary key (workspace_id, connection_id, id))`);
  await run(
    `create index organization_account on organization (workspace_id, account_id) where account_id is not null`,
  );

  await run(`create table organization_field_value (
    workspace_id int not null,
    connection_id int not null,
    organization_id bigint not null,
    key text not null,
    value text not null,
    primary key (workspace_id, connection_id, organization_id, key))`);

  await run(`create table match_key (
    workspace_id int not null,
    connection_id int not null,
    position smallint not null,
    organization_field text not null,
    account_field text not null,
    normalize text not null default 'exact',
    primary key (workspace_id, connection_id, position))`);

  await run(`create table match_decision (
    workspace_id int not null,
    connection_id int not null,
    organization_id bigint not null,
    account_id bigint,
    ignored boolean not null default false,
    decided_by text not null,
    decided_at timestamptz not null,
    primary key (workspace_id, connection_id, organization_id))`);

  await run(`create table zendesk_user (
    workspace_id int not null,
    connection_id int not null,
    id bigint not null,
    name text,
    email text,
    role text,
    organization_id bigint,
    external_id text,
    active boolean,
    suspended boolean,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    content_hash bigint not null,
    primary key (workspace_id, connection_id, id))`);
  await run(
    `create index zendesk_user_organization on zendesk_user (workspace_id, connection_id, organization_id, id)`,
  );

  await run(`create table zendesk_group (
    workspace_id int not null,
    connection_id int not null,
    id bigint not null,
    name text,
    updated_at timestamptz,
    deleted_at timestamptz,
    content_hash bigint not null,
    primary key (workspace_id, connection_id, id))`);

  await run(`create table field_definition (
    workspace_id int not null,
    connection_id int not null,
    subject text not null,
    id bigint not null,
    key text,
    title text,
    type text,
    active boolean,
    updated_at timestamptz,
    deleted_at timestamptz,
    content_hash bigint not null,
    primary key (workspace_id, connection_id, subject, id))`);

  await run(`create table custom_status (
    workspace_id int not null,
    connection_id int not null,
    id bigint not null,
    category text,
    label text,
    active boolean,
    updated_at timestamptz,
    content_hash bigint not null,
    primary key (workspace_id, connection_id, id))`);

  await run(`create table ticket (
    workspace_id int not null,
    connection_id int not null,
    id bigint not null,
    created_at timestamptz,
    updated_at timestamptz,
    generated_timestamp bigint not null,
    solved_at timestamptz,
    rated_at timestamptz,
    deleted_at timestamptz,
    organization_id bigint,
    requester_id bigint,
    assignee_id bigint,
    group_id bigint,
    custom_status_id bigint,
    content_hash bigint not null,
    reopens int,
    rating smallint,
    merged boolean not null default false,
    priority text,
    status text,
    status_category text,
    type text,
    channel text,
    external_id text,
    subject text,
    tags text[],
    primary key (workspace_id, connection_id, id)) with (fillfactor = 85)`);
  await run(`create index ticket_organization on ticket (workspace_id, connection_id, organization_id, created_at)`);
  await run(`create index ticket_rated on ticket (workspace_id, connection_id, organization_id, rated_at)
    where rated_at is not null`);
  await run(`create index ticket_requester on ticket (workspace_id, connection_id, requester_id)`);

  await run(`create table ticket_payload (
    workspace_id int not null,
    connection_id int not null,
    id bigint not null,
    payload text not null,
    primary key (workspace_id, connection_id, id))`);

  await run(`create table ticket_event (
    workspace_id int not null,
    connection_id int not null,
    id bigint not null,
    field text not null,
    position smallint not null,
    ticket_id bigint not null,
    occurred_at timestamptz not null,
    kind text not null,
    value text,
    previous text,
    updater_id bigint,
    primary key (workspace_id, connection_id, id, field, position))`);
  await run(
    `create index ticket_event_ticket on ticket_event (workspace_id, connection_id, ticket_id, occurred_at, id)`,
  );

  await run(`create table satisfaction_rating (
    workspace_id int not null,
    connection_id int not null,
    system text not null,
    id text not null,
    ticket_id bigint not null,
    score text,
    category text,
    comment text,
    rated_at timestamptz,
    created_at timestamptz,
    updated_at timestamptz,
    deleted_at timestamptz,
    content_hash bigint not null,
    primary key (workspace_id, connection_id, system, id))`);
  await run(`create index satisfaction_rating_ticket on satisfaction_rating (workspace_id, connection_id, ticket_id)`);

  await run(`create table timeline_entry (
    workspace_id int not null,
    connection_id int not null,
    ticket_id bigint not null,
    kind text not null,
    occurred_at timestamptz not null,
    organization_id bigint,
    priority_then text,
    derived boolean not null,
    moves text,
    comment text,
    primary key (workspace_id, connection_id, ticket_id, kind, occurred_at))`);
  await run(`create index timeline_entry_organization on timeline_entry
    (workspace_id, connection_id, organization_id, occurred_at desc, ticket_id, kind)`);
  await run(`create index timeline_entry_feed on timeline_entry (workspace_id, occurred_at desc, ticket_id, kind)`);

  const counts = ["total", "unsolved", "unsolved_top"].concat(
    ["w", "p"].flatMap((range) => slots.flatMap((s) => windowCounts.map((c) => `${range}${s}_${c}`))),
    trendBlocks.map((block) => `t${block}_created`),
  );
  const countColumns = counts.map((c) => `${c} int not null default 0`).join(",\n    ");
  await run(`create table org_metric (
    workspace_id int not null,
    connection_id int not null,
    organization_id bigint not null,
    ${countColumns},
    primary key (workspace_id, connection_id, organization_id)) with (fillfactor = 70)`);

  await run(`create table org_day (
    workspace_id int not null,
    connection_id int not null,
    organization_id bigint not null,
    day date not null,
    ${windowCounts.map((c) => `${c} int not null default 0`).join(",\n    ")},
    primary key (workspace_id, connection_id, organization_id, day)) with (fillfactor = 80)`);
  await run(`create index org_day_day on org_day (workspace_id, day)`);

  const scores = slots.flatMap((s) => [
    `w${s}_csat real generated always as (
      coalesce(w${s}_good::real / nullif(w${s}_good + w${s}_neutral + w${s}_bad, 0), -1)) stored`,
    `w${s}_csat_top real generated always as (
      coalesce(w${s}_good_top::real / nullif(w${s}_good_top + w${s}_neutral_top + w${s}_bad_top, 0), -1)) stored`,
  ]);
  await run(`create table account_metric (
    workspace_id int not null,
    account_id bigint not null,
    name text not null,
    owner_email text,
    organizations int not null default 0,
    ${countColumns},
    ${scores.join(",\n    ")},
    primary key (workspace_id, account_id)) with (fillfactor = 70)`);
  const sorted = ["name", "total", "unsolved", "unsolved_top"].concat(
    slots.flatMap((s) => [`w${s}_created`, `w${s}_created_top`, `w${s}_csat`, `w${s}_csat_top`]),
  );
  for (const column of sorted) {
    await run(`create index account_metric_${column} on account_metric (workspace_id, ${column}, account_id)`);
  }

  await run(`create table oauth_state (
    workspace_id int not null,
    state_hash bytea not null,
    user_id bigint not null,
    subdomain text not null,
    access text not null,
    name text,
    connection_id int,
    code_verifier text not null,
    created_at timestamptz not null,
    primary key (workspace_id, state_hash))`);

  await run(`create table idempotency_key (
    workspace_id int not null,
    key text not null,
    operation text not null,
    body_hash bytea not null,
    status int,
    answer text,
    created_at timestamptz not null,
    primary key (workspace_id, key, operation))`);

  for (const table of workspaceTables) {
    await run(`alter table ${table} enable row level security`);
    await run(`alter table ${table} force row level security`);
    await run(`create policy own_workspace on ${table}
      using (workspace_id = nullif(current_setting('app.workspace', true), '')::int)
      with check (workspace_id = nullif(current_setting('app.workspace', true), '')::int)`);
  }

  await run(`do $$ begin
    if not exists (select from pg_roles where rolname = 'bellwether_app') then
      create role bellwether_app nologin;
    end if;
  exception
    -- A server where this login may not create roles: the tables' owner serves, bound by FORCE ROW LEVEL SECURITY.
    when insufficient_privilege then
      if exists (select from pg_roles where rolname = current_user and rolbypassrls) then
        raise exception 'the login % bypasses row-level security and may not create the role bellwether_app; '
          'take BYPASSRLS from it, or give it CREATEROLE', current_user;
      end if;
    -- Roles belong to the whole server: a migration of a neighbouring database may have made it this instant.
    when duplicate_object or unique_violation then null;
  end $$`);
  await run(`do $$ begin
    if exists (select from pg_roles where rolname = 'bellwether_app') then
      grant usage on schema public to bellwether_app;
      grant select on kysely_migration to bellwether_app;
      grant select, insert, update, delete on ${[...workspaceTables, ...directoryTables].join(", ")} to bellwether_app;
      grant usage on all sequences in schema public to bellwether_app;
      -- Whoever is no superuser may not take on a role (db/client) for having made it alone.
      if exists (select from pg_roles where rolname = current_user and rolbypassrls and not rolsuper) then
        execute format('grant bellwether_app to %I', current_user);
      end if;
    end if;
  end $$`);
}
