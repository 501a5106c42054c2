import { type RawBuilder, sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { AffectedTicket, Command } from "#lib/destinations/attempt.ts";
import type { CommandKind } from "#lib/destinations/shapes.ts";
import { alignLanes, lockLanes } from "#lib/destinations/store/lanes.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** A delivery that one holder works on; `claim` names the holder, and this claim of it. */
export interface Claimed {
  id: string;
  destinationId: number;
  zendeskAccount: string | null;
  eventId: string | null;
  messageId: string | null;
  action: CommandKind;
  command: Command;
  commandKey: string;
  lanes: string[];
  attempts: number;
  retries: number;
  /** Of the mapping, and of the last try. */
  notes: string[];
  isTest: boolean;
  /** Taken up again: others of its lanes may have gone before it. */
  isLate: boolean;
  /** An earlier try may have written: its answer was lost, or its process died. */
  isUnknown: boolean;
  /** Codes for which it was held and a person has allowed it. */
  approvedFor: string[];
  /** Of a removal that was held: what a person was shown. */
  affected: AffectedTicket[] | null;
  createdAt: Date;
  claim: string;
}

/**
 * So many deliveries of a connection are under way at once, whatever the number of processes and however many a replay or a
 * write-back has queued: a stop holds back all the others (the batch limit of row 103).
 */
export const mostInFlight = 4;
/** Longer than any one request takes; renewed before each write. What a dead process left behind is anybody's then. */
const claimedFor = 5 * 60_000;

/** `shared`: the clock that all processes have, as SQL; the database's unless time is simulated (row 47). */
export interface ClaimTimes {
  now: Date;
  shared: Date | null;
}
const sharedNow = ({ shared }: ClaimTimes) =>
  shared ? sql<Date>`${shared.toISOString()}::timestamptz` : sql<Date>`clock_timestamp()`;
const claimEnd = (times: ClaimTimes) => sql<Date>`${sharedNow(times)} + ${claimedFor} * interval '1 millisecond'`;

/** Failures of a connection's login, or of its address, after which nothing is written until it is healed. */
export const barringFailures: readonly string[] = [
  "credentials_rejected",
  "reconnect",
  "different_account",
  "account_moved",
  "unknown_subdomain",
  "not_zendesk",
];
const isOpenConnection = sql<boolean>`c.state in ('active', 'failing')
  and coalesce(c.failure_code, '') <> all(${[...barringFailures]}::text[])`;

/** A write was about to be sent, and nobody has said what became of it. */
const hasOpenExchange = (workspaceId: number) => sql<boolean>`exists (
  select from delivery_exchange x
   where x.workspace_id = ${workspaceId} and x.delivery_id = d.id and x.outcome = 'open')`;

/**
 * Takes deliveries of a connection that are due and the oldest of each of their lanes, while no other one of these is under
 * way: a newer one that went before they were taken up again, or one beside which they stepped aside. A test goes also while
 * its destination is off. What a deleted destination left under way is taken, too, so that it ends: nothing is written for it.
 * `only`: of these. `subdomain`: where the holder writes to; of a connection that has moved since, nothing is taken. What was
 * being sent when its holder died is unknown from now on.
 */
export async function claimDeliveries(
  trx: Trx,
  scope: Scope,
  claim: string,
  most: number,
  times: ClaimTimes,
  { only, subdomain }: { only?: readonly string[] | undefined; subdomain?: string } = {},
): Promise<Claimed[]> {
  await lockLanes(trx, scope);
  const { workspaceId, connectionId } = scope;
  const ours = sql`d.workspace_id = ${workspaceId} and d.connection_id = ${connectionId}`;
  const { rows } = await sql<
    Omit<Claimed, "command" | "affected" | "claim"> & { command: string; affected: string | null }
  >`
    with under_way as materialized (
      select d.lanes from delivery d where ${ours} and d.claimed_until > ${sharedNow(times)}),
    ready as materialized (
      select d.id, d.due_at, d.lanes from delivery d
        join destination t on t.workspace_id = ${workspaceId} and t.id = d.destination_id
        join connection c on c.workspace_id = ${workspaceId} and c.id = d.connection_id
       where ${ours} and d.state in ('queued', 'sending', 'unknown') and d.waits_for is null
         and d.due_at <= ${times.now.toISOString()}::timestamptz
         and (d.claimed_until is null or d.claimed_until <= ${sharedNow(times)})
         and (t.deleted_at is not null or (t.enabled or d.is_test) and t.stopped_at is null) and ${isOpenConnection}
         and ${only ? sql`d.id = any(${[...only]}::bigint[])` : sql`true`}
         and ${subdomain === undefined ? sql`true` : sql`c.subdomain = ${subdomain}`}
         and not exists (select from under_way u where u.lanes && d.lanes)
       order by d.due_at, d.id
       limit greatest(0, least(${most}::int, ${mostInFlight}::int - (select count(*) from under_way)::int))
         for update of d skip locked),
    due as (
      select one.id from ready one where not exists (
        select from ready other where other.lanes && one.lanes and (other.due_at, other.id) < (one.due_at, one.id)))
    update delivery d set claimed_by = ${claim}, claimed_until = ${claimEnd(times)},
           attempts = d.attempts + 1, updated_at = ${times.now.toISOString()}::timestamptz,
           state = case when d.state = 'unknown' or ${hasOpenExchange(workspaceId)} then 'unknown' else 'sending' end
      from due where ${ours} and d.id = due.id
    returning d.id, d.destination_id as "destinationId", d.zendesk_account as "zendeskAccount", d.event_id as "eventId",
      d.message_id as "messageId", d.action, d.command, d.command_key as "commandKey", d.lanes, d.attempts, d.retries, d.notes,
      d.is_test as "isTest", d.is_late as "isLate", d.state = 'unknown' as "isUnknown", d.approved_for as "approvedFor",
      d.affected, d.created_at as "createdAt"`.execute(trx);
  return rows
    .map((row) => ({
      ...row,
      command: JSON.parse(row.command) as Command,
      affected: row.affected === null ? null : (JSON.parse(row.affected) as AffectedTicket[]),
      claim,
    }))
    .sort((a, b) => (BigInt(a.id) < BigInt(b.id) ? -1 : 1));
}

/** What a write depends on, as the database says it right before. */
export interface Standing {
  deleted: boolean;
  enabled: boolean;
  stopped: boolean;
  state: string;
  failureCode: string | null;
  access: string;
  subdomain: string;
  accountId: string | null;
}

/**
 * Lengthens a claim before a write and gives how things stand: a claim that was lost, or a destination that is gone, gives
 * null, and nothing may be sent.
 */
export async function renewClaim(
  trx: Trx,
  scope: Scope,
  { id, claim }: Pick<Claimed, "id" | "claim">,
  times: ClaimTimes,
): Promise<Standing | null> {
  const { rows } = await sql<Standing>`
    update delivery d set claimed_until = ${claimEnd(times)}
      from destination t, connection c
     where d.workspace_id = ${scope.workspaceId} and d.id = ${id} and d.claimed_by = ${claim}
       and t.workspace_id = ${scope.workspaceId} and t.id = d.destination_id
       and c.workspace_id = ${scope.workspaceId} and c.id = d.connection_id
    returning t.deleted_at is not null as deleted, t.enabled, t.stopped_at is not null as stopped, c.state, c.failure_code as "failureCode", c.access,
      c.subdomain, c.zendesk_account_id as "accountId"`.execute(trx);
  return rows[0] ?? null;
}

export const isBarred = ({ state, failureCode }: Pick<Standing, "state" | "failureCode">): boolean =>
  !["active", "failing"].includes(state) || barringFailures.includes(failureCode ?? "");

/** How a try left its delivery. Null `dueAt`: nobody waits for it but a person. */
export interface Settled {
  state: string;
  attempts: number;
  retries: number;
  code: string | null;
  reason: string | null;
  fix: string | null;
  notes: string[];
  result: { kind: string; id: string } | null;
  /** JSON text. */
  affected: string | null;
  dueAt: Date | null;
}

/** Ends a claim with its result. False where the claim was lost meanwhile: then nothing is written. */
export async function settleDelivery(
  trx: Trx,
  scope: Scope,
  { id, claim }: Pick<Claimed, "id" | "claim">,
  settled: Settled,
  now: Date,
): Promise<boolean> {
  const { state, attempts, retries, code, reason, fix, notes, result, affected, dueAt } = settled;
  // It goes out of its lanes, or steps aside: whoever looks at them meanwhile waits.
  const leaves = dueAt === null || state === "unknown";
  if (leaves) await lockLanes(trx, scope);
  const row = await trx
    .updateTable("delivery")
    .set({
      ...{ state, attempts, retries, code, reason, fix, notes, affected },
      result_kind: result?.kind ?? null,
      result_id: result?.id ?? null,
      due_at: dueAt,
      claimed_by: null,
      claimed_until: null,
      updated_at: now,
    })
    .where("workspace_id", "=", scope.workspaceId)
    .where("id", "=", id)
    .where("claimed_by", "=", claim)
    .returning("id")
    .executeTakeFirst();
  if (row === undefined) return false;
  if (leaves) await alignLanes(trx, scope.workspaceId, [id]);
  return true;
}

/** Those who hold deliveries of a workspace now. */
export async function listClaims(trx: Trx, workspaceId: number): Promise<string[]> {
  const rows = await trx
    .selectFrom("delivery")
    .select("claimed_by")
    .distinct()
    .where("workspace_id", "=", workspaceId)
    .where("claimed_until", "is not", null)
    .execute();
  return rows.flatMap((row) => row.claimed_by ?? []);
}

/** What holders that are certainly dead left behind, or whose claims are over, is anybody's. */
export function freeClaims(trx: Trx, workspaceId: number, dead: readonly string[], now: Date): Promise<void> {
  const isDead = sql<boolean>`d.claimed_by = any(${[...dead]}::text[])`;
  return endClaims(trx, workspaceId, sql<boolean>`d.claimed_until is not null and (${isDead} or ${isOver(now)})`);
}

/** The same for these deliveries, whose holders may not take them up again while nothing is sent. */
export function freeOverdue(trx: Trx, workspaceId: number, ids: readonly string[], now: Date): Promise<void> {
  const isLeft = sql<boolean>`d.state = 'sending' and d.claimed_until is null`;
  return endClaims(trx, workspaceId, sql<boolean>`d.id = any(${[...ids]}::bigint[]) and (${isLeft} or ${isOver(now)})`);
}

/** By both clocks: where time is simulated, the database's is another one. */
const isOver = (now: Date) =>
  sql<boolean>`d.claimed_until <= least(clock_timestamp(), ${now.toISOString()}::timestamptz)`;

/** What was being sent is queued again, or unknown where it may have been written (row 96); who lives on has lost the claim. */
async function endClaims(trx: Trx, workspaceId: number, which: RawBuilder<boolean>): Promise<void> {
  const ours = sql`d.workspace_id = ${workspaceId} and ${which}`;
  const connections = await sql<{ id: number }>`
    select distinct d.connection_id as id from delivery d where ${ours} order by id`.execute(trx);
  if (connections.rows.length === 0) return;
  for (const { id } of connections.rows) await lockLanes(trx, { workspaceId, connectionId: id });
  const { rows } = await sql<{ id: string }>`
    update delivery d set claimed_by = null, claimed_until = null,
           state = case when d.state <> 'sending' then d.state when ${hasOpenExchange(workspaceId)} then 'unknown' else 'queued' end
     where ${ours}
    returning d.id`.execute(trx);
  await alignLanes(
    trx,
    workspaceId,
    rows.map(({ id }) => id),
  );
}
