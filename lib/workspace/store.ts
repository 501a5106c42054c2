import { sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import { invalid, notFound } from "#lib/errors.ts";
import { recountUnderNewSettings } from "#lib/metrics/rebuild.ts";
import { lockMetrics } from "#lib/metrics/store.ts";
import { isTimeZone } from "#lib/metrics/windows.ts";
import type { WorkspacePatch, WorkspaceSettings } from "#lib/workspace/shapes.ts";

/** Settings of a workspace. */
export async function readWorkspace(db: Db, workspaceId: number): Promise<WorkspaceSettings> {
  const row = await db
    .selectFrom("workspace")
    .select([
      "name",
      "time_zone",
      "windows",
      "top_priorities",
      "minimum_ratings",
      "count_merged",
      "sync_interval_minutes",
      "demo",
    ])
    .where("id", "=", workspaceId)
    .executeTakeFirst();
  if (!row) throw notFound("The workspace");
  return {
    name: row.name,
    timeZone: row.time_zone,
    windows: row.windows,
    topPriorities: row.top_priorities as WorkspaceSettings["topPriorities"],
    minimumRatings: row.minimum_ratings,
    countMerged: row.count_merged,
    syncIntervalMinutes: row.sync_interval_minutes,
    demo: row.demo,
  };
}

/**
 * Changes settings. Where the meaning of a number changes (zone, windows, priorities, merged tickets) everything is counted
 * again before it returns: no number of the old settings is shown beside the new ones.
 */
export async function updateWorkspace(
  trx: Trx,
  workspaceId: number,
  patch: WorkspacePatch,
  now: Date,
): Promise<WorkspaceSettings> {
  const timeZone = patch.timeZone === undefined ? undefined : await knownTimeZone(trx, patch.timeZone);
  await lockMetrics(trx, workspaceId);
  const before = await readWorkspace(trx, workspaceId);
  const after: WorkspaceSettings = { ...before, ...patch, ...(timeZone === undefined ? {} : { timeZone }) };
  await trx
    .updateTable("workspace")
    .set({
      name: after.name,
      time_zone: after.timeZone,
      windows: after.windows,
      top_priorities: after.topPriorities,
      minimum_ratings: after.minimumRatings,
      count_merged: after.countMerged,
      sync_interval_minutes: after.syncIntervalMinutes,
    })
    .where("id", "=", workspaceId)
    .execute();
  const daysDiffer =
    after.timeZone !== before.timeZone ||
    after.countMerged !== before.countMerged ||
    !sameSet(after.topPriorities, before.topPriorities);
  const windowsDiffer = after.windows.join() !== before.windows.join();
  if (daysDiffer || windowsDiffer) await recountUnderNewSettings(trx, workspaceId, now, { days: daysDiffer });
  return after;
}

/** The zone's own spelling. Both this process and the database must know it: one names days, the other counts by them. */
async function knownTimeZone(db: Db, name: string): Promise<string> {
  const { rows } = await sql<{ name: string }>`
    select name from pg_timezone_names where lower(name) = lower(${name}::text) order by name <> ${name}::text limit 1`.execute(
    db,
  );
  const known = rows[0]?.name;
  if (known !== undefined && isTimeZone(known)) return known;
  const message = `is not a known time zone: “${name}”. Use an IANA name such as Europe/Berlin or America/New_York.`;
  throw invalid(`The time zone ${message}`, [{ path: "timeZone", message }]);
}

function sameSet(a: readonly string[], b: readonly string[]): boolean {
  return a.length === b.length && a.every((item) => b.includes(item));
}
