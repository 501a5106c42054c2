import type { Generated, GeneratedAlways } from "kysely";

/*
 * The data dictionary: every table and column. Instants are timestamptz (Date), days are `YYYY-MM-DD` in the workspace's
 * zone, Zendesk ids and our own account and user ids are bigint (string in TypeScript). Every key begins with workspace_id.
 */

export const metricSlots = [1, 2, 3, 4, 5] as const;
export type MetricSlot = (typeof metricSlots)[number];
/** Blocks of seven days of the sparkline, oldest first; the last ends with the day at which the counts stand. */
export const trendBlocks = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12] as const;
/** What one window counts: tickets created, and ratings received by answer; `_top` of top priority. */
export const windowCounts = [
  "created",
  "created_top",
  "good",
  "neutral",
  "bad",
  "good_top",
  "neutral_top",
  "bad_top",
] as const;
export type WindowCount = (typeof windowCounts)[number];
type StandingCounts = { total: number; unsolved: number; unsolved_top: number };
type SlotCounts = { [K in `${"w" | "p"}${MetricSlot}_${WindowCount}`]: number };
type TrendCounts = { [K in `t${(typeof trendBlocks)[number]}_created`]: number };
type SlotScores = { [K in `w${MetricSlot}_csat` | `w${MetricSlot}_csat_top`]: GeneratedAlways<number> };
type DayCounts = { [K in WindowCount]: number };

/**
 * A customer-success team with its own accounts, connections and settings. `metrics_day` is the calendar day (in `time_zone`)
 * at which every window column of org_metric and account_metric stands; null until the first rebuild. `accounts` is the
 * number of rows of account_metric.
 */
export interface WorkspaceTable {
  id: GeneratedAlways<number>;
  name: string;
  time_zone: Generated<string>;
  windows: Generated<number[]>;
  top_priorities: Generated<string[]>;
  minimum_ratings: Generated<number>;
  count_merged: Generated<boolean>;
  sync_interval_minutes: Generated<number>;
  demo: Generated<boolean>;
  accounts: Generated<number>;
  metrics_day: string | null;
  metrics_verified_at: Date | null;
  created_at: Date;
}

/** A person who signs in. `email` is lower case. `session_version` is compared with the one in the session token: raising it signs the person out. */
export interface AppUserTable {
  workspace_id: number;
  id: GeneratedAlways<string>;
  email: string;
  name: string | null;
  role: string;
  password_hash: string | null;
  session_version: Generated<number>;
  failed_attempts: Generated<number>;
  locked_until: Date | null;
  disabled_at: Date | null;
  last_sign_in_at: Date | null;
  created_at: Date;
}

/** A sign-in that its person ended: its token is good for nothing any more. Kept until the token would have ended by itself. */
export interface EndedSessionTable {
  workspace_id: number;
  id: string;
  ends_at: Date;
}

/** A program's key; only its SHA-256 is kept. `hint` is the first characters, to tell keys apart. */
export interface ApiKeyTable {
  workspace_id: number;
  id: GeneratedAlways<string>;
  name: string;
  role: string;
  key_hash: Buffer;
  hint: string;
  created_by: string | null;
  created_at: Date;
  last_used_at: Date | null;
  revoked_at: Date | null;
}

/** A company that a CSM looks after. `owner_email` (lower case) may belong to nobody yet: it is linked by e-mail when that person joins. */
export interface AccountTable {
  workspace_id: number;
  id: GeneratedAlways<string>;
  external_id: string;
  name: string;
  owner_email: string | null;
  created_at: Date;
  updated_at: Date;
}

/** Text attributes of an account, one row each, so that match keys can join on them. */
export interface AccountAttributeTable {
  workspace_id: number;
  account_id: string;
  key: string;
  value: string;
}

