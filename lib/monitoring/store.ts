import { sql } from "kysely";
import { type Db, inWorkspace, type Trx } from "#db/client.ts";
import { liveRuns, overdueSince } from "#lib/connections/overdue.ts";
import { discarded, mostCounted } from "#lib/destinations/shapes.ts";
import { type LatestDrift, latestDrift } from "#lib/reports/ledger.ts";
import { newestAnnounced } from "#lib/webhooks/lost.ts";

/** What a workspace's tables say about how its connections do. Ages are seconds, by `now`; null is "never". */
export interface WorkspaceState {
  workspaceId: number;
  connections: { id: number; subdomain: string; state: string; overdue: number | null }[];
  streams: { connectionId: number; stream: string; state: string; freshness: number | null }[];
  runs: { connectionId: number; mode: string; state: string; runs: number; lastEnd: Date | null }[];
  pending: { runs: number; oldest: number | null };
  hints: { connectionId: number; waiting: number; oldest: number | null }[];
  held: { connectionId: number; stream: string; rows: number }[];
  absences: { connectionId: number; stream: string; held: number }[];
  drift: LatestDrift[];
  announced: { connectionId: number; told: number; untold: number }[];
  notices: number;
  deliveries: { destinationId: number; state: string; deliveries: number; oldest: number | null }[];
}

export async function everyWorkspace(db: Db): Promise<number[]> {
  const rows = await db.selectFrom("workspace").select("id").orderBy("id").execute();
  return rows.map(({ id }) => id);
}

/** One snapshot. Connections that were archived or deleted are nobody's worry any more. */
export function readWorkspaceState(db: Db, workspaceId: number, now: Date): Promise<WorkspaceState> {
  return inWorkspace(db, workspaceId, async (trx) => ({
    workspaceId,
    connections: await readConnections(trx, workspaceId, now),
    streams: await readStreams(trx, workspaceId, now),
    runs: await readRuns(trx, workspaceId),
    pending: await readPending(trx, workspaceId, now),
    ...(await readBacklog(trx, workspaceId, now)),
    drift: await latestDrift(trx, workspaceId),
    announced: [...(await newestAnnounced(trx, workspaceId))].map(([connectionId, of]) => ({ connectionId, ...of })),
    deliveries: await readDeliveries(trx, workspaceId, now),
  }));
}

const living = ["active", "failing", "paused", "disconnected"];

const age = (column: string, now: Date) =>
  sql<number | null>`extract(epoch from ${now}::timestamptz - ${sql.ref(column)})::float8`;

async function readConnections(trx: Trx, workspaceId: number, now: Date): Promise<WorkspaceState["connections"]> {
  const live = await liveRuns(trx, workspaceId);
  const rows = await trx
    .selectFrom("connection")
    .select(["id", "subdomain", "state", "next_sync_at"])
    .where("workspace_id", "=", workspaceId)
    .where("state", "in", living)
    .orderBy("id")
    .execute();
  return rows.map(({ next_sync_at: next, ...row }) => {
    const since = overdueSince(next, live.get(row.id) ?? null, now);
    return { ...row, overdue: since && (now.getTime() - since.getTime()) / 1000 };
  });
}

function readStreams(trx: Trx, workspaceId: number, now: Date): Promise<WorkspaceState["streams"]> {
  return trx
    .selectFrom("stream_state as s")
    .innerJoin("connection as c", (join) =>
      join.onRef("c.workspace_id", "=", "s.workspace_id").onRef("c.id", "=", "s.connection_id"),
    )
    .select(["s.connection_id as connectionId", "s.stream", "s.state", age("s.fresh_through", now).as("freshness")])
    .where("s.workspace_id", "=", workspaceId)
    .where("s.purpose", "=", "incremental")
    .where("c.state", "in", living)
    .orderBy("s.connection_id")
    .orderBy("s.stream")
    .execute();
}

function readRuns(trx: Trx, workspaceId: number): Promise<WorkspaceState["runs"]> {
  return trx
    .selectFrom("sync_run")
    .select((eb) => [
      "connection_id as connectionId",
      "mode",
      "state",
      sql<number>`count(*)::int`.as("runs"),
      eb.fn.max("finished_at").as("lastEnd"),
    ])
    .where("workspace_id", "=", workspaceId)
    .groupBy(["connection_id", "mode", "state"])
    .orderBy("connection_id")
    .execute();
}

async function readPending(trx: Trx, workspaceId: number, now: Date): Promise<WorkspaceState["pending"]> {
  return trx
    .selectFrom("sync_run")
    .select([sql<number>`count(*)::int`.as("runs"), sql<number | null>`max(${age("requested_at", now)})`.as("oldest")])
    .where("workspace_id", "=", workspaceId)
    .where("state", "in", ["queued", "waiting"])
    .executeTakeFirstOrThrow();
}

async function readBacklog(
  trx: Trx,
  workspaceId: number,
  now: Date,
): Promise<Pick<WorkspaceState, "hints" | "held" | "absences" | "notices">> {
  const count = sql<number>`count(*)::int`;
  const hints = await trx
    .selectFrom("webhook_hint")
    .select(["connection_id as connectionId", count.as("waiting")])
    .select(sql<number | null>`max(${age("first_at", now)})`.as("oldest"))
    .where("workspace_id", "=", workspaceId)
    .groupBy("connection_id")
    .execute();
  const held = await trx
    .selectFrom("held_row")
    .select(["connection_id as connectionId", "stream", count.as("rows")])
    .where("workspace_id", "=", workspaceId)
    .where("set_aside_at", "is", null)
    .groupBy(["connection_id", "stream"])
    .execute();
  const absences = await trx
    .selectFrom("absence")
    .select(["connection_id as connectionId", "stream", count.as("held")])
    .where("workspace_id", "=", workspaceId)
    .where("held", "=", true)
    .groupBy(["connection_id", "stream"])
    .execute();
  const open = await trx
    .selectFrom("notice")
    .select(count.as("notices"))
    .where("workspace_id", "=", workspaceId)
    .where("cleared_at", "is", null)
    .executeTakeFirstOrThrow();
  return { hints, held, absences, notices: open.notices };
}

/** Of those that are not done, by the index of these; of a queue no more than `mostCounted`, so that it may be older than told. */
async function readDeliveries(trx: Trx, workspaceId: number, now: Date): Promise<WorkspaceState["deliveries"]> {
  const { rows } = await sql<WorkspaceState["deliveries"][number]>`
    select t.id as "destinationId", queue.state, counted.deliveries, counted.oldest
      from destination t
      cross join unnest(array['queued', 'sending', 'unknown', 'held', 'failed']) queue (state)
      cross join lateral (
        select count(*)::int as deliveries, max(${age("capped.created_at", now)}) as oldest from (
          select d.created_at from delivery d
           where d.workspace_id = ${workspaceId} and d.destination_id = t.id and d.state = queue.state and d.state <> 'done'
             and d.code is distinct from ${discarded}
           limit ${mostCounted}) capped) counted
     where t.workspace_id = ${workspaceId} and counted.deliveries > 0
     order by t.id, queue.state`.execute(trx);
  return rows;
}
