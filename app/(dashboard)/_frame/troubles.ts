import { formatNumber } from "#app/_ui/num.tsx";
import { deliveriesAddress, destinationAddress } from "#app/(dashboard)/destinations/addresses.ts";
import { type Connection, type Failure, type StreamStatus, streamTitles } from "#lib/connections/shapes.ts";
import type { Destination } from "#lib/destinations/shapes.ts";
import type { Notice } from "#lib/notifications/shapes.ts";
import { aboutDestination, writingTroubles } from "#lib/notifications/writing.ts";
import { isUsed, lateStreams } from "./freshness.ts";

/** `bad`: numbers do not renew, or nothing is written; `doubt`: they may be wrong or old, or writes are missing; `calm`: all is right still, and something wants doing. */
export type Severity = "bad" | "doubt" | "calm";

/** Something that goes wrong with a connection, or with what writes through it, as every screen says it (T-55). */
export interface Trouble {
  key: string;
  severity: Severity;
  /** What happened, with the name of what it happened to. */
  title: string;
  since: string | null;
  /** What goes on meanwhile. */
  works: string;
  /** What to do. */
  action: string;
  link: { href: string; label: string };
  /** The screen that says it itself. */
  own: string | null;
}

interface Kind {
  severity: Severity;
  words: (connection: string, message: string, stopsWrites: boolean) => string;
  works?: string;
  /** Under the connection's address, unless `leads` elsewhere. */
  place: string;
  leads?: "destination" | "dead letters";
  label: string;
}

const works: Record<Severity, string> = {
  bad: "What was read before stays and can be used.",
  doubt: "",
  calm: "The numbers stay fresh.",
};
const named = (connection: string, message: string) => `${connection}: ${message}`;
const ending: Kind = { severity: "doubt", words: named, place: "?tab=settings#login", label: "Change the login" };
const writing = { words: (_: string, message: string) => message, place: "" };
const doctor = { place: "?tab=doctor", label: "Ask the doctor" };

/** By the code of a notice or the part of it before the colon, the most severe first. */
const kinds: Record<string, Kind> = {
  failing: {
    severity: "bad",
    words: (connection, message, stopsWrites) =>
      `${connection} does not sync${stopsWrites ? ", and nothing is written to it" : ""}: ${message}`,
    place: "",
    label: "Open the connection",
  },
  failed: { severity: "bad", words: named, place: "", label: "Open the connection" },
  stale: { severity: "bad", words: named, ...doctor },
  writing_ended: {
    ...writing,
    severity: "bad",
    works: "Events are taken and kept queued.",
    place: "?tab=settings#login",
    label: "Reconnect",
  },
  writing_blocked: {
    ...writing,
    severity: "bad",
    works: "Reading goes on, and events are taken and kept.",
    leads: "destination",
    label: "Open the destination",
  },
  writing_unanswered: {
    ...writing,
    severity: "doubt",
    works: "Events are taken and kept.",
    leads: "destination",
    label: "Open the destination",
  },
  dead_letters: {
    ...writing,
    severity: "doubt",
    works: "They are kept until somebody replays or discards them.",
    leads: "dead letters",
    label: "Show the dead letters",
  },
  approval_needed: { severity: "doubt", words: named, place: "?tab=held#absent", label: "Decide" },
  degraded: { severity: "doubt", words: named, place: "?tab=held", label: "Show the held rows" },
  drift: { severity: "doubt", words: named, place: "?tab=checks", label: "Show the past checks" },
  "api_token_ends:7": ending,
  login_ends: ending,
  api_token_ends: { ...ending, severity: "calm" },
  writing_paused: {
    ...writing,
    severity: "calm",
    works: "Events are taken and kept queued.",
    label: "Open the connection",
  },
  webhook_failing: { severity: "calm", words: named, place: "#webhook", label: "Show the webhook" },
  webhook_silent: { severity: "calm", words: named, place: "#webhook", label: "Show the webhook" },
  webhook_unchecked: { severity: "calm", words: named, ...doctor },
  clock_skew: { severity: "calm", words: named, ...doctor },
};
const other: Kind = { severity: "doubt", words: named, place: "", label: "Open the connection" };
const order = Object.keys(kinds);
const prefixOf = (code: string) => code.split(":", 1)[0] ?? code;
const kindOf = (code: string): Kind => kinds[code] ?? kinds[prefixOf(code)] ?? other;
const rankOf = (code: string) => {
  const at = order.indexOf(code in kinds ? code : prefixOf(code));
  return at === -1 ? order.length : at;
};

interface Finding {
  connectionId: string;
  connection: string;
  code: string;
  message: string;
  action: string;
  since: string | null;
  /** Something that is to write through the connection cannot. */
  stopsWrites: boolean;
}
type Seen = Omit<Finding, "stopsWrites">;

/** What is told of a destination is told by its id; else one code tells one thing, whatever reason stands behind the colon. */
const themeOf = (code: string) => (aboutDestination(code) ? code : prefixOf(code));

/**
 * What is wrong now, the most severe first. Whether something is wrong the connections tell, so that nothing old looks fresh
 * before its notice has come and nothing mended looks broken until its notice has gone; the notices tell it in full, and
 * what only they know. `destinations`: those of which the reader is told.
 */