/**
 * One Zendesk account. `auth_secret` and `token_secret` are encrypted (lib/auth/encryption). `login_*` is the identity seen at connection and compared at each run.
 * `state`: active | paused | failing | disconnected | archived. `clock_skew_seconds` is how far this machine's clock was behind
 * Zendesk's at the last run; `zendesk_account_id` is what its webhooks call the account, kept from the first verified one. `login_ends_at`:
 * until then the sign-in can be renewed without a person (the end of the refresh token), where Zendesk said so.
 */
export interface ConnectionTable {
  workspace_id: number;
  id: GeneratedAlways<number>;
  kind: Generated<string>;
  name: string;
  subdomain: string;
  access: string;
  state: Generated<string>;
  paused_until: Date | null;
  auth_type: string;
  auth_secret: string | null;
  token_secret: string | null;
  token_expires_at: Date | null;
  scopes: string[] | null;
  login_id: string | null;
  login_email: string | null;
  login_role: string | null;
  connected_by: string | null;
  failure_code: string | null;
  failure_message: string | null;
  failure_since: Date | null;
  failure_action: string | null;
  history_days: Generated<number>;
  event_history_days: Generated<number>;
  sync_interval_minutes: number | null;
  csat_system: string | null;
  next_sync_at: Date | null;
  next_reconcile_at: Date | null;
  verified_at: Date | null;
  verified_tickets: string | null;
  verified_repaired: string | null;
  clock_skew_seconds: number | null;
  zendesk_account_id: string | null;
  login_ends_at: Date | null;
  created_at: Date;
  updated_at: Date;
  disconnected_at: Date | null;
  archived_at: Date | null;
}

/** Who may write for a connection. Every page commits under `epoch`; `heartbeat_at` is the database's clock. */
export interface ConnectionLeaseTable {
  workspace_id: number;
  connection_id: number;
  epoch: string;
  holder: string | null;
  heartbeat_at: Date | null;
}

/**
 * Where reading stands, one row per stream and purpose (incremental | backfill | reconcile | full). `position` is lib/zendesk/place
 * as text, the server's own opaque cursor or end_time within it;
 * `resume_from` the instant a new pass starts at; `fresh_through` the newest instant through which nothing visible is missing.
 */
export interface StreamStateTable {
  workspace_id: number;
  connection_id: number;
  stream: string;
  purpose: string;
  position: string | null;
  resume_from: Date | null;
  caught_up: Generated<boolean>;
  state: Generated<string>;
  fresh_through: Date | null;
  last_run_at: Date | null;
  failure_code: string | null;
  failure_message: string | null;
  failure_since: Date | null;
  failure_action: string | null;
  page_size: number | null;
  updated_at: Date;
}

/** One run. `state`: queued | running | waiting | succeeded | failed | interrupted. `trigger`: first | schedule | cron | person | key. */
export interface SyncRunTable {
  workspace_id: number;
  connection_id: number;
  id: GeneratedAlways<string>;
  mode: string;
  trigger: string;
  state: string;
  requested_at: Date;
  started_at: Date | null;
  finished_at: Date | null;
  waiting_until: Date | null;
  epoch: string | null;
  requests: Generated<number>;
  failure_code: string | null;
  failure_message: string | null;
  failure_action: string | null;
}

/**
 * What a run did, stream by stream; counts are rows, but for `cleaned`, texts that had to be cleaned before they could be stored,
 * and `restarts`, places that Zendesk refused, so that the reading began again. Of changes that a webhook should have told: `announced`, those that it did;
 * `unannounced`, those that the run found by itself.
 */
export interface SyncRunStreamTable {
  workspace_id: number;
  connection_id: number;
  run_id: string;
  stream: string;
  state: string;
  pages: Generated<number>;
  rows_read: Generated<string>;
  inserted: Generated<string>;
  updated: Generated<string>;
  unchanged: Generated<string>;
  deleted: Generated<string>;
  repaired: Generated<string>;
  held: Generated<string>;
  announced: Generated<string>;
  unannounced: Generated<string>;
  cleaned: Generated<string>;
  restarts: Generated<number>;
  failure_code: string | null;
  failure_message: string | null;
}

