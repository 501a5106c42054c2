import { createHash } from "node:crypto";
import { sql } from "kysely";
import type { Db } from "#db/client.ts";

/**
 * An opaque version that differs whenever a number or a timeline of the workspace may differ: pages of runs, deliveries,
 * settings, the turn of the day, accounts, match keys and decisions each leave their mark. A handful of index look-ups, so
 * that every open screen may ask every few seconds.
 */
export async function versionOfChanges(db: Db, workspaceId: number): Promise<string> {
  const { rows } = await sql<{ marks: unknown[] }>`
    select array[
      (select max(updated_at)::text from stream_state where workspace_id = ${workspaceId}),
      (select max(changed_at)::text from webhook where workspace_id = ${workspaceId}),
      (select concat_ws('|', time_zone, windows::text, top_priorities::text, minimum_ratings, count_merged, metrics_day,
                        metrics_verified_at, accounts) from workspace where id = ${workspaceId}),
      (select max(updated_at)::text from account where workspace_id = ${workspaceId}),
      (select count(*) || '|' || max(decided_at)::text from match_decision where workspace_id = ${workspaceId}),
      (select string_agg(concat_ws(':', connection_id, position, organization_field, account_field, normalize), ','
                         order by connection_id, position) from match_key where workspace_id = ${workspaceId}),
      (select string_agg(id || state, ',' order by id) from connection where workspace_id = ${workspaceId})
    ]::text[] as marks`.execute(db);
  return createHash("sha256")
    .update(JSON.stringify(rows[0]?.marks ?? []))
    .digest("base64url")
    .slice(0, 22);
}
