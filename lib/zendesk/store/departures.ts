import { sql } from "kysely";
import type { Trx } from "#db/client.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import type { Departure } from "#lib/zendesk/streams.ts";

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

/** Organizations that a run has not asked about yet, those first that no run has; and when the youngest of them was noted. */
export async function departuresToAsk(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  which: { runId: string; limit: number },
): Promise<{ ids: string[]; notedBy: Date | null }> {
  const { rows } = await sql<{ id: string; notedAt: Date }>`
    select organization_id as id, max(noted_at) as "notedAt" from departure
     where workspace_id = ${workspaceId} and connection_id = ${connectionId}
       and asked_in is distinct from ${which.runId}::bigint
     group by organization_id order by min(asked_in) nulls first, organization_id limit ${which.limit}`.execute(trx);
  const latest = Math.max(...rows.map(({ notedAt }) => notedAt.getTime()));
  return { ids: rows.map(({ id }) => id), notedBy: rows.length > 0 ? new Date(latest) : null };
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

/** They have been judged; what left them later than `notedBy` is still to be. */
export async function forgetDepartures(
  trx: Trx,
  { workspaceId, connectionId }: Scope,
  organizations: readonly string[],
  notedBy: Date,
): Promise<void> {
  await sql`
    delete from departure where workspace_id = ${workspaceId} and connection_id = ${connectionId}
       and organization_id = any(${organizations}::bigint[]) and noted_at <= ${notedBy}::timestamptz`.execute(trx);
}

/** What could not be judged for so long is left to the nights, which look for everything that is absent. */
export async function forgetOldDepartures(trx: Trx, { workspaceId, connectionId }: Scope, before: Date): Promise<void> {
  await sql`
    delete from departure where workspace_id = ${workspaceId} and connection_id = ${connectionId}
       and noted_at < ${before}::timestamptz`.execute(trx);
}
