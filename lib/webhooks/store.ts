import { type Selectable, sql, type Updateable } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { WebhookTable } from "#db/schema.ts";
import type { Subject, Told } from "#lib/webhooks/subject.ts";
import { lostLoginCodes } from "#lib/zendesk/identity.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

export type StoredWebhook = Selectable<WebhookTable>;

/** The webhook of the connection that a delivery names: before any workspace is known. */
export async function findByConnection(db: Db, connectionId: string): Promise<StoredWebhook | undefined> {
  const id = /^[1-9]\d{0,9}$/.test(connectionId) && Number(connectionId) <= 2_147_483_647 ? Number(connectionId) : 0;
  return db.selectFrom("webhook").selectAll().where("connection_id", "=", id).executeTakeFirst();
}

export async function findWebhook(db: Db, scope: Scope): Promise<StoredWebhook | undefined> {
  return db
    .selectFrom("webhook")
    .selectAll()
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .executeTakeFirst();
}

export type Outcome = "stored" | "known" | "full" | "foreign" | "closed";

/**
 * Stores a delivery and, where it is new, what is to be fetched for it, in one statement. The first one tells which account
 * Zendesk calls this; `foreign` is another one, `closed` a connection that takes nothing, `full` one for which too much waits.
 */
export async function storeDelivery(
  trx: Trx,
  scope: Scope,
  delivery: Told & { key: Buffer; accountId: string | null; sentAt: Date },
  now: Date,
  limit: number,
): Promise<Outcome> {
  const ws = sql`${scope.workspaceId}::int`;
  const id = sql`${scope.connectionId}::int`;
  const at = sql`${now.toISOString()}::timestamptz`;
  const account = sql`${delivery.accountId}::text`;
  const { rows } = await sql<{ outcome: Outcome }>`
    with door as materialized (
      select case when state not in ('active', 'failing', 'paused') then 'closed'
                  when zendesk_account_id <> ${account} then 'foreign'
                  when exists (select from webhook_hint where workspace_id = ${ws} and connection_id = ${id}
                                offset ${Math.max(0, limit - 1)}::int limit 1) then 'full'
                  else 'open' end as state
        from connection where workspace_id = ${ws} and id = ${id}),
    delivered as (
      insert into webhook_delivery (workspace_id, connection_id, delivery_key, type, subject, subject_id, sent_at, received_at)
      select ${ws}, ${id}, ${delivery.key}::bytea, ${delivery.type}::text, ${delivery.subject}::text, ${delivery.id}::bigint,
             ${delivery.sentAt.toISOString()}::timestamptz, ${at}
        from door where state = 'open'
      on conflict do nothing returning subject, subject_id),
    hinted as (
      insert into webhook_hint as known (workspace_id, connection_id, subject, subject_id, hints, first_at, last_at)
      select ${ws}, ${id}, subject, subject_id, 1, ${at}, ${at} from delivered where subject_id is not null
      on conflict (workspace_id, connection_id, subject, subject_id)
      do update set hints = known.hints + 1, last_at = excluded.last_at),
    pinned as (
      update connection set zendesk_account_id = ${account}
       where workspace_id = ${ws} and id = ${id} and zendesk_account_id is null and ${account} is not null
         and exists (select from delivered)),
    -- Not with every one: deliveries of a burst would stand in line for this row.
    heard as (
      update webhook set last_delivery_at = ${at}
       where workspace_id = ${ws} and connection_id = ${id} and exists (select from delivered)
         and (last_delivery_at is null or last_delivery_at < ${at} - interval '1 second'))
    select case when door.state <> 'open' then door.state when exists (select from delivered) then 'stored' else 'known' end
           as outcome
      from door`.execute(trx);
  return rows[0]?.outcome ?? "closed";
}

export interface ClaimedHint {
  id: string;
  hints: string;
  attempts: number;
  firstAt: Date;
}

/** Takes hints of one kind that nobody works on, the oldest first; they are this caller's until `until`. */
export async function claimHints(
  trx: Trx,
  scope: Scope,
  subject: Subject,
  times: { now: Date; until: Date },
  limit: number,
): Promise<ClaimedHint[]> {
  const { workspaceId, connectionId } = scope;
  const { rows } = await sql<ClaimedHint>`
    update webhook_hint h set claimed_until = ${times.until.toISOString()}::timestamptz
      from (select subject_id from webhook_hint
             where workspace_id = ${workspaceId} and connection_id = ${connectionId} and subject = ${subject}
               and (claimed_until is null or claimed_until <= ${times.now.toISOString()}::timestamptz)
             order by first_at, subject_id limit ${limit} for update skip locked) due
     where h.workspace_id = ${workspaceId} and h.connection_id = ${connectionId} and h.subject = ${subject}
       and h.subject_id = due.subject_id
    returning h.subject_id as id, h.hints, h.attempts, h.first_at as "firstAt"`.execute(trx);
  return rows;
}