/**
 * Quarantine: a row that could not be stored, as it came, with the reason. One that a person has set aside is listed, and no
 * doubt about its stream, until it comes again with other bytes.
 */
export interface HeldRowTable {
  workspace_id: number;
  connection_id: number;
  stream: string;
  row_key: string;
  payload: string;
  reason: string;
  first_held_at: Date;
  last_held_at: Date;
  set_aside_at: Date | null;
  set_aside_by: string | null;
}

/**
 * A Zendesk organization and the account it is matched to. `match_state`: matched | unmatched | ambiguous | ignored;
 * `match_key_index` counts from 0 and is null where a person decided; `match_candidates` are the accounts an ambiguous key met (at most 20).
 */
export interface OrganizationTable {
  workspace_id: number;
  connection_id: number;
  id: string;
  name: string | null;
  external_id: string | null;
  domain_names: Generated<string[]>;
  group_id: string | null;
  created_at: Date | null;
  updated_at: Date | null;
  deleted_at: Date | null;
  merged_into: string | null;
  fetched_at: Date | null;
  content_hash: string;
  account_id: string | null;
  match_state: Generated<string>;
  match_key_index: number | null;
  match_candidates: string[] | null;
}

/** Custom field values of organizations as text: any of them can be a match key. */
export interface OrganizationFieldValueTable {
  workspace_id: number;
  connection_id: number;
  organization_id: string;
  key: string;
  value: string;
}

/** The ladder of match keys of a connection, asked in order of `position` (from 0). */
export interface MatchKeyTable {
  workspace_id: number;
  connection_id: number;
  position: number;
  organization_field: string;
  account_field: string;
  normalize: Generated<string>;
}

/** A person's word about one organization; it comes before all keys. */
export interface MatchDecisionTable {
  workspace_id: number;
  connection_id: number;
  organization_id: string;
  account_id: string | null;
  ignored: Generated<boolean>;
  decided_by: string;
  decided_at: Date;
}

/** End users and agents. */
export interface ZendeskUserTable {
  workspace_id: number;
  connection_id: number;
  id: string;
  name: string | null;
  email: string | null;
  role: string | null;
  organization_id: string | null;
  external_id: string | null;
  active: boolean | null;
  suspended: boolean | null;
  created_at: Date | null;
  updated_at: Date | null;
  deleted_at: Date | null;
  fetched_at: Date | null;
  content_hash: string;
}

export interface ZendeskGroupTable {
  workspace_id: number;
  connection_id: number;
  id: string;
  name: string | null;
  updated_at: Date | null;
  deleted_at: Date | null;
  content_hash: string;
}

/** `absent_since`: since when no list of its kind shows it; `deleted_at`: when that was taken for its deletion. */
export interface FieldDefinitionTable {
  workspace_id: number;
  connection_id: number;
  subject: string;
  id: string;
  key: string | null;
  title: string | null;
  type: string | null;
  active: boolean | null;
  updated_at: Date | null;
  deleted_at: Date | null;
  absent_since: Date | null;
  content_hash: string;
}

export interface CustomStatusTable {
  workspace_id: number;
  connection_id: number;
  id: string;
  category: string | null;
  label: string | null;
  active: boolean | null;
  updated_at: Date | null;
  content_hash: string;
}

/**
 * A ticket as it stands in Zendesk. It never stores an account: organization → account is the only place of attribution.
 * `status_category` is the status, or the category of the custom status; `rating` is that of the latest answer (1 bad, 2 neutral, 3 good), `rated_at` its instant;
 * `merged` = closed with the tag closed_by_merge; `deleted_at` is a tombstone. `generated_timestamp` (Unix seconds) is the version;
 * of equal versions the one asked for later holds (`fetched_at`: when Zendesk was asked, by the database's clock).
 */
