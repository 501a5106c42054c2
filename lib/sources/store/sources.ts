import { sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";

/** A source with what is shown beside it. */
export interface SourceRow {
  id: number;
  name: string;
  enabled: boolean;
  created_at: Date;
  keys: { id: string; hint: string; createdAt: string; endsAt: string | null; lastUsedAt: string | null }[];
  accepted: string;
  rejected: string;
  last_event_at: Date | null;
  destinations: { id: string; name: string }[];
}

/** Sources, newest first, that stand behind `after`; or the one named. `dayAgo`: since when events are counted. */
export async function selectSources(
  db: Db,
  workspaceId: number,
  page: { id?: string; after?: number | null; limit: number },
  times: { now: Date; dayAgo: Date },
): Promise<SourceRow[]> {
  const ws = sql`${workspaceId}::int`;
  const now = sql`${times.now.toISOString()}::timestamptz`;
  const one = page.id === undefined ? sql`true` : sql`s.id = ${page.id}::bigint`;
  const behind = page.after === undefined || page.after === null ? sql`true` : sql`s.id < ${page.after}::int`;
  const { rows } = await sql<SourceRow>`
    with listed as materialized (
      select s.* from source s
       where s.workspace_id = ${ws} and s.deleted_at is null and ${one} and ${behind}
       order by s.id desc limit ${page.limit}),
    counted as (
      select source_id, count(*) filter (where rejection is null) as accepted,
             count(*) filter (where rejection is not null) as rejected
        from event
       where workspace_id = ${ws} and received_at > ${times.dayAgo.toISOString()}::timestamptz
         and source_id in (select id from listed)
       group by source_id)
    select s.id, s.name, s.enabled, s.created_at, coalesce(c.accepted, 0) as accepted, coalesce(c.rejected, 0) as rejected,
           (select received_at from event e where e.workspace_id = ${ws} and e.source_id = s.id
             order by e.id desc limit 1) as last_event_at,
           coalesce((select json_agg(json_build_object('id', k.id::text, 'hint', k.hint, 'createdAt', k.created_at,
                            'endsAt', k.ends_at, 'lastUsedAt', k.last_used_at) order by k.id desc)
                       from write_key k where k.workspace_id = ${ws} and k.source_id = s.id
                        and (k.ends_at is null or k.ends_at > ${now})), '[]') as keys,
           coalesce((select json_agg(json_build_object('id', d.id::text, 'name', d.name) order by d.id)
                       from destination_source ds
                       join destination d on d.workspace_id = ds.workspace_id and d.id = ds.destination_id
                      where ds.workspace_id = ${ws} and ds.source_id = s.id), '[]') as destinations
      from listed s left join counted c on c.source_id = s.id
     order by s.id desc`.execute(db);
  return rows;
}

export async function insertSource(
  trx: Trx,
  workspaceId: number,
  source: { name: string; createdBy: string | null },
  now: Date,
): Promise<number> {
  const { id } = await trx
    .insertInto("source")
    .values({
      workspace_id: workspaceId,
      name: source.name,
      created_by: source.createdBy,
      created_at: now,
      updated_at: now,
    })
    .returning("id")
    .executeTakeFirstOrThrow();
  return id;
}

/** False where there is no such source. */
export async function updateSource(
  trx: Trx,
  workspaceId: number,
  sourceId: string,
  columns: { name?: string; enabled?: boolean; deleted_at?: Date },
  now: Date,
): Promise<boolean> {
  const { numUpdatedRows } = await trx
    .updateTable("source")
    .set({ ...columns, updated_at: now })
    .where("workspace_id", "=", workspaceId)
    .where(sql<boolean>`id = ${sourceId}::bigint`)
    .where("deleted_at", "is", null)
    .executeTakeFirst();
  return numUpdatedRows > 0n;
}

/** Which of these exist; one that was removed does not. */
export async function existingSources(db: Db, workspaceId: number, ids: readonly string[]): Promise<string[]> {
  if (ids.length === 0) return [];
  const { rows } = await sql<{ id: string }>`
    select id::text as id from source
     where workspace_id = ${workspaceId} and deleted_at is null and id = any(${ids}::bigint[])`.execute(db);
  return rows.map(({ id }) => id);
}

/** Removed sources that no event names any more. */
export async function forgetRemovedSources(trx: Trx, workspaceId: number): Promise<void> {
  await sql`
    with gone as (
      delete from source s
       where s.workspace_id = ${workspaceId} and s.deleted_at is not null
         and not exists (select from event e where e.workspace_id = ${workspaceId} and e.source_id = s.id)
      returning s.id)
    delete from destination_source
     where workspace_id = ${workspaceId} and source_id in (select id from gone)`.execute(trx);
}
