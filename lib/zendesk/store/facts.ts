import { type Selectable, sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { ConnectionTable } from "#db/schema.ts";
import type { FieldPart } from "#lib/zendesk/definition-readers.ts";
import type { RatingSystem, RatingsPast } from "#lib/zendesk/ratings-reader.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import type { Stream } from "#lib/zendesk/streams.ts";

/** Unix second of a connection's oldest ticket; the end of time when it has none. */
export async function firstTicketSecond(
  trx: Trx,
  connection: Pick<Selectable<ConnectionTable>, "workspace_id" | "id">,
): Promise<number> {
  const { rows } = await sql<{ second: string | null }>`
    select floor(extract(epoch from min(created_at)))::bigint as second from ticket
     where workspace_id = ${connection.workspace_id} and connection_id = ${connection.id}`.execute(trx);
  return rows[0]?.second ? Number(rows[0].second) : Number.MAX_SAFE_INTEGER;
}

/** Whether anything of a stream is stored. */
export async function holdsAny(trx: Trx, scope: Scope, table: Stream["table"]): Promise<boolean> {
  const { rows } = await sql<{ any: boolean }>`
    select exists (select from ${sql.table(table)}
      where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId}) as any`.execute(trx);
  return rows[0]?.any ?? false;
}

/** Whether the account has ever told how often a ticket was reopened: not every one gives metric sets. */
export async function knowsMetrics(trx: Trx, scope: Scope): Promise<boolean> {
  const { rows } = await sql<{ any: boolean }>`
    select exists (select from ticket where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId}
                      and reopens is not null) as any`.execute(trx);
  return rows[0]?.any ?? false;
}

/**
 * Of these organizations, those that nobody belongs to any more, in their stored version: no living user, and no ticket that is
 * still worked on. A merge and a deletion leave them so; a single ticket that somebody moves does not.
 */
export async function deserted(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  ids: readonly string[],
): Promise<{ id: string; updatedAt: Date | null }[]> {
  const { rows } = await sql<{ id: string; updatedAt: Date | null }>`
    select o.id, o.updated_at as "updatedAt" from organization o
     where o.workspace_id = ${workspaceId} and o.connection_id = ${connectionId} and o.id = any(${ids}::bigint[])
       and o.deleted_at is null
       and not exists (select from zendesk_user u
             where u.workspace_id = ${workspaceId} and u.connection_id = ${connectionId}
               and u.organization_id = o.id and u.active is not false)
       and not exists (select from ticket t
             where t.workspace_id = ${workspaceId} and t.connection_id = ${connectionId} and t.organization_id = o.id
               and t.deleted_at is null and t.status_category is distinct from 'closed')`.execute(trx);
  return rows;
}

/** Of these organizations those that are stored and not known to be gone. */
export async function standingOrganizations(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  ids: readonly string[],
): Promise<string[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<{ id: string }>`
    select id from organization where workspace_id = ${workspaceId} and connection_id = ${connectionId}
       and id = any(${ids}::bigint[]) and deleted_at is null`.execute(trx);
  return rows.map(({ id }) => id);
}

/** Living users of these organizations, as far as is known. */
export async function membersOf(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  organizations: readonly string[],
  limit: number,
): Promise<string[]> {
  const { rows } = await sql<{ id: string }>`
    select id from zendesk_user
     where workspace_id = ${workspaceId} and connection_id = ${connectionId}
       and organization_id = any(${organizations}::bigint[]) and active is not false
     order by id limit ${limit}`.execute(trx);
  return rows.map(({ id }) => id);
}

/** Notes which systems of ratings answered in a reading that stands. */
export async function saveCsatSystem(trx: Trx, scope: Scope, answered: readonly RatingSystem[]): Promise<void> {
  const system = answered.length === 2 ? "both" : (answered[0] ?? "none");
  await trx
    .updateTable("connection")
    .set({ csat_system: system })
    .where("workspace_id", "=", scope.workspaceId)
    .where("id", "=", scope.connectionId)
    .where("csat_system", "is distinct from", system)
    .execute();
}

/** What earlier readings have seen of both systems of ratings. */
export async function readRatingsPast(db: Db | Trx, { workspaceId, connectionId }: Scope): Promise<RatingsPast> {
  const { rows } = await sql<{ csat: string | null; system: RatingSystem | null; newest: Date | null }>`
    select c.csat_system as csat, r.system, max(coalesce(r.updated_at, r.created_at)) as newest
      from connection c
      left join satisfaction_rating r on r.workspace_id = c.workspace_id and r.connection_id = c.id
     where c.workspace_id = ${workspaceId} and c.id = ${connectionId}
     group by c.csat_system, r.system`.execute(db);
  const csat = rows[0]?.csat;
  return {
    answered: csat === "both" ? ["legacy", "survey"] : csat === "legacy" || csat === "survey" ? [csat] : [],
    newest: Object.fromEntries(rows.flatMap(({ system, newest }) => (system ? [[system, newest ?? new Date(0)]] : []))),
  };
}

/** The lists of definitions of which anything is stored. */
export async function fieldPartsHeld(db: Db | Trx, { workspaceId, connectionId }: Scope): Promise<Set<FieldPart>> {
  const { rows } = await sql<{ part: FieldPart }>`
    select distinct subject || '_fields' as part from field_definition
     where workspace_id = ${workspaceId} and connection_id = ${connectionId}
    union all
    select 'custom_statuses' where exists (
      select from custom_status where workspace_id = ${workspaceId} and connection_id = ${connectionId})`.execute(db);
  return new Set(rows.map(({ part }) => part));
}
