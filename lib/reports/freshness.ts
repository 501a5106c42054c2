import type { Db } from "#db/client.ts";
import type { Freshness } from "#lib/accounts/shapes.ts";
import { notFound } from "#lib/errors.ts";
import type { MetricSettings } from "#lib/metrics/counts.ts";
import { ensureMetricsDay, settingColumns, settingsOf } from "#lib/metrics/store.ts";

/** The streams that numbers are counted from; the others bring names and moments. */
const countedStreams = ["tickets", "organizations", "satisfaction_ratings"];
const unavailable = "not_available";

interface StreamRow {
  connectionId: number;
  connection: string;
  connectionState: string;
  verifiedAt: Date | null;
  /** Null where the stream was never read. */
  stream: string | null;
  state: string | null;
  freshThrough: Date | null;
}

/** Where the counted streams of every connection of a workspace stand. */
export class StreamStates {
  constructor(private readonly rows: StreamRow[]) {}

  /**
   * How far numbers of these connections can be trusted: the oldest stream decides. Without any connection of its own an
   * account's zeros are as fresh as the whole workspace.
   */
  freshness(connectionIds: readonly number[]): Freshness {
    const own = this.rows.filter((row) => connectionIds.includes(row.connectionId));
    const rows = own.length > 0 ? own : this.rows.filter((row) => row.connectionState !== "archived");
    const streams = rows
      .filter((row) => row.state !== unavailable && row.stream !== null)
      .map((row) => ({
        connectionId: String(row.connectionId),
        connection: row.connection,
        name: row.stream ?? "",
        state: row.state ?? "waiting",
        freshThrough: row.freshThrough?.toISOString() ?? null,
      }));
    return {
      freshThrough: oldest(streams.map((stream) => stream.freshThrough)),
      verifiedAt: oldest(rows.map((row) => row.verifiedAt?.toISOString() ?? null)),
      streams,
    };
  }

  /** Why no rating can be shown for an account of these connections; undefined where any of them has ratings to read. */
  ratingsReason(connectionIds: readonly number[]): string | undefined {
    const rows = this.rows.filter(
      (row) => row.stream === "satisfaction_ratings" && connectionIds.includes(row.connectionId),
    );
    if (rows.length === 0 || rows.some((row) => row.freshThrough !== null && row.state !== unavailable))
      return undefined;
    return rows.every((row) => row.state === unavailable)
      ? "Ratings are not available on this Zendesk plan."
      : "Ratings have not been read yet.";
  }
}

/** What every list of accounts is read by. */
export interface Standing {
  settings: MetricSettings;
  streams: StreamStates;
}

/**
 * Settings, brought to today, and the states of all streams, in one read: there are few connections, and lists need them
 * for each of their accounts.
 */
export async function readStanding(db: Db, workspaceId: number, now: Date): Promise<Standing> {
  const rows = await db
    .selectFrom("workspace as w")
    .leftJoin("connection as c", "c.workspace_id", "w.id")
    .leftJoin("stream_state as s", (join) =>
      join
        .onRef("s.connection_id", "=", "c.id")
        .on("s.workspace_id", "=", workspaceId)
        .on("s.purpose", "=", "incremental")
        .on("s.stream", "in", countedStreams),
    )
    .select(settingColumns.map((column) => `w.${column}` as const))
    .select([
      "c.id as connectionId",
      "c.name as connection",
      "c.state as connectionState",
      "c.verified_at as verifiedAt",
      "s.stream",
      "s.state",
      "s.fresh_through as freshThrough",
    ])
    .where("w.id", "=", workspaceId)
    .orderBy("c.id")
    .orderBy("s.stream")
    .execute();
  if (!rows[0]) throw notFound("The workspace");
  const settings = await ensureMetricsDay(db, workspaceId, now, settingsOf(workspaceId, rows[0]));
  const connected = rows.filter((row): row is typeof row & StreamRow => row.connectionId !== null);
  return { settings, streams: new StreamStates(connected.flatMap((row) => everyStream(row, connected))) };
}

/**
 * Runs `read`, whose numbers come from one statement that also tells whether the settings still stood (`stillStands`): it
 * answers null where they did not, and is asked again.
 */
export async function whereItStands<T>(
  db: Db,
  workspaceId: number,
  now: Date,
  read: (standing: Standing) => Promise<T | null>,
): Promise<T> {
  for (;;) {
    const answer = await read(await readStanding(db, workspaceId, now));
    if (answer !== null) return answer;
  }
}

/** A connection whose streams were never read has them all, unread: what is missing must not look fresh. */
function everyStream(row: StreamRow, rows: StreamRow[]): StreamRow[] {
  const known = rows.filter((other) => other.connectionId === row.connectionId);
  if (known[0] !== row) return [row];
  const missing = countedStreams.filter((stream) => !known.some((other) => other.stream === stream));
  const unread = missing.map((stream) => ({ ...row, stream, state: "waiting", freshThrough: null }));
  return row.stream === null ? unread : [row, ...unread];
}

function oldest(instants: (string | null)[]): string | null {
  if (instants.length === 0 || instants.includes(null)) return null;
  return (instants as string[]).reduce((a, b) => (a < b ? a : b));
}
