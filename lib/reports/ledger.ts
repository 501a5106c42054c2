import { type Selectable, sql } from "kysely";
import type { Db, Trx } from "#db/client.ts";
import type { DriftDayTable, DriftRowTable } from "#db/schema.ts";
import { type List, pageOf, positionFrom } from "#lib/api/cursor.ts";
import {
  type Absence,
  type Drift,
  type DriftDay,
  type DriftRow,
  type DriftRun,
  type StreamName,
  streamNames,
} from "#lib/connections/shapes.ts";
import { AppError, notFound } from "#lib/errors.ts";
import { agentPage } from "#lib/zendesk/agent-pages.ts";
import type { Scope } from "#lib/zendesk/scope.ts";
import { type AbsentStream, isAbsentStream, readAbsences } from "#lib/zendesk/store/absence.ts";

interface Page {
  limit: number;
  cursor?: string | undefined;
}

/** What each nightly check found, newest first; its streams in their usual order. Throws `not_found`. */
export async function listDriftRuns(trx: Trx, scope: Scope, page: Page): Promise<List<DriftRun>> {
  await subdomainOf(trx, scope);
  const [beforeId] = positionFrom(page.cursor, ["id"]) ?? [];
  let query = trx
    .selectFrom("sync_run")
    .select(["id", "state", "started_at", "finished_at"])
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("mode", "=", "reconcile");
  if (beforeId !== undefined) query = query.where("id", "<", beforeId);
  const runs = await query
    .orderBy("id", "desc")
    .limit(page.limit + 1)
    .execute();
  const runIds = runs.map((run) => run.id);
  const sums = await sumByStream(trx, scope, runIds);
  const columns = await countColumns(trx, scope, runIds);
  return pageOf(
    runs,
    page.limit,
    (run) => ({
      runId: run.id,
      state: run.state as DriftRun["state"],
      startedAt: run.started_at?.toISOString() ?? null,
      finishedAt: run.finished_at?.toISOString() ?? null,
      streams: streamNames.flatMap((stream) => {
        const isOf = (row: { run_id: string; stream: string }) => row.run_id === run.id && row.stream === stream;
        const sum = sums.find(isOf);
        if (!sum) return [];
        const drift = counts(sum);
        const named = columns.filter(isOf).map(({ name, rows }) => ({ name, rows }));
        return [{ stream, ...drift, unusual: isUnusual(stream, drift), columns: named }];
      }),
    }),
    (run) => [run.id],
  );
}

/** The days of one check, newest first; only those on which something differed unless `all`. Throws `not_found`. */
export async function listDriftDays(
  trx: Trx,
  scope: Scope,
  runId: string,
  page: Page & { stream?: StreamName | undefined; all: boolean },
): Promise<List<DriftDay>> {
  await requireCheck(trx, scope, runId);
  const [day, stream] = positionFrom(page.cursor, ["instant", "text"]) ?? [];
  const { rows } = await sql<Selectable<DriftDayTable>>`
    select * from drift_day
     where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId} and run_id = ${runId}
       and (${page.stream ?? null}::text is null or stream = ${page.stream ?? null})
       and (${page.all}::boolean or missing + extra + older + different > 0)
       and (${day ?? null}::timestamptz is null or day < ${day ?? null}::timestamptz::date
            or (day = ${day ?? null}::timestamptz::date and stream > ${stream ?? null}))
     order by day desc, stream limit ${page.limit + 1}`.execute(trx);
  return pageOf(
    rows,
    page.limit,
    (row) => ({ stream: row.stream as StreamName, day: row.day, ...counts(row) }),
    (row) => [`${row.day}T00:00:00.000Z`, row.stream],
  );
}

/** The rows that differed in one check, by stream and key. Throws `not_found`. */
export async function listDriftRows(
  trx: Trx,
  scope: Scope,
  runId: string,
  page: Page & { stream?: StreamName | undefined; day?: string | undefined },
  zendeskUrl: string,
): Promise<List<DriftRow>> {
  const subdomain = await requireCheck(trx, scope, runId);
  const [stream, key] = positionFrom(page.cursor, ["text", "text"]) ?? [];
  const { rows } = await sql<Selectable<DriftRowTable>>`
    select * from drift_row
     where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId} and run_id = ${runId}
       and (${page.stream ?? null}::text is null or stream = ${page.stream ?? null})
       and (${page.day ?? null}::date is null or day = ${page.day ?? null}::date)
       and (${stream ?? null}::text is null or (stream, row_key) > (${stream ?? null}, ${key ?? null}))
     order by stream, row_key limit ${page.limit + 1}`.execute(trx);
  return pageOf(
    rows,
    page.limit,
    (row) => ({
      stream: row.stream as StreamName,
      key: row.row_key,
      day: row.day,
      difference: row.difference as DriftRow["difference"],
      columns: row.columns,
      repaired: row.repaired,
      foundAt: row.found_at.toISOString(),
      url: pageInZendesk(zendeskUrl, subdomain, row.stream, row.row_key),
    }),
    (row) => [row.stream, row.row_key],
  );
}

/** Stored rows that Zendesk does not show any more, by stream and id. Throws `not_found`. */
export async function listAbsences(
  trx: Trx,
  scope: Scope,
  page: Page & { stream?: AbsentStream | undefined },
  zendeskUrl: string,
): Promise<List<Absence>> {
  const subdomain = await subdomainOf(trx, scope);
  const [stream, id] = positionFrom(page.cursor, ["text", "id"]) ?? [];
  const after = stream !== undefined && id !== undefined ? { stream, id } : null;
  const rows = await readAbsences(trx, scope, { limit: page.limit + 1, stream: page.stream, after });
  return pageOf(
    rows,
    page.limit,
    (row) => ({
      stream: row.stream as AbsentStream,
      id: row.id,
      name: row.name,
      firstMissedAt: row.first_missed_at.toISOString(),
      notFoundAt: row.not_found_at?.toISOString() ?? null,
      held: row.held,
      url: agentPage(zendeskUrl, subdomain, row.stream as AbsentStream, row.id),
    }),
    (row) => [row.stream, row.id],
  );
}

