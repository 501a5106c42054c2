import type { Status } from "#app/_ui/status.ts";
import type { Connection, StreamName } from "#lib/connections/shapes.ts";

export type Freshness = {
  status: Status;
  /** The state of all connections in a few words: "all fresh". */
  words: string;
  /** Everything that the numbers rest on has been read up to here; null while the first sync goes on. */
  asOf: string | null;
  /** The last check against the source, of the connection that waits longest; null when one never was. */
  verified: string | null;
};

/** Streams that numbers depend on; the others only add names and choices. */
const COUNTED: readonly StreamName[] = ["tickets", "organizations", "satisfaction_ratings"];
const LATE_INTERVALS = 2;
const MINUTE_MS = 60_000;

/** Whether the connection still reads, or would if it could. */
export const isUsed = ({ state }: Connection) => state !== "disconnected" && state !== "archived";

/** Those that have not been read through once: until then every number is too small. */
export function firstReads(connections: readonly Connection[]): Connection[] {
  return connections.filter((connection) => isUsed(connection) && reachedBy(connection) === null);
}

/** Changes whenever the stored rows that numbers rest on may have changed. */
export function stateOfRows(connections: readonly Connection[]): string {
  const counted = connections.flatMap(({ id, matching, streams }) => [
    id,
    matching.matched,
    ...streams.filter(({ name }) => COUNTED.includes(name)).flatMap(({ freshThrough, rows }) => [freshThrough, rows]),
  ]);
  return JSON.stringify(counted);
}

/** What the stamp says of the connections that are in use. */
export function freshnessOf(connections: readonly Connection[], now: Date): Freshness {
  const used = connections.filter(isUsed);
  if (used.length === 0) {
    return { status: "unknown", words: "nothing connected", asOf: null, verified: null };
  }
  const reached = used.map(reachedBy);
  const asOf = reached.some((instant) => instant === null) ? null : earliest(reached);
  const checks = used.map(({ verified }) => verified?.at ?? null);
  const verified = checks.some((instant) => instant === null) ? null : earliest(checks);
  return { ...judge(used, asOf, now), asOf, verified };
}

function judge(used: readonly Connection[], asOf: string | null, now: Date): Pick<Freshness, "status" | "words"> {
  const failing = used.filter(({ state, failure }) => state === "failing" || failure !== null).length;
  if (failing > 0) return { status: "bad", words: `${failing} of ${used.length} failing` };
  if (asOf === null) return { status: "watch", words: "first sync going on" };
  const weak = used.flatMap(({ streams }) => streams).filter(({ state }) => state === "failed" || state === "degraded");
  if (weak.length > 0)
    return { status: "watch", words: `${weak.length} ${weak.length === 1 ? "stream" : "streams"} behind` };
  const paused = used.filter(({ state }) => state === "paused").length;
  if (paused > 0)
    return { status: "watch", words: paused === used.length ? "paused" : `${paused} of ${used.length} paused` };
  const late = used.filter((connection) => isLate(connection, now)).length;
  if (late > 0) return { status: "watch", words: "behind" };
  return { status: "good", words: "all fresh" };
}

/** The instant up to which all counted streams of a connection were read; null when one never was. */
function reachedBy({ streams }: Connection): string | null {
  const counted = streams.filter(({ name, state }) => COUNTED.includes(name) && state !== "not_available");
  const instants = counted.map(({ freshThrough }) => freshThrough);
  return instants.length === 0 || instants.some((instant) => instant === null) ? null : earliest(instants);
}

function isLate(connection: Connection, now: Date): boolean {
  const reached = reachedBy(connection);
  if (reached === null) return true;
  return now.getTime() - Date.parse(reached) > LATE_INTERVALS * connection.syncIntervalMinutes * MINUTE_MS;
}

function earliest(instants: readonly (string | null)[]): string | null {
  const known = instants.filter((instant) => instant !== null);
  return known.toSorted((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null;
}
