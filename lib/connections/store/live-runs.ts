import { sql } from "kysely";
import type { Db } from "#db/client.ts";

/** The live run of a connection; all instants by this program's clock. */
export interface LiveRun {
  connectionId: number;
  /** queued | running | waiting */
  state: string;
  requestedAt: Date;
  startedAt: Date | null;
  waitingUntil: Date | null;
  /** Whoever executes it has said so within the last two minutes, by the database's clock. */
  isHeld: boolean;
  /** When anything of the connection was last read. */
  movedAt: Date | null;
}

/** The live runs of a workspace: a connection has one at most. */
export async function readLiveRuns(db: Db, workspaceId: number): Promise<LiveRun[]> {
  const { rows } = await sql<LiveRun>`
    select r.connection_id as "connectionId", r.state, r.requested_at as "requestedAt", r.started_at as "startedAt",
           r.waiting_until as "waitingUntil",
           coalesce(l.holder is not null and l.heartbeat_at > clock_timestamp() - interval '2 minutes', false) as "isHeld",
           (select max(s.updated_at) from stream_state s
             where s.workspace_id = ${workspaceId}::int and s.connection_id = r.connection_id) as "movedAt"
      from sync_run r
      left join connection_lease l on l.workspace_id = ${workspaceId}::int and l.connection_id = r.connection_id
     where r.workspace_id = ${workspaceId}::int and r.state in ('queued', 'running', 'waiting')`.execute(db);
  return rows;
}