export interface TicketTable {
  workspace_id: number;
  connection_id: number;
  id: string;
  created_at: Date | null;
  updated_at: Date | null;
  generated_timestamp: string;
  solved_at: Date | null;
  rated_at: Date | null;
  deleted_at: Date | null;
  fetched_at: Date | null;
  organization_id: string | null;
  requester_id: string | null;
  assignee_id: string | null;
  group_id: string | null;
  custom_status_id: string | null;
  content_hash: string;
  reopens: number | null;
  rating: number | null;
  merged: Generated<boolean>;
  priority: string | null;
  status: string | null;
  status_category: string | null;
  type: string | null;
  channel: string | null;
  external_id: string | null;
  subject: string | null;
  tags: string[] | null;
}

/** The ticket as it came, for fields that are not columns yet. */
export interface TicketPayloadTable {
  workspace_id: number;
  connection_id: number;
  id: string;
  payload: string;
}

/** Changes of the fields that the timeline reads, one row per (audit event, field, position).
 * `position` counts from 0: an audit may set a field and a trigger change it again. `kind`: create | change. Values are Zendesk's own text. */
export interface TicketEventTable {
  workspace_id: number;
  connection_id: number;
  id: string;
  field: string;
  position: number;
  ticket_id: string;
  occurred_at: Date;
  kind: string;
  value: string | null;
  previous: string | null;
  updater_id: string | null;
}

/** Every rating of both systems (legacy | survey), whatever its score. `category`: good | neutral | bad where it counts, else null. */
export interface SatisfactionRatingTable {
  workspace_id: number;
  connection_id: number;
  system: string;
  id: string;
  ticket_id: string;
  score: string | null;
  category: string | null;
  comment: string | null;
  rated_at: Date | null;
  created_at: Date | null;
  updated_at: Date | null;
  deleted_at: Date | null;
  content_hash: string;
}

/** An answer that a later one of the same rating replaced in Zendesk, and that said something else. Counts nowhere; the timeline tells it. */
export interface FormerRatingTable {
  workspace_id: number;
  connection_id: number;
  system: string;
  rating_id: string;
  rated_at: Date;
  ticket_id: string;
  category: string;
  comment: string | null;
}

/**
 * An organization that rows have left since somebody last asked Zendesk about it: `rows` of them went to `went_to` (null:
 * nowhere). Gone once it is judged (lib/zendesk/departed); `asked_in` is the run that last could not.
 */
export interface DepartureTable {
  workspace_id: number;
  connection_id: number;
  organization_id: string;
  went_to: string | null;
  rows: number;
  noted_at: Date;
  asked_in: string | null;
}

/** One moment of one ticket, built by lib/timeline/build. `organization_id` follows the ticket's; `priority_then` is the priority at that moment;
 * `moves` are the priority changes of a ticket_escalated (`low>high none>urgent`), judged at reading against workspace.top_priorities. */
export interface TimelineEntryTable {
  workspace_id: number;
  connection_id: number;
  ticket_id: string;
  kind: string;
  occurred_at: Date;
  organization_id: string | null;
  priority_then: string | null;
  derived: boolean;
  moves: string | null;
  comment: string | null;
}

/**
 * Additive integers per organization, as of workspace.metrics_day: windows by slot (w1 … w5 = workspace.windows in order),
 * the window before each (p1 … p5), and tickets created in each block of the sparkline (t1 … t12).
 * Changed by signed deltas in the statement that stores a page; the rebuild verifies them.
 */
export interface OrgMetricTable extends StandingCounts, SlotCounts, TrendCounts {
  workspace_id: number;
  connection_id: number;
  organization_id: string;
}

/** The same counts per calendar day (workspace zone) of creation or of rating: weekly trends, past days, the daily tick. */
export interface OrgDayTable extends DayCounts {
  workspace_id: number;
  connection_id: number;
  organization_id: string;
  day: string;
}

/** Sum of the organizations of an account, with name and owner beside it: the portfolio is one range scan here. `*_csat` is good ÷ rated, −1 when nothing was rated. */
export interface AccountMetricTable extends StandingCounts, SlotCounts, TrendCounts, SlotScores {
  workspace_id: number;
  account_id: string;
  name: string;
  owner_email: string | null;
  organizations: Generated<number>;
}

