import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";

/** An organization that a row has left, and where the row went. */
export interface Departure {
  organizationId: string;
  to: string | null;
}

/** What is noted of departures from one organization to another. */
export interface NotedDeparture extends Departure {
  rows: number;
  /** When the last of them left. */
  notedAt: Date;
}

/** Keeps, in the transaction that stores the rows, which organizations they left and where they went. */
export async function noteDepartures(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  left: readonly Departure[],
  now: Date,
): Promise<void> {
  if (left.length === 0) return;
  await sql`
    insert into departure (workspace_id, connection_id, organization_id, went_to, rows, noted_at)
    select ${workspaceId}::int, ${connectionId}::int, organization_id, went_to, count(*), ${now}::timestamptz
      from unnest(${left.map((one) => one.organizationId)}::bigint[], ${left.map((one) => one.to)}::bigint[])
           as page (organization_id, went_to)
     group by organization_id, went_to
     order by organization_id, went_to
    on conflict (workspace_id, connection_id, organization_id, went_to)
    do update set rows = departure.rows + excluded.rows, noted_at = excluded.noted_at, asked_in = null`.execute(trx);
}

/** The departures from organizations that a run has not asked about yet, from those first that no run has; `limit`: organizations. */
export async function departuresToAsk(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  which: { runId: string; limit: number },
): Promise<NotedDeparture[]> {
  const { rows: chosen } = await sql<{ id: string }>`
    select organization_id as id from departure
     where workspace_id = ${workspaceId} and connection_id = ${connectionId}
       and asked_in is distinct from ${which.runId}::bigint
     group by organization_id order by min(asked_in) nulls first, organization_id limit ${which.limit}`.execute(trx);
  const ids = chosen.map(({ id }) => id);
  return ids.length === 0 ? [] : departuresOf(trx, { workspaceId, connectionId }, ids);
}

/** The departures from these organizations. */
export async function departuresOf(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  organizations: readonly string[],
): Promise<NotedDeparture[]> {
  const { rows } = await sql<NotedDeparture>`
    select organization_id as "organizationId", went_to as "to", rows, noted_at as "notedAt" from departure
     where workspace_id = ${workspaceId} and connection_id = ${connectionId}
       and organization_id = any(${organizations}::bigint[])`.execute(trx);
  return rows;
}

/** A run could not judge them: the next one asks again. */
export async function markDeparturesAsked(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  organizations: readonly string[],
  runId: string,
): Promise<void> {
  await sql`
    update departure set asked_in = ${runId}::bigint
     where workspace_id = ${workspaceId} and connection_id = ${connectionId}
       and organization_id = any(${organizations}::bigint[])`.execute(trx);
}

/** Where most of the rows of each went. */
export async function whereMostWent(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  organizations: readonly string[],
): Promise<Map<string, string>> {
  const { rows } = await sql<{ id: string; to: string | null }>`
    select distinct on (organization_id) organization_id as id, went_to as "to" from departure
     where workspace_id = ${workspaceId} and connection_id = ${connectionId}
       and organization_id = any(${organizations}::bigint[])
     order by organization_id, rows desc, noted_at desc`.execute(trx);
  return new Map(rows.flatMap(({ id, to }) => (to === null ? [] : [[id, to] as const])));
}

/** Whether this run has asked about any of those that are left. */
export async function anyDepartureAsked(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  runId: string,
): Promise<boolean> {
  const { rows } = await sql<{ any: boolean }>`
    select exists (select from departure where workspace_id = ${workspaceId} and connection_id = ${connectionId}
                      and asked_in = ${runId}::bigint) as any`.execute(trx);
  return rows[0]?.any ?? false;
}

/** They have been judged. One that has grown since is still to be. */
export async function forgetDepartures(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  judged: readonly NotedDeparture[],
): Promise<void> {
  if (judged.length === 0) return;
  await sql`
    delete from departure
     using unnest(${judged.map((one) => one.organizationId)}::bigint[], ${judged.map((one) => one.to)}::bigint[],
                  ${judged.map((one) => one.rows)}::int[], ${judged.map((one) => one.notedAt.toISOString())}::timestamptz[])
           as judged (organization_id, went_to, rows, noted_at)
     where departure.workspace_id = ${workspaceId} and departure.connection_id = ${connectionId}
       and departure.organization_id = judged.organization_id and departure.went_to is not distinct from judged.went_to
       and departure.rows = judged.rows and departure.noted_at = judged.noted_at`.execute(trx);
}

/** What was asked about and could not be judged for so long is left to the nights, which look for everything that is absent. */
export async function forgetOldDepartures(trx: Trx, { workspaceId, connectionId }: Scope, before: Date): Promise<void> {
  await sql`
    delete from departure where workspace_id = ${workspaceId} and connection_id = ${connectionId}
       and asked_in is not null and noted_at < ${before}::timestamptz`.execute(trx);
}