export function troublesOf(
  connections: readonly Connection[],
  notices: readonly Notice[],
  now: Date,
  destinations: readonly Destination[] = [],
): Trouble[] {
  const findings = connections.flatMap((connection) => {
    const own = destinations.filter(({ connectionId, state }) => connectionId === connection.id && state === "on");
    const seen = [...findingsIn(connection, now), ...writesIn(connection, own)];
    const told = notices
      .filter(({ connectionId, clearedAt }) => clearedAt === null && connectionId === connection.id)
      .filter(({ code }) => stillHolds(code, connection, seen))
      .map(({ raisedAt, ...notice }) => ({ ...notice, ...newestWords(notice, connection), since: raisedAt }));
    const known = new Set(told.map(({ code }) => themeOf(code)));
    const all: Seen[] = [...told, ...seen.filter(({ code }) => !known.has(themeOf(code)))];
    return all.map((found): Finding => ({ ...found, stopsWrites: own.some(({ blocked }) => blocked !== null) }));
  });
  return findings.toSorted((a, b) => rankOf(a.code) - rankOf(b.code)).map(present);
}

/** What the connection itself says by now of the streams that a notice is about: a notice is rewritten later. */
function newestWords(
  { code }: Pick<Notice, "code">,
  { streams }: Connection,
): Partial<Pick<Notice, "message" | "action">> {
  const [state, reason] = code.split(":");
  if (state !== "failed" && state !== "degraded") return {};
  const meant = streams.filter((one) => one.state === state && one.failure?.code === reason);
  const failure = meant[0]?.failure;
  if (!failure) return {};
  const message = meant.map((one) => `${streamTitles[one.name]}: ${one.failure?.message}`).join(" ");
  return { message, action: failure.action };
}

function stillHolds(code: string, connection: Connection, seen: readonly Seen[]): boolean {
  const isSeen = seen.some((one) => themeOf(one.code) === themeOf(code));
  if (aboutDestination(code) || !isUsed(connection)) return isSeen;
  switch (prefixOf(code)) {
    case "failing":
    case "failed":
    case "degraded":
    case "approval_needed":
      return isSeen;
    case "stale":
      return isSeen || connection.streams.some((one) => one.freshThrough === null && one.state !== "not_available");
    case "webhook_failing":
      return connection.webhook.state !== "active";
    case "webhook_silent":
    case "webhook_unchecked":
      return connection.webhook.state === "active";
    case "clock_skew":
      return connection.clockSkewSeconds !== null;
    default:
      return true;
  }
}

function present({ connectionId, connection, code, message, action, since, stopsWrites }: Finding): Trouble {
  const { severity, words, place, leads, label, works: own } = kindOf(code);
  const about = aboutDestination(code);
  const screen = about && destinationAddress(about.id);
  const log = about && deliveriesAddress({ destination: about.id, state: "failed" });
  const led = leads === "dead letters" ? log : leads && screen;
  return {
    key: `${connectionId} ${code}`,
    severity,
    title: words(connection, message, stopsWrites),
    since,
    works: own ?? works[severity],
    action,
    link: { href: led ?? `/connections/${connectionId}${place}`, label },
    own: screen,
  };
}

/** What those that write through a connection show of themselves. What follows from its own failure is said with that. */
function writesIn({ id, name }: Connection, destinations: readonly Destination[]): Seen[] {
  const of = { connectionId: id, connection: name, since: null };
  return destinations.flatMap(writingTroubles).map((trouble) => ({ ...of, ...trouble }));
}

/** What a connection shows of itself; one that is not in use has nothing to show. */
function findingsIn(connection: Connection, now: Date): Seen[] {
  if (!isUsed(connection)) return [];
  const { id, name, failure, streams, absences } = connection;
  const of = { connectionId: id, connection: name };
  const finding = (code: string, message: string, action: string, since: string | null = null): Seen => ({
    ...of,
    code,
    message,
    action,
    since,
  });
  // A connection that fails as a whole is said once; that its streams stand still follows from it.
  if (failure) return [{ ...of, ...failure, code: "failing" }];
  const findings = streams.flatMap((stream) => findingOf(stream)).map((found) => ({ ...of, ...found }));
  const held = absences.filter((absence) => absence.held > 0);
  if (held.length > 0) {
    const rows = held.map((absence) => `${formatNumber(absence.held, "en")} ${absence.stream}`).join(" and ");
    const message = `Zendesk no longer shows ${rows}, more than is taken away without a person’s word.`;
    findings.push(finding("approval_needed", message, "Until then they stay and count."));
  }
  const late = connection.state === "paused" ? [] : lateStreams(connection, now);
  if (late.length > 0) {
    const message = `${late.map(({ name: stream }) => stream.replace("_", " ")).join(", ")} ${late.length === 1 ? "has" : "have"} not been read for more than two intervals.`;
    findings.push(finding("stale", message, "The doctor finds out why.", late[0]?.freshThrough ?? null));
  }
  return findings;
}

function findingOf({ name, state, failure, held }: StreamStatus): Omit<Seen, "connectionId" | "connection">[] {
  const stream = name.replace("_", " ");
  const said = (code: string, fallback: string, known: Failure | null) => [
    {
      code,
      message: known?.message ?? fallback,
      action: known?.action ?? "",
      since: known?.since ?? null,
    },
  ];
  if (state === "failed") return said(`failed:${name}`, `${stream} could not be read.`, failure);
  // Those that are missing at once are said with the decision that they wait for.
  if (failure?.code === "many_missing") return [];
  if (state === "degraded")
    return said(`degraded:${name}`, `${formatNumber(held, "en")} rows of ${stream} could not be stored.`, failure);
  return [];
}