/** A started authorization: single use, bound to the person who started it. */
export interface OauthStateTable {
  workspace_id: number;
  state_hash: Buffer;
  user_id: string;
  subdomain: string;
  access: string;
  name: string | null;
  connection_id: number | null;
  confirm_login: Generated<boolean>;
  code_verifier: string;
  created_at: Date;
}

/** First answers of POSTs that named an Idempotency-Key. */
export interface IdempotencyKeyTable {
  workspace_id: number;
  key: string;
  operation: string;
  body_hash: Buffer;
  status: number | null;
  answer: string | null;
  created_at: Date;
}

/**
 * The webhook of a connection. `kind`: events (Zendesk's event subscriptions) | trigger (tickets only) | manual (a person made it);
 * `state`: none | active | failing | refused (the grant does not allow it) | unreachable (this product has no address that
 * Zendesk could call). `secret` and, during a rotation, `previous_secret` are sealed. `changed_at`: when a delivery last
 * changed a stored row; `active_since`: since when it works without a break. No row-level security: a delivery names its
 * connection only.
 */
export interface WebhookTable {
  workspace_id: number;
  connection_id: number;
  kind: string | null;
  zendesk_id: string | null;
  trigger_id: string | null;
  endpoint: string | null;
  state: Generated<string>;
  secret: string | null;
  previous_secret: string | null;
  previous_until: Date | null;
  rotated_at: Date | null;
  checked_at: Date | null;
  next_check_at: Date | null;
  last_delivery_at: Date | null;
  changed_at: Date | null;
  active_since: Date | null;
  failure_code: string | null;
  failure_message: string | null;
  failure_since: Date | null;
  failure_action: string | null;
}

/** A verified delivery, kept as long as it could be replayed. `delivery_key` is the SHA-256 of the signed timestamp and body; `sent_at` the signed timestamp. */
export interface WebhookDeliveryTable {
  workspace_id: number;
  connection_id: number;
  delivery_key: Buffer;
  type: string | null;
  subject: string | null;
  subject_id: string | null;
  sent_at: Date;
  received_at: Date;
}

/**
 * What deliveries say has changed and is to be fetched by id: any number of deliveries, one row. `subject`: ticket | user |
 * organization; `hints` counts them, and a row that grew while it was fetched is fetched again. `claimed_until`: somebody fetches it.
 */
export interface WebhookHintTable {
  workspace_id: number;
  connection_id: number;
  subject: string;
  subject_id: string;
  hints: Generated<string>;
  first_at: Date;
  last_at: Date;
  claimed_until: Date | null;
  attempts: Generated<number>;
}

/**
 * The ledger of the nightly check: rows of one stream compared with Zendesk, by the day (UTC) of their version.
 * `missing` was not stored, `extra` is stored and absent there, `older` stood in an older version, `different` in the same version with other content.
 */
export interface DriftDayTable {
  workspace_id: number;
  connection_id: number;
  run_id: string;
  stream: string;
  day: string;
  compared: Generated<string>;
  missing: Generated<string>;
  extra: Generated<string>;
  older: Generated<string>;
  different: Generated<string>;
  repaired: Generated<string>;
}

/** One row that differed. `difference`: missing | extra | older | different. At most 1,000 a run and stream; the days count all. */
export interface DriftRowTable {
  workspace_id: number;
  connection_id: number;
  run_id: string;
  stream: string;
  row_key: string;
  day: string;
  difference: string;
  repaired: boolean;
  found_at: Date;
  /** Those in which a stored row differed; none where nothing was stored. */
  columns: Generated<string[]>;
}

/** A user belongs to an organization; `is_default` marks the one that zendesk_user names too. Read whole every night (row 42). */
export interface OrganizationMembershipTable {
  workspace_id: number;
  connection_id: number;
  id: string;
  user_id: string;
  organization_id: string;
  is_default: boolean;
  updated_at: Date | null;
}

