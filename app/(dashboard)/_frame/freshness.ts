import type { Status } from "#app/_ui/status.ts";
import type { Connection, StreamName, StreamStatus } from "#lib/connections/shapes.ts";

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

/** What the stamp says of the connections that are in use. */
export function freshnessOf(connections: readonly Connection[], now: Date): Freshness {
  const used = connections.filter(isUsed);
  if (used.length === 0) {
    // Their rows still count.
    return { status: "unknown", words: "nothing connected", asOf: asOfAll(connections), verified: null };
  }
  const asOf = asOfAll(used);
  const checks = used.map(({ verified }) => verified?.at ?? null);
  const verified = checks.some((instant) => instant === null) ? null : earliest(checks);
  return { ...judge(used, asOf, now), asOf, verified };
}

/** The instant up to which all of them were read; null where one never was. */
function asOfAll(connections: readonly Connection[]): string | null {
  const reached = connections.map(reachedBy);
  return reached.some((instant) => instant === null) ? null : earliest(reached);
}

function judge(used: readonly Connection[], asOf: string | null, now: Date): Pick<Freshness, "status" | "words"> {
  const count = (matches: (connection: Connection) => boolean) => used.filter(matches).length;
  const failing = count(({ state, failure }) => state === "failing" || failure !== null);
  if (failing > 0) return { status: "bad", words: `${failing} of ${used.length} failing` };
  if (asOf === null) return { status: "watch", words: "first sync going on" };
  const streams = used.flatMap((connection) => connection.streams);
  const ofState = (wanted: StreamStatus["state"]) => {
    const n = streams.filter(({ state }) => state === wanted).length;
    return n === 0 ? null : `${n} ${n === 1 ? "stream" : "streams"} ${wanted}`;
  };
  const failed = ofState("failed");
  if (failed) return { status: "bad", words: failed };
  // By mere age, since nobody may have tried; that a paused one grows old a person has chosen.
  const isBehind = (connection: Connection) => connection.state !== "paused" && lateStreams(connection, now).length > 0;
  if (count(isBehind) > 0) return { status: "bad", words: "behind" };
  if (count(({ absences }) => absences.some(({ held }) => held > 0)) > 0)
    return { status: "watch", words: "approval needed" };
  const degraded = ofState("degraded");
  if (degraded) return { status: "watch", words: degraded };
  const paused = count(({ state }) => state === "paused");
  if (paused > 0)
    return { status: "watch", words: paused === used.length ? "paused" : `${paused} of ${used.length} paused` };
  return { status: "good", words: "all fresh" };
}

/** The instant up to which all counted streams of a connection were read; null when one never was. */
function reachedBy({ streams }: Connection): string | null {
  const counted = streams.filter(({ name, state }) => COUNTED.includes(name) && state !== "not_available");
  const instants = counted.map(({ freshThrough }) => freshThrough);
  return instants.length === 0 || instants.some((instant) => instant === null) ? null : earliest(instants);
}

/** Whether a stream was read through once and then not for two intervals: behind by its age, whatever its state says. */
export function isLate(stream: StreamStatus, syncIntervalMinutes: number, now: Date): boolean {
  if (stream.freshThrough === null || stream.state === "not_available") return false;
  return now.getTime() - Date.parse(stream.freshThrough) > LATE_INTERVALS * syncIntervalMinutes * MINUTE_MS;
}

export const lateStreams = ({ streams, syncIntervalMinutes }: Connection, now: Date): StreamStatus[] =>
  streams.filter((stream) => isLate(stream, syncIntervalMinutes, now));

function earliest(instants: readonly (string | null)[]): string | null {
  const known = instants.filter((instant) => instant !== null);
  return known.toSorted((a, b) => Date.parse(a) - Date.parse(b))[0] ?? null;
}