/** Forgets what was fetched; a hint that grew meanwhile stays, for anybody to take. */
export async function settleHints(
  trx: Trx,
  scope: Scope,
  subject: Subject,
  done: readonly ClaimedHint[],
): Promise<void> {
  const { workspaceId, connectionId } = scope;
  const fetched = sql`unnest(${done.map(({ id }) => id)}::bigint[], ${done.map(({ hints }) => hints)}::bigint[])
    as fetched(id, hints)`;
  const mine = sql`h.workspace_id = ${workspaceId} and h.connection_id = ${connectionId} and h.subject = ${subject}
    and h.subject_id = fetched.id`;
  await sql`delete from webhook_hint h using ${fetched} where ${mine} and h.hints = fetched.hints`.execute(trx);
  await sql`update webhook_hint h set claimed_until = null, attempts = 0 from ${fetched} where ${mine}`.execute(trx);
}

/** Gives hints back, to be tried again at their own instant. */
export async function postponeHints(
  trx: Trx,
  scope: Scope,
  subject: Subject,
  hints: readonly { id: string; attempts: number; until: Date }[],
): Promise<void> {
  await sql`
    update webhook_hint h set claimed_until = later.until, attempts = later.attempts
      from unnest(${hints.map(({ id }) => id)}::bigint[], ${hints.map(({ until }) => until.toISOString())}::timestamptz[],
                  ${hints.map(({ attempts }) => attempts)}::int[]) as later(id, until, attempts)
     where h.workspace_id = ${scope.workspaceId} and h.connection_id = ${scope.connectionId} and h.subject = ${subject}
       and h.subject_id = later.id`.execute(trx);
}

/** Connections of a workspace with hints that anybody may take now. */
export async function connectionsWithHints(trx: Trx, workspaceId: number, now: Date): Promise<number[]> {
  const { rows } = await sql<{ id: number }>`
    select c.id from connection c
     where c.workspace_id = ${workspaceId} and c.state in ('active', 'failing')
       and coalesce(c.failure_code, '') <> all(${[...lostLoginCodes]}::text[])
       and exists (select from webhook_hint h where h.workspace_id = ${workspaceId} and h.connection_id = c.id
             and (h.claimed_until is null or h.claimed_until <= ${now.toISOString()}::timestamptz))
     order by c.id`.execute(trx);
  return rows.map(({ id }) => id);
}

export async function countHints(trx: Trx, scope: Scope): Promise<number> {
  const row = await trx
    .selectFrom("webhook_hint")
    .select((eb) => eb.fn.countAll<string>().as("count"))
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .executeTakeFirst();
  return Number(row?.count ?? 0);
}

/** Whether a connection may be read, or stands in one of `states`; it is kept from being disconnected or erased until the transaction ends. */
export async function shareOpenConnection(
  trx: Trx,
  scope: Scope,
  states: readonly string[] = ["active", "failing"],
): Promise<boolean> {
  const row = await trx
    .selectFrom("connection")
    .select("state")
    .where("workspace_id", "=", scope.workspaceId)
    .where("id", "=", scope.connectionId)
    .forKeyShare()
    .executeTakeFirst();
  return row !== undefined && states.includes(row.state);
}

/** Lets the next regular run come soon: the exports tell what is gone, an answer by id does not. */
export async function hastenRun(trx: Trx, scope: Scope, by: Date): Promise<void> {
  await trx
    .updateTable("connection")
    .set({ next_sync_at: by })
    .where("workspace_id", "=", scope.workspaceId)
    .where("id", "=", scope.connectionId)
    .where("next_sync_at", ">", by)
    .execute();
}

/** Which of these rows are stored here as living ones. */
export async function livingRows(trx: Trx, scope: Scope, subject: Subject, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const table = { ticket: "ticket", user: "zendesk_user", organization: "organization" }[subject];
  const { rows } = await sql<{ id: string }>`
    select id from ${sql.table(table)}
     where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId}
       and id = any(${ids}::bigint[]) and deleted_at is null`.execute(trx);
  return rows.map(({ id }) => id);
}

/** Something that screens show has changed through a delivery. */
export async function markChanged(trx: Trx, scope: Scope, now: Date): Promise<void> {
  await saveWebhook(trx, scope, { changed_at: now });
}

/** Of changes that runs found: how many a delivery had told, and how many none; since when those runs were asked for. */
export interface Announced {
  told: number;
  untold: number;
  since: Date | null;
}

/**
 * The newest changes of every connection of a workspace that has a working webhook: of its newest runs as many as are needed
 * for `enough` changes, none before the webhook worked. At most 1,000 runs are looked at: three days of the shortest interval.
 */