/** What Zendesk has shown in a comparison that is under way: a page's keys, hashed. Gone when the whole span was read. */
export interface DriftSeenTable {
  workspace_id: number;
  connection_id: number;
  stream: string;
  keys: string[];
}

/**
 * A stored ticket or organization that Zendesk no longer shows: a nominee for deletion, never more. `not_found_at`: the first
 * time that Zendesk did not find it by its id either. `held`: one of too many; nothing is asked or removed without a person.
 * `counted_run_id` and `asked_run_id`: the last checks that counted it as extra, and that asked for it by id.
 */
export interface AbsenceTable {
  workspace_id: number;
  connection_id: number;
  stream: string;
  row_id: string;
  first_missed_at: Date;
  last_missed_at: Date;
  not_found_at: Date | null;
  held: Generated<boolean>;
  counted_run_id: string | null;
  counted_day: string | null;
  asked_run_id: string | null;
}

/** A person's word that up to `ceiling` absent rows of a stream may be gone; spent by the run that acts on it. */
export interface AbsenceApprovalTable {
  workspace_id: number;
  connection_id: number;
  stream: string;
  ceiling: number;
  approved_by: string;
  approved_at: Date;
}

/** What the connection doctor last found. `state`: ok | warning | failure | unknown. */
export interface DoctorCheckTable {
  workspace_id: number;
  connection_id: number;
  key: string;
  state: string;
  found: string;
  action: string | null;
  checked_at: Date;
}

/**
 * A failure that administrators are told of, once: on every screen while it is open (`cleared_at` null), and by e-mail when it
 * begins and when it is over. `next_mail_at`: a letter is due then; null when there is nothing to be sent.
 */
export interface NoticeTable {
  workspace_id: number;
  id: GeneratedAlways<string>;
  connection_id: number;
  code: string;
  message: string;
  action: string;
  raised_at: Date;
  cleared_at: Date | null;
  mailed_at: Date | null;
  clear_mailed_at: Date | null;
  mail_attempts: Generated<number>;
  next_mail_at: Date | null;
  mail_failure: string | null;
}

/**
 * A Zendesk account as its rate limits see it: one for all connections and workspaces that read it. `account` is its base
 * address. Nothing may be sent before `blocked_until`; until `slow_until` half as much as usual.
 */
export interface ZendeskAccountTable {
  account: string;
  blocked_until: Date | null;
  slow_until: Date | null;
}

/**
 * One budget of a Zendesk account, for the window that ends at `reset_at`. `used` counts our requests since `counted_from`; what is gone beyond
 * them, others took; `others` is the most that they took in one window of the past hour. `bucket` is the documented name, with a target's id where each target has its own (`ticket:123`), or the name
 * in Zendesk's header, drawn on by the endpoints `drawn_by`. `recent` holds our requests of the past `window_ms` while it is not announced.
 */
export interface ZendeskBudgetTable {
  account: string;
  bucket: string;
  drawn_by: string[];
  announced: boolean;
  limit: number;
  remaining: number;
  used: number;
  counted_from: Date;
  others: number;
  others_at: Date;
  window_ms: number;
  reset_at: Date;
  last_taken_at: Date;
  recent: Date[];
}

/** A program that sends events: a website, a server, another tool. One that was removed stays for the names of its events. */
export interface SourceTable {
  workspace_id: number;
  id: GeneratedAlways<number>;
  name: string;
  enabled: Generated<boolean>;
  created_by: string | null;
  created_at: Date;
  updated_at: Date;
  deleted_at: Date | null;
}

/** What lets a program send events as its source. `key_hash` is the SHA-256; `hint` its last characters. `ends_at`: a key that was replaced works until then. */
export interface WriteKeyTable {
  workspace_id: number;
  id: GeneratedAlways<string>;
  source_id: number;
  key_hash: Buffer;
  hint: string;
  created_at: Date;
  ends_at: Date | null;
  last_used_at: Date | null;
}