type Counters = Record<keyof Drift, string>;

const summed = sql.raw(
  ["compared", "missing", "extra", "older", "different", "repaired"]
    .map((counter) => `sum(d.${counter}) as ${counter}`)
    .join(", "),
);

async function sumByStream(trx: Trx, scope: Scope, runIds: readonly string[]) {
  const { rows } = await sql<Counters & { run_id: string; stream: string }>`
    select run_id, stream, ${summed} from drift_day d
     where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId}
       and run_id = any(${[...runIds]}::bigint[])
     group by run_id, stream`.execute(trx);
  return rows;
}

/** What the newest check of a connection found in one stream. */
export interface LatestDrift extends Drift {
  connectionId: number;
  stream: StreamName;
  checkedAt: Date;
  unusual: boolean;
}

/** Of every connection of a workspace, what the newest check that is over found, stream by stream (row 23). */
export async function latestDrift(db: Db, workspaceId: number): Promise<LatestDrift[]> {
  const { rows } = await sql<Counters & Pick<LatestDrift, "connectionId" | "stream" | "checkedAt">>`
    select c.id as "connectionId", d.stream, checked.finished_at as "checkedAt", ${summed}
      from connection c
      cross join lateral (
        select r.id, r.finished_at from sync_run r
         where r.workspace_id = ${workspaceId}::int and r.connection_id = c.id and r.mode = 'reconcile'
           and r.state in ('succeeded', 'failed') and r.finished_at is not null
           and exists (select from drift_day kept
                where kept.workspace_id = ${workspaceId}::int and kept.connection_id = c.id and kept.run_id = r.id)
         order by r.id desc limit 1) checked
      join drift_day d on d.workspace_id = ${workspaceId}::int and d.connection_id = c.id and d.run_id = checked.id
     where c.workspace_id = ${workspaceId}::int and c.state in ('active', 'failing', 'paused', 'disconnected')
     group by c.id, d.stream, checked.finished_at order by c.id, d.stream`.execute(db);
  return rows.map(({ connectionId, stream, checkedAt, ...sums }) => {
    const drift = counts(sums);
    return { connectionId, stream, checkedAt, ...drift, unusual: isUnusual(stream, drift) };
  });
}

/** Of a stream's rows, from so many on and from this share on, differing is no longer what a night usually mends. */
const unusual = { rows: 20, share: 0.05 };

/**
 * Extra rows that can be asked for by id are judged elsewhere: more of them than is believable wait for a person, and are told
 * as that (row 30); those that a person let go were to be removed.
 */
function isUnusual(stream: StreamName, { compared, missing, extra, older, different }: Drift): boolean {
  const differing = missing + older + different + (isAbsentStream(stream) ? 0 : extra);
  return differing >= unusual.rows && differing >= unusual.share * Math.max(compared, differing);
}

const mostColumns = 5;

/** In which columns the named rows of some checks differed, the most frequent ones of each stream first. */
async function countColumns(trx: Trx, scope: Scope, runIds: readonly string[]) {
  const { rows } = await sql<{ run_id: string; stream: string; name: string; rows: number }>`
    select run_id, stream, name, rows from (
      select run_id, stream, name, count(*)::int as rows,
             row_number() over (partition by run_id, stream order by count(*) desc, name) as place
        from drift_row, unnest(columns) as name
       where workspace_id = ${scope.workspaceId} and connection_id = ${scope.connectionId}
         and run_id = any(${[...runIds]}::bigint[])
       group by run_id, stream, name) counted
     where place <= ${mostColumns} order by run_id, stream, place`.execute(trx);
  return rows;
}

function counts({ compared, missing, extra, older, different, repaired }: Counters): Drift {
  return {
    compared: Number(compared),
    missing: Number(missing),
    extra: Number(extra),
    older: Number(older),
    different: Number(different),
    repaired: Number(repaired),
  };
}

async function subdomainOf(trx: Trx, scope: Scope): Promise<string> {
  const row = await trx
    .selectFrom("connection")
    .select("subdomain")
    .where("workspace_id", "=", scope.workspaceId)
    .where("id", "=", scope.connectionId)
    .where("state", "not in", ["deleted", "purging"])
    .executeTakeFirst();
  if (!row) throw notFound("The connection");
  return row.subdomain;
}

async function requireCheck(trx: Trx, scope: Scope, runId: string): Promise<string> {
  const subdomain = await subdomainOf(trx, scope);
  if (!/^\d{1,18}$/.test(runId)) throw notFound(`Run ${runId}`);
  const run = await trx
    .selectFrom("sync_run")
    .select("mode")
    .where("workspace_id", "=", scope.workspaceId)
    .where("connection_id", "=", scope.connectionId)
    .where("id", "=", runId)
    .executeTakeFirst();
  if (!run) throw notFound(`Run ${runId}`);
  if (run.mode !== "reconcile")
    throw new AppError("not_found", `Run ${runId} is no check of the past: it has no ledger.`);
  return subdomain;
}

function pageInZendesk(zendeskUrl: string, subdomain: string, stream: string, key: string): string | null {
  if (stream !== "tickets" && stream !== "users" && stream !== "organizations") return null;
  return agentPage(zendeskUrl, subdomain, stream, key);
}