export async function readAnnounced(db: Db, workspaceId: number, enough: number): Promise<Map<number, Announced>> {
  const { rows } = await sql<Announced & { connectionId: number }>`
    select w.connection_id as "connectionId", coalesce(sum(newest.told), 0)::int as told,
           coalesce(sum(newest.untold), 0)::int as untold, min(newest.requested_at) as since
      from webhook w
      left join lateral (
        select told, untold, requested_at from (
          select run.requested_at, counted.told, counted.untold,
                 sum(counted.told + counted.untold) over (order by run.id desc)
                   - counted.told - counted.untold as newer
            from (select id, requested_at from sync_run
                   where workspace_id = ${workspaceId}::int and connection_id = w.connection_id
                   order by id desc limit 1000) run
            cross join lateral (
              select coalesce(sum(s.announced), 0) as told, coalesce(sum(s.unannounced), 0) as untold
                from sync_run_stream s
               where s.workspace_id = ${workspaceId}::int and s.connection_id = w.connection_id and s.run_id = run.id) counted
           where run.requested_at >= w.active_since and counted.told + counted.untold > 0) summed
         where newer < ${enough}) newest on true
     where w.workspace_id = ${workspaceId}::int and w.state = 'active'
     group by w.connection_id`.execute(db);
  return new Map(rows.map(({ connectionId, ...announced }) => [connectionId, announced]));
}

export async function saveWebhook(
  db: Db,
  scope: Scope,
  columns: Updateable<Omit<WebhookTable, "workspace_id" | "connection_id">>,
): Promise<void> {
  await db
    .insertInto("webhook")
    .values({ workspace_id: scope.workspaceId, connection_id: scope.connectionId, ...columns })
    .onConflict((conflict) => conflict.columns(["workspace_id", "connection_id"]).doUpdateSet(columns))
    .execute();
}

export async function deleteWebhookRow(db: Db, scope: Scope): Promise<void> {
  await db
    .deleteFrom("webhook")
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .execute();
}

/** A delivery of another Zendesk account: said once, until the next check. */
export async function noteForeignAccount(db: Db, scope: Scope, now: Date): Promise<void> {
  await db
    .updateTable("webhook")
    .set({
      state: "failing",
      active_since: null,
      failure_code: "different_account",
      failure_message: "A delivery came that is signed for this connection, yet names another Zendesk account.",
      failure_since: now,
      failure_action:
        "Rotate the signing secret. If the account behind the subdomain was exchanged, make a connection of its own for the new one.",
    })
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("failure_code", "is distinct from", "different_account")
    .execute();
}

const soonest = 5 * 60_000;

/** Lets the next check come now, unless there has just been one. */
export async function askForCheck(db: Db, webhook: StoredWebhook, now: Date): Promise<void> {
  await db
    .updateTable("webhook")
    .set({ next_check_at: now })
    .where("workspace_id", "=", webhook.workspace_id)
    .where("connection_id", "=", webhook.connection_id)
    .where("next_check_at", ">", now)
    .where((eb) => eb.or([eb("checked_at", "is", null), eb("checked_at", "<", new Date(now.getTime() - soonest))]))
    .where("kind", "in", ["events", "trigger"])
    .execute();
}

/** Lets the next check come now, but not one that a person ended for good. `soon`: no other is as late. */
export async function hastenCheck(db: Db, scope: Scope, { now, soon }: { now: Date; soon: Date }): Promise<void> {
  await db
    .updateTable("webhook")
    .set({ next_check_at: now })
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("next_check_at", "<=", soon)
    .execute();
}

/** Takes some checks that are due by `by` in a workspace: whoever gets one does it, and nobody else until `next`, which is later. */
export async function claimChecks(
  trx: Trx,
  workspaceId: number,
  { by, next }: { by: Date; next: Date },
  limit: number,
): Promise<number[]> {
  const { rows } = await sql<{ connection_id: number }>`
    insert into webhook as known (workspace_id, connection_id, next_check_at)
    select c.workspace_id, c.id, ${next.toISOString()}::timestamptz from connection c
      left join webhook w on w.workspace_id = ${workspaceId} and w.connection_id = c.id
     where c.workspace_id = ${workspaceId} and c.state in ('active', 'failing')
       and (w.next_check_at is null or w.next_check_at <= ${by.toISOString()}::timestamptz)
     order by w.next_check_at nulls first limit ${limit}
    on conflict (workspace_id, connection_id) do update set next_check_at = excluded.next_check_at
     where known.next_check_at is null or known.next_check_at <= ${by.toISOString()}::timestamptz
    returning connection_id`.execute(trx);
  return rows.map((row) => row.connection_id);
}

/** Deliveries that could no longer be replayed, and hints that nobody could fetch while the runs read everything several times over. */
export async function forgetOld(
  trx: Trx,
  workspaceId: number,
  before: { deliveries: Date; hints: Date },
): Promise<void> {
  await trx
    .deleteFrom("webhook_delivery")
    .where("workspace_id", "=", workspaceId)
    .where("received_at", "<", before.deliveries)
    .execute();
  await trx
    .deleteFrom("webhook_hint")
    .where("workspace_id", "=", workspaceId)
    .where("last_at", "<", before.hints)
    .execute();
}