/** An event as it was received: stored before it is acknowledged. `payload` is its JSON text. `rejection`: why nothing is done with it, else null. `routed_at`: since when its deliveries exist. */
export interface EventTable {
  workspace_id: number;
  id: GeneratedAlways<string>;
  source_id: number;
  message_id: string;
  type: string;
  name: string | null;
  user_id: string | null;
  anonymous_id: string | null;
  group_id: string | null;
  email: string | null;
  occurred_at: Date;
  received_at: Date;
  payload: string;
  rejection: string | null;
  routed_at: Date | null;
}

/** `message_id`s of the last seven days: each is accepted once. */
export interface EventMessageTable {
  workspace_id: number;
  source_id: number;
  message_id: string;
  received_at: Date;
}

/** A Zendesk that events are written to, by its connection. `stopped_at`: nothing is sent since then, and nothing is lost. `deleted_at`: kept only to name its deliveries. `write_back_version`: the version of the numbers that were compared last with what was written back. */
export interface DestinationTable {
  workspace_id: number;
  id: GeneratedAlways<number>;
  connection_id: number;
  name: string;
  profile: string;
  enabled: boolean;
  stopped_at: Date | null;
  stopped_by: string | null;
  unknown_user_on_track: string;
  unknown_user_traits: string;
  unknown_organization_traits: string;
  associate_on_group: boolean;
  accept_group_without_user: boolean;
  allow_removals: boolean;
  create_verified: boolean;
  skip_verify_email: boolean;
  tested_at: Date | null;
  deleted_at: Date | null;
  write_back_version: string | null;
  created_by: string | null;
  created_at: Date;
  updated_at: Date;
}

/** Which sources a destination takes events of. */
export interface DestinationSourceTable {
  workspace_id: number;
  destination_id: number;
  source_id: number;
}

/** An action of a destination, as it was set at one time: the highest `version` holds. `trigger` and `mapping` are JSON text of lib/destinations/shapes.ts. */
export interface DestinationActionTable {
  workspace_id: number;
  destination_id: number;
  action: string;
  version: number;
  position: number;
  enabled: boolean;
  trigger: string;
  mapping: string;
  created_by: string | null;
  created_at: Date;
}

/** A command to Zendesk, and what became of it. `command` is the mapped JSON text; `command_key` makes it one however often it is asked for; `lanes` name whom it concerns: of each lane the oldest goes first. `affected`: JSON text of the working tickets that a removal would unassign. `approved_for`: codes for which it was held and a person has allowed it. `due_at` null: nobody waits for it but a person. `waits_for`: a delivery that goes before it in one of its lanes. `retries`: tries in a row that ended without a result. `is_test`: sent also while its destination is off. `is_late`: taken up again, so that others of its lanes may have gone before it. */
export interface DeliveryTable {
  workspace_id: number;
  id: GeneratedAlways<string>;
  destination_id: number;
  connection_id: number;
  zendesk_account: string | null;
  event_id: string | null;
  message_id: string | null;
  action: string;
  action_version: number;
  command: string;
  command_key: string;
  lanes: string[];
  state: string;
  attempts: Generated<number>;
  retries: Generated<number>;
  is_test: Generated<boolean>;
  is_late: Generated<boolean>;
  code: string | null;
  reason: string | null;
  fix: string | null;
  notes: Generated<string[]>;
  result_kind: string | null;
  result_id: string | null;
  affected: string | null;
  approved_by: string | null;
  approved_at: Date | null;
  approved_for: Generated<string[]>;
  due_at: Date | null;
  waits_for: string | null;
  claimed_by: string | null;
  claimed_until: Date | null;
  created_at: Date;
  updated_at: Date;
}

/** The lanes of deliveries. `state`: `open` while the delivery holds up those behind it, then the one in which it ended. */
export interface DeliveryLaneTable {
  workspace_id: number;
  connection_id: number;
  lane: string;
  delivery_id: string;
  state: string;
}

