import { type RawBuilder, sql } from "kysely";
import type { Trx } from "#db/client.ts";
import { lockMetrics } from "#lib/metrics/store.ts";
import { idOf, type Wire } from "#lib/zendesk/row-reader.ts";
import type { MembershipRow } from "#lib/zendesk/row-types.ts";
import type { PageResult, Scope } from "#lib/zendesk/scope.ts";
import { instant, latestVersions, type PageColumns, pageTable } from "#lib/zendesk/store/page.ts";
import { membershipWire, whatIsWrong } from "#lib/zendesk/wire.ts";

const columns = {
  id: ["bigint", (row) => row.id],
  user_id: ["bigint", (row) => row.userId],
  organization_id: ["bigint", (row) => row.organizationId],
  is_default: ["boolean", (row) => row.isDefault],
  updated_at: ["timestamptz", (row) => instant(row.updatedAt)],
} satisfies PageColumns<MembershipRow>;

/** Stores memberships as they stand: the newest listing holds. They are no rows of any stream, so that none is counted as one. */
export async function storeMemberships(trx: Trx, scope: Scope, rows: readonly MembershipRow[]): Promise<PageResult> {
  const page = latestVersions(
    rows,
    (row) => row.id,
    () => 0,
  );
  // In the same order as whoever tries held rows again.
  await lockMetrics(trx, scope.workspaceId);
  await sql`
    insert into organization_membership as stored
      (workspace_id, connection_id, id, user_id, organization_id, is_default, updated_at)
    select ${scope.workspaceId}::int, ${scope.connectionId}::int, page.* from ${pageTable(columns, page)} order by id
    on conflict (workspace_id, connection_id, id) do update set
      user_id = excluded.user_id, organization_id = excluded.organization_id, is_default = excluded.is_default,
      updated_at = excluded.updated_at
     where (stored.user_id, stored.organization_id, stored.is_default, stored.updated_at)
           is distinct from (excluded.user_id, excluded.organization_id, excluded.is_default, excluded.updated_at)`.execute(
    trx,
  );
  return { read: rows.length, inserted: 0, updated: 0, unchanged: 0, deleted: 0, ids: [] };
}

/** Forgets what a whole listing has not shown of organizations and people that are deleted: with them their memberships are over. */
export async function forgetMembershipsOfDeleted(trx: Trx, scope: Scope): Promise<void> {
  await sql`
    delete from organization_membership m
     where m.workspace_id = ${scope.workspaceId}::int and m.connection_id = ${scope.connectionId}::int
       and ${isUnseen(scope, sql`m.id::text`)}
       and (exists (select from organization o
                     where o.workspace_id = m.workspace_id and o.connection_id = m.connection_id
                       and o.id = m.organization_id and o.deleted_at is not null)
            or exists (select from zendesk_user u
                        where u.workspace_id = m.workspace_id and u.connection_id = m.connection_id
                          and u.id = m.user_id and (u.deleted_at is not null or not u.active)))`.execute(trx);
}

/** Somebody of whom memberships are stored that a whole listing has not shown. */
export interface UnseenMember {
  id: string;
  memberships: string[];
  /** The person's own, as stored, unless that is deleted. */
  organization: string | null;
}

/** `order`: a number that gives one of many orders. */
export async function unseenMembers(
  trx: Trx,
  scope: Scope,
  { order, limit }: { order: number; limit: number },
): Promise<UnseenMember[]> {
  const { rows } = await sql<UnseenMember>`
    select m.user_id::text as id, array_agg(m.id::text order by m.id) as memberships,
           max(case when o.deleted_at is null then u.organization_id end)::text as organization
      from organization_membership m
      left join zendesk_user u
        on u.workspace_id = m.workspace_id and u.connection_id = m.connection_id and u.id = m.user_id
      left join organization o
        on o.workspace_id = u.workspace_id and o.connection_id = u.connection_id and o.id = u.organization_id
     where m.workspace_id = ${scope.workspaceId}::int and m.connection_id = ${scope.connectionId}::int
       and ${isUnseen(scope, sql`m.id::text`)}
     group by m.user_id order by hashtextextended(m.user_id::text, ${order}), m.user_id limit ${limit}`.execute(trx);
  return rows;
}

/** Of these ids those that the listing has not shown. */
export async function unseenKeys(trx: Trx, scope: Scope, keys: readonly string[]): Promise<string[]> {
  const { rows } = await sql<{ key: string }>`
    select key from unnest(${[...keys]}::text[]) as shown (key) where ${isUnseen(scope, sql`key`)}`.execute(trx);
  return rows.map(({ key }) => key);
}

/** Ids of the stored memberships that rows without an id can be: of these people in these organizations. */
export async function storedLike(trx: Trx, scope: Scope, wires: readonly Wire[]): Promise<string[]> {
  const known = wires.filter((wire) => whatIsWrong(membershipWire.omit({ id: true }), wire) === null);
  if (known.length === 0) return [];
  const { rows } = await sql<{ id: string }>`
    select id::text from organization_membership
     where workspace_id = ${scope.workspaceId}::int and connection_id = ${scope.connectionId}::int
       and (user_id, organization_id) in (select * from unnest(${known.map((wire) => idOf(wire.user_id))}::bigint[],
                                                               ${known.map((wire) => idOf(wire.organization_id))}::bigint[]))`.execute(
    trx,
  );
  return rows.map(({ id }) => id);
}

/** Somebody who has an organization, neither of them deleted: who changed last, since that is known best. Null for nobody. */
export async function memberOfAny(trx: Trx, scope: Scope): Promise<string | null> {
  const { rows } = await sql<{ id: string }>`
    select u.id::text from zendesk_user u
      join organization o
        on o.workspace_id = u.workspace_id and o.connection_id = u.connection_id and o.id = u.organization_id
     where u.workspace_id = ${scope.workspaceId}::int and u.connection_id = ${scope.connectionId}::int
       and u.active and u.deleted_at is null and o.deleted_at is null
     order by u.updated_at desc nulls last, u.id limit 1`.execute(trx);
  return rows[0]?.id ?? null;
}

export async function forgetMemberships(trx: Trx, scope: Scope, ids: readonly string[]): Promise<void> {
  await sql`
    delete from organization_membership
     where workspace_id = ${scope.workspaceId}::int and connection_id = ${scope.connectionId}::int
       and id = any(${[...ids]}::bigint[])`.execute(trx);
}

/** Held ones that it has not shown either, by their ids or, without one, by their text. */
export async function releaseUnseenMemberships(trx: Trx, scope: Scope): Promise<void> {
  await sql`
    delete from held_row h
     where h.workspace_id = ${scope.workspaceId}::int and h.connection_id = ${scope.connectionId}::int
       and h.stream = 'users' and h.row_key like 'memberships:%'
       and ${isUnseen(scope, sql`substr(h.row_key, length('memberships:') + 1)`)}`.execute(trx);
}

function isUnseen(scope: Scope, key: RawBuilder<unknown>) {
  return sql`not exists (
         select from (select unnest(keys) as hash from drift_seen
                       where workspace_id = ${scope.workspaceId}::int and connection_id = ${scope.connectionId}::int
                         and stream = 'memberships') seen
          where seen.hash = hashtextextended(${key}, 0))`;
}