/** What was said to Zendesk for a delivery, secrets removed. `outcome`: open (sent, not answered yet), done, refused, unknown, not_sent. Writes are noted before they are sent. */
export interface DeliveryExchangeTable {
  workspace_id: number;
  delivery_id: string;
  position: number;
  attempt: number;
  step: string;
  is_write: boolean;
  method: string;
  path: string;
  request: string | null;
  status: number | null;
  response: string | null;
  outcome: string;
  sent_at: Date;
  ended_at: Date | null;
}

/** A track event of a customer that the plan of their Zendesk has no place for: an entry of our own timeline. `properties` is JSON text. */
export interface CustomerEventTable {
  workspace_id: number;
  connection_id: number;
  event_id: string;
  zendesk_user_id: string;
  organization_id: string | null;
  name: string;
  properties: string;
  occurred_at: Date;
}

/** A number or attribute of accounts that is written to a field of their organizations in Zendesk. */
export interface WriteBackRuleTable {
  workspace_id: number;
  destination_id: number;
  organization_field: string;
  measure: string;
  position: number;
  enabled: boolean;
  created_by: string | null;
  created_at: Date;
}

/** What was last written back, or is on its way: only changes are sent. */
export interface WriteBackValueTable {
  workspace_id: number;
  destination_id: number;
  organization_id: string;
  organization_field: string;
  value: string | null;
  delivery_id: string | null;
  set_at: Date;
}

export interface Database {
  workspace: WorkspaceTable;
  app_user: AppUserTable;
  ended_session: EndedSessionTable;
  api_key: ApiKeyTable;
  account: AccountTable;
  account_attribute: AccountAttributeTable;
  connection: ConnectionTable;
  connection_lease: ConnectionLeaseTable;
  stream_state: StreamStateTable;
  sync_run: SyncRunTable;
  sync_run_stream: SyncRunStreamTable;
  held_row: HeldRowTable;
  organization: OrganizationTable;
  organization_field_value: OrganizationFieldValueTable;
  match_key: MatchKeyTable;
  match_decision: MatchDecisionTable;
  zendesk_user: ZendeskUserTable;
  zendesk_group: ZendeskGroupTable;
  field_definition: FieldDefinitionTable;
  custom_status: CustomStatusTable;
  ticket: TicketTable;
  ticket_payload: TicketPayloadTable;
  ticket_event: TicketEventTable;
  satisfaction_rating: SatisfactionRatingTable;
  former_rating: FormerRatingTable;
  timeline_entry: TimelineEntryTable;
  org_metric: OrgMetricTable;
  org_day: OrgDayTable;
  account_metric: AccountMetricTable;
  oauth_state: OauthStateTable;
  idempotency_key: IdempotencyKeyTable;
  webhook: WebhookTable;
  webhook_delivery: WebhookDeliveryTable;
  webhook_hint: WebhookHintTable;
  drift_day: DriftDayTable;
  drift_row: DriftRowTable;
  drift_seen: DriftSeenTable;
  organization_membership: OrganizationMembershipTable;
  absence: AbsenceTable;
  departure: DepartureTable;
  absence_approval: AbsenceApprovalTable;
  doctor_check: DoctorCheckTable;
  notice: NoticeTable;
  zendesk_account: ZendeskAccountTable;
  zendesk_budget: ZendeskBudgetTable;
  source: SourceTable;
  write_key: WriteKeyTable;
  event: EventTable;
  event_message: EventMessageTable;
  destination: DestinationTable;
  destination_source: DestinationSourceTable;
  destination_action: DestinationActionTable;
  delivery: DeliveryTable;
  delivery_lane: DeliveryLaneTable;
  delivery_exchange: DeliveryExchangeTable;
  customer_event: CustomerEventTable;
  write_back_rule: WriteBackRuleTable;
  write_back_value: WriteBackValueTable;
}
